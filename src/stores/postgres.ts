/** The record store on PostgreSQL (12 or later): one table, one statement per operation. */

import { SessionError } from '../errors.ts'
import {
  createTableStatements,
  LIST_PAGE,
  ownStatements,
  type PostgresTable,
  qualified,
  type Statement,
  type Statements,
} from './postgres-statements.ts'
import { takingOver } from './postgres-takeover.ts'
import { Pruning, type PruningOptions } from './pruning.ts'
import { newVersion } from './record-version.ts'
import type { RecordStore, StoredRecord, WriteOptions, WriteResult } from './store.ts'
import { checkedTouchAfter, type TouchOptions, touchSlack } from './touch-slack.ts'

export type { PostgresTable } from './postgres-statements.ts'

/** What the store needs of a Pool or Client of the package `pg`, 8 or later, or of anything with the same query(). */
export interface PostgresClient {
  query(query: {
    text: string
    name?: string | undefined
    values?: unknown[]
  }): Promise<{ rows: Row[]; rowCount: number | null }>
  on?(event: 'error', listener: (error: Error) => void): unknown
  off?(event: 'error', listener: (error: Error) => void): unknown
}

export interface PostgresRecordsOptions extends PostgresTable, TouchOptions, PruningOptions {
  /** A Pool of `pg`. It stays the caller's, who ends it. */
  readonly pool?: PostgresClient | undefined
  /** In place of a pool: a connected Client of `pg`. Its statements wait for each other. */
  readonly client?: PostgresClient | undefined
  /** Make the table when it turns out to be missing. Default true; false: see `postgresMigration`. */
  readonly createTable?: boolean | undefined
  /** Prepare each statement once per connection. Default true; false for a pooler that can't (PgBouncer < 1.21). */
  readonly prepare?: boolean | undefined
  /** Store the SHA-256 of each session id in place of the id. Default true, but with `takeOver` false. */
  readonly hashIds?: boolean | undefined
  /**
   * The table of connect-pg-simple, whose sessions go on here: they are read there by their plain id, moved by the
   * first write, deleted in both tables. No process may go on writing to it with connect-pg-simple.
   */
  readonly takeOver?: string | PostgresTable | undefined
}

export class PostgresRecords implements RecordStore {
  readonly name = 'postgres'
  readonly hashIds: boolean

  readonly #client: PostgresClient
  readonly #statements: Statements
  readonly #prepare: boolean
  readonly #createTable: string | undefined
  readonly #touchAfter: number
  readonly #pruning: Pruning
  readonly #onClientError: (error: Error) => void
  #creating: Promise<unknown> | undefined
  /** The last statement of a single connection, done or not. */
  #queue: Promise<unknown> | undefined

