/** The same application on every session package and store: a route for each scenario. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import connectPgSimple from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import cookieSession from 'cookie-session'
import express, { type Express, type Request, type RequestHandler, type Response } from 'express'
import stock, { type SessionOptions as StockOptions } from 'express-session'
import fastSession, { MemoryStore, type SessionOptions, SessionStore, Store } from 'fast-session'
import { lmdbStore } from 'fast-session/lmdb'
import { mysqlStore } from 'fast-session/mysql'
import { postgresStore } from 'fast-session/postgres'
import { redisStore } from 'fast-session/redis'
import { getIronSession } from 'iron-session'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { createClient } from 'redis'
import { delayedRecords, delayedStore } from './delayed-store.js'
import { type ExampleSession, exampleSession } from './session-example.js'

/** What a route does with the session, and how its answer must read. */
export const SCENARIOS = {
  untouched: { path: '/untouched', body: 'untouched', visitor: 'known' },
  'new visitor': { path: '/untouched', body: 'untouched', visitor: 'new' },
  read: { path: '/read', body: 'Ada Lovelace', visitor: 'known' },
  'read, json': { path: '/read-json', body: '{"name":"Ada Lovelace","items":2}', visitor: 'known' },
  write: { path: '/write', body: 'written', visitor: 'known' },
  login: { path: '/login', body: 'logged in', visitor: 'new' },
} as const satisfies Record<string, { path: string; body: string; visitor: 'known' | 'new' }>

export type Scenario = keyof typeof SCENARIOS

/** 50 bytes: the same for all packages. cookie-session and iron-session derive their keys from it. */
export const SECRET = 'an example of a secret that is longer than 32 bytes'

export interface Contender {
  readonly app: Express
  /** The store, where the package has one. */
  readonly store?: SeededStore
  close(): Promise<unknown>
}

/** What both packages' stores understand. */
export interface SeededStore {
  set(id: string, session: object, callback: (error?: unknown) => void): void
  clear?(callback: (error?: unknown) => void): void
}

/** Where the databases of a run are; undefined: there is none. */
export interface Services {
  readonly redis?: string | undefined
  readonly postgres?: pg.PoolConfig | undefined
  /** A URL. */
  readonly mysql?: string | undefined
}

type Open = (services: Services, sessions: number | undefined) => Contender | Promise<Contender>

export const CONTENDERS = {
  'no sessions': () => nothing(),
  'no sessions, again': () => nothing(),
  'express-session, memory': () => onStock({ store: new stock.MemoryStore() }),
  'express-session, memorystore': () => {
    const Memorystore = createRequire(import.meta.url)('memorystore')(stock)
    return onStock({ store: new Memorystore({ checkPeriod: 86_400_000, max: 1e7 }) })
  },
  'express-session, delayed': () => onStock({ store: delayedStore(stock.Store) }),
  'express-session, connect-redis': async ({ redis }) => {
    const client = await createClient({ url: redis! }).connect()
    return onStock({ store: new RedisStore({ client }) }, () => client.close())
  },
  'express-session, connect-pg-simple': async ({ postgres }) => {
    const pool = new pg.Pool(postgres)
    const PgStore = connectPgSimple(stock)
    const tableName = `bench_${process.pid}`
    // Its own table.sql, but for the name of the index, of which there can be only one in a schema.
    await pool.query(`CREATE TABLE ${tableName}
      (sid varchar PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL)`)
    await pool.query(`CREATE INDEX ON ${tableName} (expire)`)
    const store = new PgStore({ pool, tableName, pruneSessionInterval: false })
    return onStock({ store }, async () => {
      await pool.query(`DROP TABLE ${tableName}`)
      await pool.end()
    })
  },
  'express-session, express-mysql-session': async (services) => {
    const pool = mysql.createPool(services.mysql!)
    const MysqlStore = createRequire(import.meta.url)('express-mysql-session')(stock)
    const table = `bench_${process.pid}`
    const store = new MysqlStore({ clearExpired: false, schema: { tableName: table } }, pool)
    await store.onReady()
    return onStock({ store }, () => dropMysql(pool, table))
  },
  'cookie-session': () => {
    const app = express().use(cookieSession({ name: 'session', keys: [SECRET], sameSite: 'lax' }))
    return { app: withRoutes(app, sessionOf), close }
  },
  'iron-session': () => ({ app: withIronRoutes(express()), close }),
  'fast-session, memory': (_services, sessions) =>
    onOurs({ store: new MemoryStore({ maxEntries: sessions, maxBytes: 2 ** 32 }) }),
  'fast-session, delayed': () => onOurs({ store: new SessionStore(delayedRecords()) }),
  'fast-session, the same delayed store': () => onOurs({ store: delayedStore(Store as never) as never }),
  'fast-session, lmdb': async () => {
    const path = await mkdtemp(join(tmpdir(), 'fast-session-bench-'))
    const store = lmdbStore({ path })
    return onOurs({ store }, async () => {
      await store.close()
      await rm(path, { recursive: true })
    })
  },
  'fast-session, redis': (services) => onRedis(services, {}),
  'fast-session, redis, touchAfter 0': (services) => onRedis(services, { touchAfter: 0 }),
  'fast-session, postgres': (services) => onPostgres(services, {}),
  'fast-session, postgres, touchAfter 0': (services) => onPostgres(services, { touchAfter: 0 }),
  'fast-session, mysql': (services) => onMysql(services, {}),
  'fast-session, mysql, touchAfter 0': (services) => onMysql(services, { touchAfter: 0 }),
} as const satisfies Record<string, Open>

