/** How often a request asks the server of its store: counted there, or between the store and its client. */
import { MemoryStore, type SessionOptions, type SessionStore } from 'fast-session'
import { mysqlStore } from 'fast-session/mysql'
import { postgresStore } from 'fast-session/postgres'
import { redisStore } from 'fast-session/redis'
import { createClient } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startApp, type Visitor } from './fixtures/live-app.ts'
import { connectMysql, newTable } from './fixtures/mysql-server.ts'
import { connectPostgres } from './fixtures/postgres-server.ts'
import { hasRedisServer, type RedisServer, startRedis } from './fixtures/redis-server.ts'
import { type Home, sessionStores } from './fixtures/session-stores.ts'
import { type Watched, watch } from './fixtures/watched-records.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

const read = (visitor: Visitor) => visitor.see(({ user }) => user)
const passBy = (visitor: Visitor) => visitor.ask((_req, res) => res.end())
const change = (visitor: Visitor) =>
  visitor.change((session) => {
    session.n = (session.n ?? 0) + 1
  })

/** What a store is asked, one word for each command or statement. */
interface Server {
  readonly store: SessionStore
  /** What it was asked since the last time. */
  asked(): Promise<string[]>
  close(): Promise<void>
}

async function redisServer(): Promise<Server> {
  const server: RedisServer = await startRedis()
  const client = await createClient({ url: server.url }).connect()
  const monitor = await createClient({ url: server.url }).connect()
  let log: string[] = []
  let marks = 0
  await monitor.monitor((line) => {
    // Commands that a script runs are part of the script.
    if (!String(line).includes(' lua]')) log.push(/"(.*)"$/.exec(String(line))?.[1] ?? String(line))
  })
  return {
    store: redisStore({ client }),
    async asked() {
      const mark = `mark ${marks++}`
      await client.ping(mark)
      await vi.waitFor(() => expect(log.at(-1)).toContain(mark), { timeout: 10_000, interval: 5 })
      const asked = log.slice(0, -1).map((line) => line.split('"', 1)[0]!.toLowerCase())
      log = []
      return asked
    },
    async close() {
      client.destroy()
      monitor.destroy()
      await server.stop()
    },
  }
}

/** Counts what a pool is asked to run. */
function counted<Pool extends object>(pool: Pool, methods: readonly string[], asked: string[]): Pool {
  return new Proxy(pool, {
    get(target, name) {
      const member = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        const { text, sql } = (args[0] ?? {}) as { text?: string; sql?: string }
        if (methods.includes(String(name)))
          asked.push(
            String(text ?? sql)
              .trim()
              .split(/\s/, 1)[0]!
              .toLowerCase(),
          )
        return member.apply(target, args)
      }
    },
  })
}

function since(asked: string[]): () => Promise<string[]> {
  return async () => asked.splice(0)
}

async function postgresServer(): Promise<Server> {
  const pool = (await connectPostgres())!
  const asked: string[] = []
  const table = newTable()
  return {
    store: postgresStore({ pool: counted(pool, ['query'], asked), table, pruneInterval: false }),
    asked: since(asked),
    async close() {
      await pool.query(`DROP TABLE IF EXISTS ${table}`)
      await pool.end()
    },
  }
}

async function mysqlServer(): Promise<Server> {
  const pool = (await connectMysql())!
  const asked: string[] = []
  const table = newTable()
  return {
    store: mysqlStore({ pool: counted(pool, ['execute', 'query'], asked), table, pruneInterval: false }),
    asked: since(asked),
    async close() {
      await pool.query(`DROP TABLE IF EXISTS ${table}`)
      await pool.end()
    },
  }
}

const isMissing = (name: string) => sessionStores.find((kind) => kind.name === name)!.isMissing

