/** The record store on MySQL 8 or MariaDB 10.6 and later: one table, and nothing that only one of the two has. */

import type { EventEmitter } from 'node:events'
import { SessionError } from '../errors.ts'
import { PRUNE_BATCH, Pruning, type PruningOptions } from './pruning.ts'
import { newVersion } from './record-version.ts'
import type { RecordStore, StoredRecord, WriteOptions, WriteResult } from './store.ts'
import { checkedTouchAfter, type TouchOptions, touchSlack } from './touch-slack.ts'

/** What the store needs of a Pool or Connection of `mysql2/promise`, 3 or later. */
export interface MysqlClient {
  execute(statement: MysqlStatement): Promise<[unknown, unknown]>
  query(statement: MysqlStatement): Promise<[unknown, unknown]>
}

export interface MysqlStatement {
  sql: string
  values: MysqlValue[]
  rowsAsArray: boolean
  typeCast?(field: unknown, next: () => unknown): unknown
}

type MysqlValue = number | Buffer | null

export interface MysqlTable {
  /** The name of the table, at most 64 characters long. Default `fast_session`. */
  readonly table?: string | undefined
}

export interface MysqlRecordsOptions extends MysqlTable, TouchOptions, PruningOptions {
  /**
   * A Pool of `mysql2` or of `mysql2/promise`; it stays the caller's, who ends it. A Connection does, too, if no
   * transaction is ever open on it.
   */
  readonly pool: MysqlClient | { promise(): MysqlClient }
  /** Make the table when it turns out to be missing. Default true; false: see `mysqlMigration`. */
  readonly createTable?: boolean | undefined
  /** Prepare each statement once per connection. Default true; false for a proxy that can't. */
  readonly prepare?: boolean | undefined
  /** Store the SHA-256 of each session id in place of the id. Default true. */
  readonly hashIds?: boolean | undefined
}

/**
 * One statement per operation, but for three, since an UPDATE answers no row here: a read that moves the expiry runs
 * a second one to do so, a write that is refused one that reads what is there, and a write that meets a record of
 * its id one that replaces it if it is expired.
 */
export class MysqlRecords implements RecordStore {
  readonly name = 'mysql'
  readonly hashIds: boolean

  readonly #emitter: Partial<Pick<EventEmitter, 'on' | 'off'>>
  readonly #client: MysqlClient
  readonly #sql: ReturnType<typeof statements>
  readonly #rows: Omit<MysqlStatement, 'sql' | 'values'>
  readonly #prepare: boolean
  readonly #createTable: string | undefined
  readonly #touchAfter: number
  readonly #pruning: Pruning
  readonly #onClientError: (error: Error) => void

  /** Throws SessionError `ERR_SESSION_OPTION`. */
  constructor(options: MysqlRecordsOptions) {
    const pool = options?.pool
    const client = pool !== undefined && 'promise' in pool ? pool.promise() : pool
    if (typeof client?.execute !== 'function' || typeof client.query !== 'function') {
      throw new SessionError(
        'ERR_SESSION_OPTION',
        'The MySQL store has no connection: give a Pool of the package mysql2 as the option pool.',
      )
    }
    this.hashIds = options.hashIds ?? true
    this.#emitter = pool as object
    this.#client = client
    this.#sql = statements(quoted(options))
    this.#rows = rowsAsTheyCome(pool)
    this.#prepare = options.prepare ?? true
    this.#createTable = (options.createTable ?? true) ? mysqlMigration(options) : undefined
    this.#touchAfter = checkedTouchAfter(options)
    this.#pruning = new Pruning(options, () => this.#pruneBatch())
    // A Connection throws when it breaks while nobody uses it and nobody listens.
    this.#onClientError = options.onError ?? (() => {})
    this.#emitter.on?.('error', this.#onClientError)
  }

