/** Published stores with a server behind them, as they are: under this package, and across the switch to it and back. */
import '../differential/quiet.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import connectPgSimple from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import express from 'express'
import mysqlSession from 'express-mysql-session'
import { redisStore } from 'fast-session/redis'
import { createClient } from 'redis'
import sessionFileStore from 'session-file-store'
import { afterAll, describe, expect, it } from 'vitest'
import {
  type BaseStore,
  type Contender,
  express as expressSession,
  fast,
  type SessionRequest,
} from '../differential/contender.ts'
import { SECRET } from '../differential/scenario.ts'
import { connectMysql, newTable } from '../fixtures/mysql-server.ts'
import { connectPostgres } from '../fixtures/postgres-server.ts'
import { hasRedis, openRedis } from '../fixtures/redis-server.ts'
import { serve, Visitor } from './visitor.ts'

const name = newTable()
const redis = hasRedis ? await openRedis() : undefined
const client = redis && (await createClient({ url: redis.url }).connect())
const postgres = await connectPostgres()
const mysql = await connectMysql()
// The names of its index and constraint are the same for every table.
await postgres?.query(`CREATE SCHEMA ${name}`)
const folder = await mkdtemp(join(tmpdir(), 'sessions-'))

afterAll(async () => {
  for (const key of (await client?.keys(`${name}*`)) ?? []) await client?.del(key)
  client?.destroy()
  await redis?.stop()
  await postgres?.query(`DROP SCHEMA ${name} CASCADE`)
  await postgres?.end()
  await mysql?.query(`DROP TABLE IF EXISTS ${name}`)
  await mysql?.end()
  await rm(folder, { recursive: true })
})

const stores: ReadonlyArray<{ store: string; isMissing: boolean; make(contender: Contender): unknown }> = [
  {
    store: 'connect-redis',
    isMissing: client === undefined,
    make: () => new RedisStore({ client, prefix: name }),
  },
  {
    store: 'connect-pg-simple',
    isMissing: postgres === undefined,
    make: ({ session }) =>
      new (connectPgSimple(session as Parameters<typeof connectPgSimple>[0]))({
        pool: postgres!,
        schemaName: name,
        createTableIfMissing: true,
        pruneSessionInterval: false,
      }),
  },
  {
    store: 'express-mysql-session',
    isMissing: mysql === undefined,
    async make({ session }) {
      const options = { createDatabaseTable: true, clearExpired: false, schema: { tableName: name } }
      const store = new (mysqlSession(session))(options, mysql)
      await (store as { onReady(): Promise<void> }).onReady()
      return store
    },
  },
  {
    store: 'session-file-store',
    isMissing: false,
    make: ({ session }) =>
      new (sessionFileStore(session))({ path: folder, logFn() {}, retries: 0, reapInterval: -1 }),
  },
]

const sessionOf = (req: unknown) => (req as SessionRequest).session

/** Serves an app that counts visits; /again regenerates, /out destroys, /reload forgets a change. */
async function appOf({ middleware }: Contender, store: unknown): Promise<string> {
  const app = express()
  app.use(
    middleware({
      secret: SECRET,
      resave: false,
      saveUninitialized: false,
      store: store as BaseStore,
      cookie: { maxAge: 60_000 },
    }),
  )
  app.get('/again', (req, res, next) => {
    sessionOf(req).regenerate((error) => (error ? next(error) : res.json('again')))
  })
  app.get('/out', (req, res, next) => {
    sessionOf(req).destroy((error) => (error ? next(error) : res.json('out')))
  })
  app.get('/reload', (req, res, next) => {
    sessionOf(req)['views'] = 99
    sessionOf(req).reload((error) => (error ? next(error) : res.json(sessionOf(req)['views'])))
  })
  app.get('/look', (req, res) => void res.json(sessionOf(req)['views'] ?? 'none'))
  app.get('/', (req, res) => {
    sessionOf(req)['views'] = Number(sessionOf(req)['views'] ?? 0) + 1
    res.json(sessionOf(req)['views'])
  })
  return serve(app)
}

/** The same browser, on another server. */
function moved(visitor: Visitor, origin: string): Visitor {
  const there = new Visitor(origin)
  for (const [name, value] of visitor.cookies) there.cookies.set(name, value)
  return there
}

async function texts(visitor: Visitor, paths: readonly string[]): Promise<string[]> {
  const texts: string[] = []
  for (const path of paths) texts.push((await visitor.get(path)).text)
  return texts
}

describe.each(stores)('$store', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('unmodified', () => {
    it.each([expressSession, fast])('keeps the sessions of $name', async (contender) => {
      const visitor = new Visitor(await appOf(contender, await make(contender)))
      expect(
        await texts(visitor, [
          '/',
          '/',
          '/reload',
          '/look',
          '/',
          '/again',
          '/look',
          '/',
          '/out',
          '/look',
          '/',
        ]),
      ).toEqual(['1', '2', '2', '2', '3', '"again"', '"none"', '1', '"out"', '"none"', '1'])
    })

    it('hands a visitor over from express-session, and back', async () => {
      const before = await appOf(expressSession, await make(expressSession))
      const after = await appOf(fast, await make(fast))
      const visitor = new Visitor(before)
      expect(await texts(visitor, ['/', '/'])).toEqual(['1', '2'])
      const there = moved(visitor, after)
      expect(await texts(there, ['/look', '/', '/'])).toEqual(['2', '3', '4'])
      expect(await texts(moved(there, before), ['/look', '/', '/out'])).toEqual(['4', '5', '"out"'])
      expect(await texts(moved(there, after), ['/look'])).toEqual(['"none"'])
    })

    it('ends a session that is regenerated after the switch for express-session, too', async () => {
      const before = await appOf(expressSession, await make(expressSession))
      const after = await appOf(fast, await make(fast))
      const visitor = new Visitor(before)
      await texts(visitor, ['/'])
      expect(await texts(moved(visitor, after), ['/again'])).toEqual(['"again"'])
      expect(await texts(visitor, ['/look'])).toEqual(['"none"'])
    })
  })
})

describe.skipIf(client === undefined)('redisStore with hashIds: false, in the place of connect-redis', () => {
  const takeOver = async () => appOf(fast, redisStore({ client: client!, prefix: name, hashIds: false }))

  it('keeps visitors signed in', async () => {
    const visitor = new Visitor(await appOf(expressSession, new RedisStore({ client, prefix: name })))
    expect(await texts(visitor, ['/', '/'])).toEqual(['1', '2'])
    const there = moved(visitor, await takeOver())
    expect(await texts(there, ['/look', '/', '/reload', '/look'])).toEqual(['2', '3', '3', '3'])
    expect(there.cookies).toEqual(visitor.cookies)
    expect(await texts(there, ['/again', '/', '/out', '/look'])).toEqual(['"again"', '1', '"out"', '"none"'])
  })

  it('signs out whoever signs out', async () => {
    const before = await appOf(expressSession, new RedisStore({ client, prefix: name }))
    const visitor = new Visitor(before)
    await texts(visitor, ['/'])
    expect(await texts(moved(visitor, await takeOver()), ['/out'])).toEqual(['"out"'])
    expect(await texts(visitor, ['/look'])).toEqual(['"none"'])
  })
})