describe.each([
  {
    name: 'redis',
    missing: !hasRedisServer,
    open: redisServer,
    reads: ['getex'],
    writes: ['evalsha'],
    deletes: ['del'],
  },
  {
    name: 'postgres',
    missing: isMissing('postgres'),
    open: postgresServer,
    reads: ['with'],
    writes: ['with'],
    deletes: ['delete'],
  },
  {
    name: 'mysql',
    missing: isMissing('mysql'),
    open: mysqlServer,
    reads: ['select'],
    writes: ['update'],
    deletes: ['delete'],
  },
])('$name', ({ missing, open, reads, writes, deletes }) => {
  describe.skipIf(missing)('the server', () => {
    let server: Server
    beforeAll(async () => {
      server = await open()
      // The first of all requests makes the table, or loads the scripts.
      vi.useFakeTimers({ toFake: ['Date'] })
    })
    afterAll(async () => {
      vi.useRealTimers()
      await server?.close()
    })

    async function signIn(options: SessionOptions = {}, fields: object = {}): Promise<Visitor> {
      const visitor = (await startApp({ store: server.store, ...options })).visitor()
      await visitor.change((session) => Object.assign(session, { user: 'ada', ...fields }))
      await change(visitor)
      await server.asked()
      return visitor
    }

    it('is asked nothing for somebody without a cookie, or with a forged one', async () => {
      const app = await startApp({ store: server.store })
      await server.asked()
      await read(app.visitor())
      await read(app.visitor('connect.sid=s%3Aforged.signature'))
      expect(await server.asked()).toEqual([])
    })

    it('is asked once to read a session', async () => {
      const visitor = await signIn()
      for (let visits = 0; visits < 5; visits++) await read(visitor)
      expect(await server.asked()).toEqual(Array(5).fill(reads).flat())
    })

    it('is asked once where the handler never looks', async () => {
      const visitor = await signIn()
      await passBy(visitor)
      expect(await server.asked()).toEqual(reads)
    })

    it('is asked twice to change it', async () => {
      const visitor = await signIn()
      for (let visits = 0; visits < 5; visits++) await change(visitor)
      expect(await server.asked()).toEqual(
        Array(5)
          .fill([...reads, ...writes])
          .flat(),
      )
    })

    it('is asked twice to update it', async () => {
      const visitor = await signIn()
      await visitor.change((session) =>
        session.update((fresh) => {
          fresh.n = 1
        }),
      )
      expect(await server.asked()).toEqual([...reads, ...writes])
    })

    it('is asked twice to end it', async () => {
      const visitor = await signIn()
      await visitor.ask((req, res) => req.session.destroy(() => res.end()))
      expect(await server.asked()).toEqual([...reads, ...deletes])
    })

    it('is asked as often for a session of an owner', async () => {
      const visitor = await signIn({}, { owner: newTable() })
      await read(visitor)
      await change(visitor)
      expect(await server.asked()).toEqual([...reads, ...reads, ...writes])
    })

    it('is asked as often under an absolute timeout, also close to the end', async () => {
      const visitor = await signIn({ absoluteTimeout: 40 * MINUTE, idleTimeout: 39 * MINUTE })
      await read(visitor)
      await read(visitor)
      expect(await server.asked()).toEqual([...reads, ...reads])
    })

    it('is asked as often for a session with a maxAge of its own, once that is known', async () => {
      const visitor = await signIn({ cookie: { maxAge: 60 * MINUTE } })
      await visitor.change(({ cookie }) => {
        cookie.maxAge = 30 * DAY
      })
      await read(visitor)
      await server.asked()
      await read(visitor)
      await change(visitor)
      expect(await server.asked()).toEqual([...reads, ...reads, ...writes])
    })

    it('is asked once more at most where every request is to move the expiry', async () => {
      const visitor = await signIn({ touchAfter: 0 })
      vi.setSystemTime(Date.now() + 5000)
      await read(visitor)
      const asked = await server.asked()
      expect(asked[0]).toBe(reads[0])
      expect(asked.length).toBeLessThanOrEqual(2)
    })
  })
})

describe.each(sessionStores)('$name', ({ isMissing, find }) => {
  describe.skipIf(isMissing)('the store', () => {
    let home: Home
    let watched: Watched
    beforeAll(async () => {
      home = await find()
      watched = watch((await home.open({ touchAfter: 0 })).records)
    })
    afterAll(() => home?.close())
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['Date'] })
      return () => vi.useRealTimers()
    })

    const asked = () => watched.calls.splice(0).map(({ method }) => method)

    async function signIn(options: SessionOptions): Promise<Visitor> {
      const visitor = (await startApp({ store: watched.records, ...options })).visitor()
      await visitor.change((session) => Object.assign(session, { user: 'ada' }))
      await read(visitor)
      asked()
      return visitor
    }

    it('is read at most once by a request, and written only where the session changed', async () => {
      const visitor = await signIn({})
      await read(visitor)
      expect(asked()).toEqual(['read'])
      await change(visitor)
      expect(asked()).toEqual(['read', 'write'])
      await passBy(visitor)
      expect(asked().filter((method) => method !== 'read')).toEqual([])
    })

    it('hears of a session that is read all the time once per touchAfter', async () => {
      const visitor = await signIn({ idleTimeout: 60 * MINUTE, touchAfter: 5 * MINUTE })
      for (let half = 0; half < 60; half++) {
        await home.later(MINUTE / 2)
        await (half % 2 === 0 ? read(visitor) : passBy(visitor))
      }
      const moves = watched.calls.filter(
        ({ method, args }) => method === 'touch' || (method === 'read' && args[1] !== undefined),
      )
      // In 30 minutes; a move is due when the expiry is more than five minutes behind.
      expect(moves.length).toBeGreaterThanOrEqual(4)
      expect(moves.length).toBeLessThanOrEqual(6)
      expect(watched.calls.filter(({ method }) => method === 'write')).toEqual([])
    })
  })
})

describe('a store that answers at once', () => {
  it('is not asked by requests that never look at the session', async () => {
    const watched = watch(new MemoryStore().records)
    const app = await startApp({ store: watched.records })
    const visitor = app.visitor()
    await change(visitor)
    await passBy(visitor)
    watched.calls.splice(0)
    for (let visits = 0; visits < 5; visits++) await passBy(visitor)
    expect(watched.calls).toEqual([])
  })
})