  async read(id: string, touchTo?: number): Promise<StoredRecord | undefined> {
    const now = Date.now()
    const record = await this.#find(id, now)
    if (record === undefined || touchTo === undefined) return record
    if (Math.abs(record.expires - touchTo) < touchSlack(this.#touchAfter, touchTo, now)) return record
    await this.touch(id, touchTo)
    return { ...record, expires: touchTo }
  }

  async write(id: string, payload: Uint8Array, options: WriteOptions): Promise<WriteResult> {
    const version = newVersion()
    const written =
      options.ifVersion === null
        ? await this.#insert(id, payload, version, options)
        : await this.#replace(id, payload, version, options)
    if (written) return { ok: true, version }
    const current = await this.#find(id, Date.now())
    // The record that was in the way of a new one has gone since.
    if (current === undefined && options.ifVersion === null) return this.write(id, payload, options)
    return { ok: false, current }
  }

  async touch(id: string, expires: number): Promise<void> {
    await this.#change(this.#sql.touch, [expires, Buffer.from(id), Date.now()])
  }

  async delete(id: string): Promise<void> {
    await this.#change(this.#sql.delete, [Buffer.from(id)])
  }

  async list(): Promise<string[]> {
    const now = Date.now()
    const ids: string[] = []
    let page: Row[]
    let last: Buffer = Buffer.alloc(0)
    do {
      page = await this.#select(this.#sql.list, [last, now])
      for (const { id } of page) ids.push(id.toString())
      last = page.at(-1)?.id ?? last
    } while (page.length === LIST_PAGE)
    return ids
  }

  async count(): Promise<number> {
    return Number((await this.#select(this.#sql.count, [Date.now()]))[0]!.count)
  }

  async clear(): Promise<void> {
    await this.#change(this.#sql.clear, [])
  }

  async readOwned(owner: string): Promise<Array<{ id: string; record: StoredRecord }>> {
    const rows = await this.#select(this.#sql.readOwned, [Buffer.from(owner), Date.now()])
    return rows.map((row) => ({ id: row.id.toString(), record: toRecord(row) }))
  }

  deleteOwned(owner: string, except?: string): Promise<number> {
    return this.#change(this.#sql.deleteOwned, [Buffer.from(owner), Date.now(), bytesOrNull(except)])
  }

  /** Deletes what has expired from the table, in batches, and answers how many records that were. */
  prune(): Promise<number> {
    return this.#pruning.run()
  }

  async close(): Promise<void> {
    await this.#pruning.stop()
    this.#emitter.off?.('error', this.#onClientError)
  }

  async #find(id: string, now: number): Promise<StoredRecord | undefined> {
    const [row] = await this.#select(this.#sql.read, [Buffer.from(id), now])
    return row && toRecord(row)
  }

  /**
   * No INSERT … ON DUPLICATE KEY UPDATE: with mysql2 (CLIENT_FOUND_ROWS) it counts a record that was made and one
   * that was left alone the same.
   */
  async #insert(
    id: string,
    payload: Uint8Array,
    version: number,
    { expires, owner }: WriteOptions,
  ): Promise<boolean> {
    const record = [asBuffer(payload), version, expires, bytesOrNull(owner), Buffer.from(id)]
    try {
      await this.#change(this.#sql.insert, record)
      return true
    } catch (error) {
      if (numberOf(error) !== DUPLICATE_ENTRY) throw error
      return (await this.#change(this.#sql.replaceExpired, [...record, Date.now()])) === 1
    }
  }

  async #replace(
    id: string,
    payload: Uint8Array,
    version: number,
    { expires, owner, ifVersion }: WriteOptions,
  ): Promise<boolean> {
    const record = [asBuffer(payload), version, expires, bytesOrNull(owner), Buffer.from(id)]
    return (await this.#change(this.#sql.replace, [...record, Date.now(), Number(ifVersion)])) === 1
  }

  /**
   * By id, so that only the rows themselves are locked: a range of expiries, or of the table, would keep new records
   * out of it until the statement is done.
   */
  async #pruneBatch(): Promise<number> {
    const now = Date.now()
    const expired = await this.#select(this.#sql.expired, [now])
    if (expired.length === 0) return 0
    const places = expired.map(() => '?').join()
    const ids = expired.map(({ id }) => id)
    return this.#change(`${this.#sql.deleteExpired} (${places})`, [now, ...ids], false)
  }

  async #select(sql: string, values: MysqlValue[]): Promise<Row[]> {
    return (await this.#run(sql, values, this.#prepare)) as Row[]
  }

  /** Answers how many rows there were to change. */
  async #change(sql: string, values: MysqlValue[], prepare = this.#prepare): Promise<number> {
    return ((await this.#run(sql, values, prepare)) as { affectedRows: number }).affectedRows
  }

  /** Makes the table if it is missing; runs again what lost against others and so was undone as a whole. */
  async #run(sql: string, values: MysqlValue[], prepare: boolean): Promise<unknown> {
    const statement = { sql, values, ...this.#rows }
    for (let attempt = 1; ; attempt++) {
      try {
        const [result] = await (prepare ? this.#client.execute(statement) : this.#client.query(statement))
        return result
      } catch (error) {
        const number = numberOf(error)
        if (attempt === ATTEMPTS) throw error
        if (number === NO_SUCH_TABLE && this.#createTable !== undefined && attempt === 1) {
          await this.#client.query({ sql: this.#createTable, values: [], ...this.#rows })
        } else if (number !== DEADLOCK && number !== CHANGED_SINCE_READ) throw error
      }
    }
  }
}

/**
 * The SQL that makes the table, for those who create tables by migrations: pass `createTable: false` to the store
 * then. Ids and owners are bytes: every collation takes some of them for alike. Throws SessionError
 * `ERR_SESSION_OPTION` for an impossible name.
 */
export function mysqlMigration(options: MysqlTable = {}): string {
  return `CREATE TABLE IF NOT EXISTS ${quoted(options)} (
  id VARBINARY(768) NOT NULL PRIMARY KEY,
  payload LONGBLOB NOT NULL,
  version BIGINT NOT NULL,
  expires BIGINT NOT NULL COMMENT 'ms since the epoch',
  owner VARBINARY(768),
  KEY expires (expires),
  KEY owner (owner)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
`
}

/** Times are ms since the epoch by the clock of the caller, `now` among them: all expiries come from there. */
function statements(table: string) {
  const record = 'payload, version, expires'
  const change = `UPDATE ${table} SET payload = ?, version = ?, expires = ?, owner = ? WHERE id = ?`
  return {
    read: `SELECT ${record} FROM ${table} WHERE id = ? AND expires > ?`,
    insert: `INSERT INTO ${table} (payload, version, expires, owner, id) VALUES (?, ?, ?, ?, ?)`,
    replaceExpired: `${change} AND expires <= ?`,
    replace: `${change} AND expires > ? AND version = ?`,
    touch: `UPDATE ${table} SET expires = ? WHERE id = ? AND expires > ?`,
    delete: `DELETE FROM ${table} WHERE id = ?`,
    list: `SELECT id FROM ${table} WHERE id > ? AND expires > ? ORDER BY id LIMIT ${LIST_PAGE}`,
    count: `SELECT COUNT(*) AS count FROM ${table} WHERE expires > ?`,
    clear: `DELETE FROM ${table}`,
    readOwned: `SELECT id, ${record} FROM ${table} WHERE owner = ? AND expires > ?`,
    deleteOwned: `DELETE FROM ${table} WHERE owner = ? AND expires > ? AND NOT (id <=> ?)`,
    expired: `SELECT id FROM ${table} WHERE expires <= ? ORDER BY expires LIMIT ${PRUNE_BATCH}`,
    deleteExpired: `DELETE s FROM ${table} AS s FORCE INDEX (PRIMARY) WHERE expires <= ? AND id IN`,
  }
}

/**
 * Whatever the pool is told to make of rows and columns. A `typeCast` of its own is answered by one that does nothing,
 * and only then: any adds a quarter to the client's time for a read (mysql2 3.24).
 */
function rowsAsTheyCome(client: object): Omit<MysqlStatement, 'sql' | 'values'> {
  const { pool, connection } = client as { pool?: object; connection?: object }
  const { config } = (pool ?? connection ?? client) as {
    config?: { typeCast?: unknown; connectionConfig?: { typeCast?: unknown } }
  }
  const typeCast = config?.connectionConfig?.typeCast ?? config?.typeCast
  if (typeof typeCast !== 'function') return { rowsAsArray: false }
  return { rowsAsArray: false, typeCast: (_field, next) => next() }
}

const LIST_PAGE = 1000

/** How often a statement is run at most, when each time it loses against others. */
const ATTEMPTS = 10

// https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
const DUPLICATE_ENTRY = 1062
const NO_SUCH_TABLE = 1146
const DEADLOCK = 1213
/** MariaDB 11.6 and later, for a transaction whose snapshot is older than the row. */
const CHANGED_SINCE_READ = 1020

/** A row of whichever statement; whether a BIGINT is a number or a text is up to the user of `mysql2`. */
interface Row {
  readonly id: Buffer
  readonly payload: Buffer
  readonly version: number | string
  readonly expires: number | string
  readonly count: number | string
}

function toRecord({ payload, version, expires }: Row): StoredRecord {
  return { payload, version: Number(version), expires: Number(expires) }
}

function asBuffer(payload: Uint8Array): Buffer {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
}

function bytesOrNull(text: string | undefined): Buffer | null {
  return text === undefined ? null : Buffer.from(text)
}

function numberOf(error: unknown): unknown {
  return (error as { errno?: unknown }).errno
}

/** https://dev.mysql.com/doc/refman/8.4/en/identifiers.html: no NUL, no surrogates, no space at the end. */
function quoted({ table = 'fast_session' }: MysqlTable): string {
  if (
    typeof table === 'string' &&
    /^[^\ud800-\udfff]{0,63}[^\ud800-\udfff\s]$/.test(table) &&
    !table.includes('\0')
  )
    return `\`${table.replaceAll('`', '``')}\``
  throw new SessionError(
    'ERR_SESSION_OPTION',
    `The option table of the MySQL store is ${JSON.stringify(table)}; give a name of 1 to 64 characters.`,
  )
}
