/** The PostgreSQL server of the tests: at 127.0.0.1:5432, or where the PG… variables of its clients say. */

import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** A pool, or undefined where no server is: those tests are skipped then, with a warning, but never in CI. */
export async function connectPostgres(options: pg.PoolConfig = {}): Promise<pg.Pool | undefined> {
  const pool = new pg.Pool({
    host: process.env['PGHOST'] ?? '127.0.0.1',
    user: process.env['PGUSER'] ?? 'postgres',
    database: process.env['PGDATABASE'] ?? 'test',
    ...options,
  })
  try {
    await pool.query('SELECT 1')
    return pool
  } catch (error) {
    if (process.env['CI']) throw error
    console.warn(`SKIPPED: no PostgreSQL server can be reached: ${String(error)}`)
    return undefined
  }
}

/** A name that no other run uses. */
export function newTable(): string {
  return `t${randomBytes(8).toString('hex')}`
}