  /** Throws SessionError `ERR_SESSION_OPTION`. */
  constructor(options: PostgresRecordsOptions = {}) {
    const client = options.pool ?? options.client
    if (typeof client?.query !== 'function') {
      throw new SessionError(
        'ERR_SESSION_OPTION',
        'The PostgreSQL store has no connection: give a Pool of the package pg as the option pool.',
      )
    }
    this.#client = client
    if (options.pool === undefined) this.#queue = Promise.resolve()
    const table = qualified(options)
    const own = ownStatements(table)
    const { takeOver, hashIds = takeOver === undefined } = options
    if (takeOver !== undefined && hashIds) {
      throw new SessionError(
        'ERR_SESSION_OPTION',
        'The PostgreSQL store cannot take over a table whose ids are not hashed: leave out hashIds: true.',
      )
    }
    this.hashIds = hashIds
    this.#statements =
      takeOver === undefined
        ? own
        : takingOver(own, table, typeof takeOver === 'string' ? { table: takeOver } : takeOver)
    this.#prepare = options.prepare ?? true
    this.#createTable = (options.createTable ?? true) ? createTableStatements(options) : undefined
    this.#touchAfter = checkedTouchAfter(options)
    this.#pruning = new Pruning(options, () => this.#pruneBatch())
    // A Pool throws when a connection breaks while nobody uses it and nobody listens; the next query gets another.
    this.#onClientError = options.onError ?? (() => {})
    client.on?.('error', this.#onClientError)
  }

  async read(id: string, touchTo?: number): Promise<StoredRecord | undefined> {
    const now = Date.now()
    if (touchTo === undefined) return toRecord(await this.#row(this.#statements.read, [id, now]))
    const slack = touchSlack(this.#touchAfter, touchTo, now)
    const record = toRecord(await this.#row(this.#statements.readAndTouch, [id, now, touchTo, slack]))
    // Stale all the same: another client moved it while this one waited for the row, and the snapshot is older.
    const isStale = record !== undefined && Math.abs(record.expires - touchTo) >= slack
    return isStale ? this.read(id) : record
  }

  async write(id: string, payload: Uint8Array, options: WriteOptions): Promise<WriteResult> {
    const { expires, ifVersion, owner = null } = options
    const version = newVersion()
    const values = [id, payload, version, expires, owner, Date.now()]
    const current = toRecord(
      ifVersion === null
        ? await this.#row(this.#statements.insert, values)
        : await this.#row(this.#replacing(ifVersion), [...values, ifVersion]),
    )
    if (current?.version === version) return { ok: true, version }
    const isStale = (current?.version ?? null) === ifVersion
    if (!isStale) return { ok: false, current }
    const newer = await this.read(id)
    // The record that was in the way of a new one has gone since.
    if (newer === undefined && ifVersion === null) return this.write(id, payload, options)
    return { ok: false, current: newer }
  }

  async touch(id: string, expires: number): Promise<void> {
    await this.#query(this.#statements.touch, [id, Date.now(), expires])
  }

  async delete(id: string): Promise<void> {
    for (const statement of this.#statements.delete) await this.#query(statement, [id])
  }

  async list(): Promise<string[]> {
    const now = Date.now()
    const ids = new Set<string>()
    for (const statement of this.#statements.list) {
      let page: Row[]
      let last = ''
      do {
        page = (await this.#query(statement, [last, now])).rows
        for (const { id } of page) ids.add(id)
        last = page.at(-1)?.id ?? last
      } while (page.length === LIST_PAGE)
    }
    return [...ids]
  }

  async count(): Promise<number> {
    return Number((await this.#row(this.#statements.count, [Date.now()]))!.count)
  }

  async clear(): Promise<void> {
    for (const statement of this.#statements.clear) await this.#query(statement, [])
  }

  async readOwned(owner: string): Promise<Array<{ id: string; record: StoredRecord }>> {
    const { rows } = await this.#query(this.#statements.readOwned, [owner, Date.now()])
    return rows.map((row) => ({ id: row.id, record: toRecord(row)! }))
  }

  async deleteOwned(owner: string, except?: string): Promise<number> {
    const values = [owner, Date.now(), except ?? null]
    return (await this.#query(this.#statements.deleteOwned, values)).rowCount ?? 0
  }

  /** Deletes what has expired from the table, in batches, and answers how many records that were. */
  prune(): Promise<number> {
    return this.#pruning.run()
  }

  async close(): Promise<void> {
    await this.#pruning.stop()
    this.#client.off?.('error', this.#onClientError)
  }

  /** Versions of ours are numbers; a session of express-session has a text for one. */
  #replacing(ifVersion: NonNullable<WriteOptions['ifVersion']>): Statement {
    const { takeOver, replace } = this.#statements
    return typeof ifVersion === 'string' && takeOver !== undefined ? takeOver : replace
  }

  async #pruneBatch(): Promise<number> {
    let deleted = 0
    for (const statement of this.#statements.prune) {
      deleted += (await this.#query(statement, [Date.now()])).rowCount ?? 0
    }
    return deleted
  }

  async #row(statement: Statement, values: unknown[]): Promise<Row | undefined> {
    return (await this.#query(statement, values)).rows[0]
  }

  /** Makes the table if it is missing; runs again what lost against others and so was undone as a whole. */
  async #query({ name, text }: Statement, values: unknown[]): ReturnType<PostgresClient['query']> {
    const query = { name: this.#prepare ? name : undefined, text, values }
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#inTurn(query)
      } catch (error) {
        const { code } = error as { code?: unknown }
        if (attempt === ATTEMPTS) throw error
        if (code === UNDEFINED_TABLE && this.#createTable !== undefined && attempt === 1) {
          await this.#create(this.#createTable)
        } else if (code !== SERIALIZATION_FAILURE && code !== DEADLOCK_DETECTED) throw error
      }
    }
  }

  #inTurn(query: { text: string; name?: string | undefined; values?: unknown[] }) {
    if (this.#queue === undefined) return this.#client.query(query)
    const turn = this.#queue.then(() => this.#client.query(query))
    this.#queue = turn.catch(() => {})
    return turn
  }

  /** The lock keeps processes that start together from making the table at once, at which IF NOT EXISTS fails. */
  async #create(table: string): Promise<void> {
    const lock = `SELECT pg_advisory_xact_lock(${CREATE_LOCK});\n`
    this.#creating ??= this.#inTurn({ text: lock + table }).finally(() => {
      this.#creating = undefined
    })
    await this.#creating
  }
}

/**
 * The SQL that makes the table and its indexes, for those who create tables by migrations: pass
 * `createTable: false` to the store then. Throws SessionError `ERR_SESSION_OPTION` for an impossible name.
 */
export function postgresMigration(options: PostgresTable = {}): string {
  return createTableStatements(options)
}

/** How often a statement is run at most, when each time it loses against others. */
const ATTEMPTS = 10

/** Any number that no one else is likely to lock: `fast_ses` in ASCII. */
const CREATE_LOCK = '7377304608264381811'

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const UNDEFINED_TABLE = '42P01'
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK_DETECTED = '40P01'

/** A row of whichever statement; how its BIGINTs are parsed, as text by default, is up to the user of `pg`. */
interface Row {
  readonly id: string
  readonly payload: Uint8Array
  readonly version: string | number | bigint
  readonly expires: string | number | bigint
  readonly count: string | number | bigint
}

/** The length of a SHA-256 in hex: see postgres-takeover.ts. No number has as many digits. */
const TAKEN_OVER_VERSION = 64

function toRecord(row: Row | undefined): StoredRecord | undefined {
  if (row === undefined) return undefined
  const { payload, version } = row
  const isTakenOver = typeof version === 'string' && version.length === TAKEN_OVER_VERSION
  return { payload, version: isTakenOver ? version : Number(version), expires: Number(row.expires) }
}
