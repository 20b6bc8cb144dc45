import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import connectPgSimple from 'connect-pg-simple'
import express, { type RequestHandler } from 'express'
import expressSession from 'express-session'
import fastSession from 'fast-session'
import { PostgresRecords } from 'fast-session/postgres'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { recordStoreContract } from '../contract/record-store.ts'
import { connectPostgres, newTable } from '../fixtures/postgres-server.ts'

const pool = await connectPostgres()
const elsewhere = await connectPostgres()

describe.skipIf(pool === undefined)('PostgreSQL, taking over the table of connect-pg-simple', () => {
  const schemas: string[] = []

  afterAll(async () => {
    for (const schema of schemas) await pool!.query(`DROP SCHEMA ${schema} CASCADE`)
    await pool!.end()
    await elsewhere!.end()
  })

  /** The real thing: express-session with connect-pg-simple, and a browser's worth of requests. */
  const runOldApp = async (ownPool = pool!) => {
    const schema = newTable()
    schemas.push(schema)
    await pool!.query(`CREATE SCHEMA ${schema}`)
    const PgStore = connectPgSimple(expressSession)
    const store = new PgStore({
      pool: ownPool,
      schemaName: schema,
      createTableIfMissing: true,
      pruneSessionInterval: false,
    })
    const session = expressSession({ secret: SECRET, resave: false, saveUninitialized: false, store })
    const { server, url } = await serve(session)
    await (await fetch(`${url}/set/anything`)).text() // makes the table
    await pool!.query(`DELETE FROM ${schema}.session`)
    return {
      /** Where our table goes, too. */
      schema,
      takeOver: { table: 'session', schema },
      async login(value: string) {
        const response = await fetch(`${url}/set/${value}`)
        const cookie = response.headers.get('set-cookie')!.split(';')[0]!
        return { id: (await response.json()) as string, cookie }
      },
      get: (cookie: string) => get(url, cookie),
      close: () => server.close(),
    }
  }

  let old: Awaited<ReturnType<typeof runOldApp>>
  let store: PostgresRecords
  let other: PostgresRecords
  beforeEach(async () => {
    old = await runOldApp()
    const { schema, takeOver } = old
    store = new PostgresRecords({ pool: pool!, schema, takeOver, touchAfter: 60_000 })
    other = new PostgresRecords({ pool: elsewhere!, schema, takeOver })
    return async () => {
      old.close()
      await store.close()
      await other.close()
    }
  })

  recordStoreContract('postgres, taking over', async ({ namespace, touchAfter }) => {
    const old = await runOldApp()
    old.close()
    const options = { schema: old.schema, table: namespace, takeOver: old.takeOver, touchAfter }
    const store = new PostgresRecords({ pool: pool!, ...options })
    const other = new PostgresRecords({ pool: elsewhere!, ...options })
    return {
      store,
      other,
      async dispose() {
        await store.close()
        await other.close()
      },
    }
  })

  const rowsOf = async (table: string) => (await pool!.query(`SELECT * FROM ${old.schema}.${table}`)).rows
  const written = (value: string) => ({ cookie: expect.objectContaining({ path: '/' }), value })

  it('keeps a browser logged in when the application goes over to fast-session', async () => {
    const { id, cookie } = await old.login('before')
    const { server, url } = await serve(fastSession({ secret: SECRET, store }))
    expect(await get(url, cookie)).toBe('before')
    const response = await fetch(`${url}/set/after`, { headers: { cookie } })
    expect(await response.json()).toBe(id)
    expect(await get(url, cookie)).toBe('after')
    expect(await rowsOf('session')).toEqual([])
    server.close()
  })

  it('needs the ids as they are', () => {
    expect(store.hashIds).toBe(false)
  })

  it('reads a session of express-session as its JSON text', async () => {
    const { id } = await old.login('Zoë 😀')
    const record = (await store.read(id))!
    expect(json(record.payload)).toEqual(written('Zoë 😀'))
    const day = 86_400_000
    expect(Math.abs(record.expires - Date.now() - day)).toBeLessThan(60_000)
    expect(await store.list()).toEqual([id])
    expect(await store.count()).toBe(1)
  })

  it('reads it in the time zone in which connect-pg-simple wrote it', async () => {
    const abroad = await connectPostgres({ options: '-c TimeZone=Pacific/Auckland' })
    const oldAbroad = await runOldApp(abroad)
    const { id } = await oldAbroad.login('far')
    const here = new PostgresRecords({ pool: abroad!, schema: old.schema, takeOver: oldAbroad.takeOver })
    const before = (await here.read(id))!
    expect(Math.abs(before.expires - Date.now() - 86_400_000)).toBeLessThan(60_000)
    await here.touch(id, Date.now() + 10_000)
    expect(await here.read(id)).toBeDefined()
    await here.touch(id, Date.now() - 10_000)
    expect(await here.read(id)).toBeUndefined()
    oldAbroad.close()
    await abroad!.end()
  })

  it('leaves a session that is only read to express-session', async () => {
    const { id, cookie } = await old.login('both')
    await store.read(id)
    await store.read(id, Date.now() + 86_400_000 + 3_600_000)
    expect(await old.get(cookie)).toBe('both')
    expect(await rowsOf('fast_session')).toEqual([])
  })

  it('moves a session when it is written', async () => {
    const { id, cookie } = await old.login('old')
    const { version } = (await store.read(id))!
    const result = await store.write(id, bytes('ours'), {
      expires: inAMinute(),
      ifVersion: version,
      owner: 'ann',
    })
    expect(result.ok).toBe(true)
    expect(await rowsOf('session')).toEqual([])
    expect(await other.read(id)).toMatchObject({ version: (result as { version: number }).version })
    expect((await other.readOwned('ann')).map((owned) => owned.id)).toEqual([id])
    expect(await old.get(cookie)).toBeNull()
  })

  it('lets one of many move it, and shows the others what that one wrote', async () => {
    for (let round = 0; round < 10; round++) {
      const { id } = await old.login('old')
      const { version } = (await store.read(id))!
      const results = await Promise.all(
        Array.from({ length: 16 }, async (_, n) =>
          (n % 2 ? other : store).write(id, bytes(`${n}`), { expires: inAMinute(), ifVersion: version }),
        ),
      )
      const winner = results.findIndex(({ ok }) => ok)
      expect(results.filter(({ ok }) => ok)).toHaveLength(1)
      for (const result of results) {
        if (!result.ok) expect(text(result.current!.payload)).toBe(`${winner}`)
      }
    }
  })

  it('is always there for those who read while it is moved', async () => {
    for (let round = 0; round < 10; round++) {
      const { id } = await old.login('old')
      const { version } = (await store.read(id))!
      const [, ...read] = await Promise.all([
        store.write(id, bytes('ours'), { expires: inAMinute(), ifVersion: version }),
        ...Array.from({ length: 10 }, (_, n) => other.read(id, n % 2 ? inAMinute() : undefined)),
      ])
      for (const record of read) expect(record).toBeDefined()
    }
  })

  it('refuses to write over what express-session has changed since', async () => {
    const { id } = await old.login('old')
    const { version } = (await store.read(id))!
    await pool!.query(`UPDATE ${old.schema}.session SET sess = '{"value":"changed"}' WHERE sid = $1`, [id])
    const result = await store.write(id, bytes('ours'), { expires: inAMinute(), ifVersion: version })
    expect(result.ok).toBe(false)
    const { current } = result as { current: { payload: Uint8Array; version: string } }
    expect(json(current.payload)).toEqual({ value: 'changed' })
    expect(
      (await store.write(id, bytes('ours'), { expires: inAMinute(), ifVersion: current.version })).ok,
    ).toBe(true)
  })

  it('does not make a session anew that express-session has', async () => {
    const { id } = await old.login('old')
    const result = await store.write(id, bytes('ours'), { expires: inAMinute(), ifVersion: null })
    expect(result.ok).toBe(false)
    expect(json((result as { current: { payload: Uint8Array } }).current.payload)).toEqual(written('old'))
  })

  it('keeps a destroyed session destroyed, in both tables', async () => {
    const { id } = await old.login('old')
    const { version } = (await store.read(id))!
    await other.delete(id)
    expect(await rowsOf('session')).toEqual([])
    const late = await store.write(id, bytes('late'), { expires: inAMinute(), ifVersion: version })
    expect(late).toEqual({ ok: false, current: undefined })
    expect(await store.read(id)).toBeUndefined()
  })

  it('ends without a session whenever a first write and a delete meet', async () => {
    for (let round = 0; round < 30; round++) {
      const { id } = await old.login('old')
      const { version } = (await store.read(id))!
      const write = () => store.write(id, bytes('late'), { expires: inAMinute(), ifVersion: version })
      await Promise.all(round % 2 ? [write(), other.delete(id)] : [other.delete(id), write()])
      expect(await store.read(id)).toBeUndefined()
    }
  })

  it('counts what express-session has let expire as gone, and prunes it', async () => {
    const { id } = await old.login('old')
    const { version } = (await store.read(id))!
    await store.touch(id, Date.now() - 2000)
    expect(await store.read(id)).toBeUndefined()
    expect(await store.list()).toEqual([])
    expect(await store.count()).toBe(0)
    const late = await store.write(id, bytes('late'), { expires: inAMinute(), ifVersion: version })
    expect(late).toEqual({ ok: false, current: undefined })
    expect(await store.prune()).toBe(1)
    expect(await rowsOf('session')).toEqual([])
  })

  it('moves the expiry of a session that is still in the old table', async () => {
    const { id } = await old.login('old')
    const before = (await store.read(id))!
    const expires = before.expires + 3_600_000
    expect(await store.read(id, before.expires + 30_000)).toEqual(before)
    expect(await store.read(id, expires)).toEqual({ ...before, expires })
    expect(await other.read(id)).toEqual({ ...before, expires })
    await store.touch(id, expires + 1000)
    expect(await other.read(id)).toEqual({ ...before, expires: expires + 1000 })
  })

  it('clears both tables', async () => {
    const { id } = await old.login('old')
    await store.write('ours', bytes('ours'), { expires: inAMinute(), ifVersion: null })
    expect((await store.list()).sort()).toEqual([id, 'ours'].sort())
    await store.clear()
    expect(await store.list()).toEqual([])
    expect(await rowsOf('session')).toEqual([])
  })
})

const SECRET = 'a secret of at least thirty-two bytes'

async function serve(session: RequestHandler): Promise<{ server: Server; url: string }> {
  const app = express()
  app.use(session)
  app.get('/set/:value', (req, res) => {
    Object.assign(req.session, { value: req.params['value'] })
    res.json(req.sessionID)
  })
  app.get('/get', (req, res) => {
    res.json((req.session as { value?: string }).value ?? null)
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function get(url: string, cookie: string): Promise<unknown> {
  return (await fetch(`${url}/get`, { headers: { cookie } })).json()
}

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

function text(payload: Uint8Array): string {
  return new TextDecoder().decode(payload)
}

function json(payload: Uint8Array): unknown {
  return JSON.parse(text(payload))
}

function inAMinute(): number {
  return Date.now() + 60_000
}
