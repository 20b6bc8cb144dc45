/** The MySQL or MariaDB server of the tests: at 127.0.0.1:3306, or where MYSQL_URL says. */

import { randomBytes } from 'node:crypto'
import mysql from 'mysql2/promise'

/** A pool, or undefined where no server is: those tests are skipped then, with a warning, but never in CI. */
export async function connectMysql(options: mysql.PoolOptions = {}): Promise<mysql.Pool | undefined> {
  const uri = process.env['MYSQL_URL'] ?? 'mysql://root@127.0.0.1:3306/test'
  const pool = mysql.createPool({ uri, ...options })
  try {
    await pool.query('SELECT 1')
    return pool
  } catch (error) {
    if (process.env['CI']) throw error
    console.warn(`SKIPPED: no MySQL server can be reached: ${String(error)}`)
    return undefined
  }
}

/** A name that no other run uses. */
export function newTable(): string {
  return `t${randomBytes(8).toString('hex')}`
}