export type ContenderName = keyof typeof CONTENDERS

/** `sessions`: how many the store has to have room for. Default: as many as it has by itself. */
export async function open(
  name: ContenderName,
  services: Services = {},
  sessions?: number,
): Promise<Contender> {
  const make: Open = CONTENDERS[name]
  return make(services, sessions)
}

/** The service that a contender can't do without. */
export function serviceOf(name: ContenderName): keyof Services | undefined {
  if (name.includes('redis')) return 'redis'
  if (name.includes('mysql')) return 'mysql'
  return name.includes('postgres') || name.includes('pg-simple') ? 'postgres' : undefined
}

const close = async () => {}

/** The routes, and a middleware that does nothing: what all others are measured against. */
function nothing(): Contender {
  const session = exampleSession()
  const app = express().use((_req, _res, next) => next())
  return { app: withRoutes(app, () => session), close }
}

/** With the options that both packages recommend, so that they do the same work. */
function onStock(options: Partial<StockOptions>, release: Contender['close'] = close): Contender {
  const middleware = stock({
    secret: SECRET,
    resave: false,
    saveUninitialized: false,
    cookie: { sameSite: 'lax' },
    ...options,
  })
  return { app: withRoutes(express().use(middleware), sessionOf), store: options.store!, close: release }
}

function onOurs(options: Partial<SessionOptions>, release: Contender['close'] = close): Contender {
  const middleware = fastSession({ secret: SECRET, ...options }) as RequestHandler
  return {
    app: withRoutes(express().use(middleware), sessionOf),
    store: options.store as unknown as SeededStore,
    close: release,
  }
}

/** The option of the stores: the one of the middleware does not go below a second, which no benchmark waits for. */
interface TouchOptions {
  readonly touchAfter?: number
}

async function onRedis({ redis }: Services, options: Partial<SessionOptions>): Promise<Contender> {
  const client = await createClient({ url: redis! }).connect()
  return onOurs({ store: redisStore({ client }), ...options }, () => client.close())
}

function onPostgres({ postgres }: Services, options: TouchOptions): Contender {
  const pool = new pg.Pool(postgres)
  const table = `bench_fast_${process.pid}`
  return onOurs({ store: postgresStore({ pool, table, ...options }) }, async () => {
    await pool.query(`DROP TABLE IF EXISTS ${table}`)
    await pool.end()
  })
}

function onMysql(services: Services, options: TouchOptions): Contender {
  const pool = mysql.createPool(services.mysql!)
  const table = `bench_fast_${process.pid}`
  return onOurs({ store: mysqlStore({ pool, table, ...options }) }, () => dropMysql(pool, table))
}

async function dropMysql(pool: mysql.Pool, table: string): Promise<void> {
  await pool.query(`DROP TABLE IF EXISTS ${table}`)
  await pool.end()
}

function sessionOf(req: Request): ExampleSession {
  return (req as unknown as { session: ExampleSession }).session
}

function withRoutes(app: Express, session: (req: Request) => ExampleSession): Express {
  app.get('/untouched', (_req, res) => {
    res.end('untouched')
  })
  app.get('/read', (req, res) => {
    res.end(session(req).user?.name ?? 'nobody')
  })
  app.get('/read-json', (req, res) => {
    const { user, cart } = session(req)
    res.json({ name: user?.name, items: cart?.length })
  })
  app.get('/write', (req, res) => {
    const current = session(req)
    current.views = (current.views ?? 0) + 1
    res.end('written')
  })
  app.get('/login', (req, res) => {
    Object.assign(session(req), exampleSession())
    res.end('logged in')
  })
  return app
}

function withIronRoutes(app: Express): Express {
  const options = { password: SECRET, cookieName: 'iron', cookieOptions: { secure: false } }
  const session = (req: Request, res: Response) => getIronSession<ExampleSession>(req, res, options)
  app.get('/untouched', (_req, res) => {
    res.end('untouched')
  })
  app.get('/read', async (req, res) => {
    res.end((await session(req, res)).user?.name ?? 'nobody')
  })
  app.get('/read-json', async (req, res) => {
    const { user, cart } = await session(req, res)
    res.json({ name: user?.name, items: cart?.length })
  })
  app.get('/write', async (req, res) => {
    const current = await session(req, res)
    current.views = (current.views ?? 0) + 1
    await current.save()
    res.end('written')
  })
  app.get('/login', async (req, res) => {
    const current = await session(req, res)
    Object.assign(current, exampleSession())
    await current.save()
    res.end('logged in')
  })
  return app
}
