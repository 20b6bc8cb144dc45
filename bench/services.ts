/** The databases of a benchmark: those that the environment names, or servers that are started for it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { createClient } from 'redis'
import type { Services } from './contenders.js'

export interface OpenServices extends Services {
  /** What is left out, and why. */
  readonly missing: readonly string[]
  /** What runs, for the report. */
  readonly versions: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/**
 * Redis at REDIS_URL, or a redis-server of its own; PostgreSQL at 127.0.0.1, or where the PG… variables say; MySQL or
 * MariaDB at MYSQL_URL, or at 127.0.0.1.
 */
export async function openServices(): Promise<OpenServices> {
  const missing: string[] = []
  const versions: Record<string, string> = {}
  const redis = await openRedis()
  if (typeof redis === 'string') missing.push(redis)
  else versions['redis-server'] = redis.version
  const postgres: pg.PoolConfig = {
    host: process.env['PGHOST'] ?? '127.0.0.1',
    user: process.env['PGUSER'] ?? 'postgres',
    database: process.env['PGDATABASE'] ?? 'test',
  }
  const postgresVersion = await versionOf(postgres).catch((error) => {
    missing.push(`PostgreSQL (${error.code ?? error.message})`)
    return undefined
  })
  if (postgresVersion !== undefined) versions['PostgreSQL'] = postgresVersion
  const mysqlUrl = process.env['MYSQL_URL'] ?? 'mysql://root@127.0.0.1:3306/test'
  const mysqlVersion = await mysqlVersionOf(mysqlUrl).catch((error) => {
    missing.push(`MySQL or MariaDB (${error.code ?? error.message})`)
    return undefined
  })
  if (mysqlVersion !== undefined) versions['MySQL or MariaDB'] = mysqlVersion
  for (const what of missing) console.error(`\n*** LEFT OUT: ${what} cannot be reached ***\n`)
  return {
    redis: typeof redis === 'string' ? undefined : redis.url,
    postgres: postgresVersion === undefined ? undefined : postgres,
    mysql: mysqlVersion === undefined ? undefined : mysqlUrl,
    missing,
    versions,
    stop: async () => {
      if (typeof redis !== 'string') await redis.stop()
    },
  }
}

interface OpenRedis {
  readonly url: string
  readonly version: string
  stop(): Promise<void>
}

/** A Redis, or what is missing. */
async function openRedis(): Promise<OpenRedis | string> {
  const given = process.env['REDIS_URL']
  if (given !== undefined) return { url: given, version: await redisVersion(given), stop: async () => {} }
  const port = await freePort()
  const dir = await mkdtemp(join(tmpdir(), 'fast-session-bench-redis-'))
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    dir,
    '--save',
    '',
    '--appendonly',
    'no',
  ]
  const server = spawn('redis-server', args, { stdio: 'ignore' })
  const stop = async () => {
    server.kill('SIGKILL')
    await rm(dir, { recursive: true, force: true })
  }
  const url = `redis://127.0.0.1:${port}`
  if (!(await starts(server))) {
    await stop()
    return 'Redis (no REDIS_URL, no redis-server on the PATH)'
  }
  process.once('exit', () => server.kill('SIGKILL'))
  return { url, version: await redisVersion(url), stop }
}

function starts(server: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.once('exit', () => resolve(false))
    server.once('spawn', () => resolve(sleep(300).then(() => server.exitCode === null)))
  })
}

async function redisVersion(url: string): Promise<string> {
  const client = await createClient({ url }).connect()
  const info = await client.info('server')
  client.destroy()
  return /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown'
}

async function versionOf(config: pg.PoolConfig): Promise<string> {
  const client = new pg.Client({ ...config, connectionTimeoutMillis: 2000 })
  await client.connect()
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
  await client.end()
  return rows[0]?.server_version ?? 'unknown'
}

async function mysqlVersionOf(url: string): Promise<string> {
  const connection = await mysql.createConnection({ uri: url, connectTimeout: 2000 })
  const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT VERSION() AS version')
  await connection.end()
  return String(rows[0]?.['version'] ?? 'unknown')
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
