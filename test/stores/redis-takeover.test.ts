import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RedisRecords } from '../../src/stores/redis.ts'
import { hasRedis, openRedis } from '../fixtures/redis-server.ts'

describe.skipIf(!hasRedis)('sessions that express-session stored through connect-redis', () => {
  // As connect-redis has it by default, but for this test alone.
  const prefix = `sess:${Math.random().toString(36).slice(2)}:`
  let redis: Awaited<ReturnType<typeof openRedis>>
  let client: ReturnType<typeof createClient>
  let theirs: RedisStore
  let ours: RedisRecords
  let server: Server

  beforeAll(async () => {
    redis = await openRedis()
    client = createClient({ url: redis.url })
    await client.connect()
    theirs = new RedisStore({ client, prefix })
    ours = new RedisRecords({ client, prefix, hashIds: false })
    const app = express()
    app.use(
      session({
        store: theirs,
        secret: 'of express-session',
        resave: false,
        saveUninitialized: false,
        cookie: { maxAge: 60_000 },
      }),
    )
    app.get('/', (req, res) => {
      const data = req.session as { user?: string; visits?: number }
      data.user ??= 'Zoë'
      data.visits = (data.visits ?? 0) + 1
      res.json({ id: req.sessionID, visits: data.visits })
    })
    server = createServer(app).listen(0)
  })
  afterAll(async () => {
    server?.close()
    await ours?.clear()
    client?.destroy()
    await redis?.stop()
  })

  const visit = async (cookie = '') => {
    const { port } = server.address() as AddressInfo
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { cookie } })
    const { id, visits } = (await response.json()) as { id: string; visits: number }
    return { id, visits, cookie: response.headers.get('set-cookie')?.split(';')[0] ?? cookie }
  }

  it('are read as the JSON that they are', async () => {
    const { id } = await visit()
    const record = (await ours.read(id))!
    expect(JSON.parse(Buffer.from(record.payload).toString())).toMatchObject({
      user: 'Zoë',
      visits: 1,
      cookie: { originalMaxAge: 60_000, httpOnly: true, path: '/' },
    })
    expect(record.expires).toBe(await client.pExpireTime(prefix + id))
    expect(await ours.list()).toContain(id)
  })

  it('have their expiry moved like any other', async () => {
    const { id, cookie } = await visit()
    const touchTo = Date.now() + 3_600_000
    expect((await ours.read(id, touchTo))?.expires).toBe(touchTo)
    await ours.touch(id, touchTo + 1)
    expect((await ours.read(id))?.expires).toBe(touchTo + 1)
    expect((await visit(cookie)).visits).toBe(2)
  })

  it('are replaced by compare-and-set, with an owner if need be', async () => {
    const { id } = await visit()
    const { version } = (await ours.read(id))!
    const expires = Date.now() + 60_000
    const payload = Buffer.from([0x80])
    expect(await ours.write(id, payload, { expires, ifVersion: version, owner: 'zoë' })).toMatchObject({
      ok: true,
    })
    expect((await ours.readOwned('zoë')).map((owned) => owned.id)).toEqual([id])
    expect((await ours.read(id))?.payload).toEqual(payload)
  })

  it('are not overwritten when express-session changed them meanwhile', async () => {
    const { id, cookie } = await visit()
    const { version } = (await ours.read(id))!
    await visit(cookie)
    const options = { expires: Date.now() + 60_000, ifVersion: version }
    const result = await ours.write(id, Buffer.from([0x80]), options)
    if (result.ok) expect.unreachable('It was overwritten.')
    expect(JSON.parse(Buffer.from(result.current!.payload).toString())).toMatchObject({ visits: 2 })
    expect(await ours.write(id, Buffer.from([0x80]), { ...options, ifVersion: null })).toMatchObject({
      ok: false,
    })
  })

  it('that were destroyed are never made anew', async () => {
    const { id } = await visit()
    const { version } = (await ours.read(id))!
    await theirs.destroy(id)
    const options = { expires: Date.now() + 60_000, ifVersion: version }
    expect(await ours.write(id, Buffer.from([0x80]), options)).toEqual({ ok: false, current: undefined })
  })

  it('are cleared together with ours', async () => {
    const { id } = await visit()
    await ours.write('ours', Buffer.from([0x80]), { expires: Date.now() + 60_000, ifVersion: null })
    expect(await ours.count()).toBeGreaterThanOrEqual(2)
    await ours.clear()
    expect(await ours.count()).toBe(0)
    expect(await theirs.get(id)).toBeNull()
  })

  it('are looked for under the prefix of connect-redis', async () => {
    const id = `fast-session-${prefix.slice(5, -1)}`
    await new RedisStore({ client }).set(id, { cookie: { originalMaxAge: null } } as session.SessionData)
    const records = new RedisRecords({ client, hashIds: false })
    expect((await records.read(id))?.payload).toEqual(Buffer.from('{"cookie":{"originalMaxAge":null}}'))
    await records.delete(id)
  })
})
