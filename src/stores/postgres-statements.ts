/** The SQL of the PostgreSQL store: one statement per operation, on one table. */

import { createHash } from 'node:crypto'
import { SessionError } from '../errors.ts'
import { PRUNE_BATCH } from './pruning.ts'

/** A table as it is named to users. */
export interface PostgresTable {
  /** Its name, at most 50 bytes long. Default `fast_session`. */
  readonly table?: string | undefined
  /** The schema that it is in. Default: the first of the connection's search path. */
  readonly schema?: string | undefined
}

/** A statement under the name that it is prepared by. */
export interface Statement {
  readonly name: string
  readonly text: string
}

/**
 * What the operations run, with their parameters. Times are ms since the epoch by the clock of the caller, `now`
 * among them: all expiries come from there, so a server with another time of day ends no session early.
 *
 * The rows of `read`, `readAndTouch`, `insert`, `replace` and `takeOver` are Rows: see postgres.ts.
 */
export interface Statements {
  /** `$1` id, `$2` now. */
  readonly read: Statement
  /** `$1` id, `$2` now, `$3` the new expiry, `$4` how far the old one must be from it to be moved. */
  readonly readAndTouch: Statement
  /** `$1` id, `$2` payload, `$3` new version, `$4` expires, `$5` owner, `$6` now. */
  readonly insert: Statement
  /** As `insert`, and `$7` the version that must still be there. */
  readonly replace: Statement
  /** As `replace`, of a session that express-session made. */
  readonly takeOver?: Statement
  /** `$1` id, `$2` now, `$3` the new expiry. */
  readonly touch: Statement
  /** `$1` id; to be run in this order. */
  readonly delete: readonly Statement[]
  /** `$1` the id to go on after, `$2` now; each to be run until it answers fewer than LIST_PAGE ids. */
  readonly list: readonly Statement[]
  /** `$1` now. */
  readonly count: Statement
  /** To be run in this order. */
  readonly clear: readonly Statement[]
  /** `$1` owner, `$2` now. */
  readonly readOwned: Statement
  /** `$1` owner, `$2` now, `$3` an id to spare or null. */
  readonly deleteOwned: Statement
  /** `$1` now; each deletes at most PRUNE_BATCH records. */
  readonly prune: readonly Statement[]
}

export const LIST_PAGE = 1000

/** The statements for a table whose name is quoted already. */
export function ownStatements(table: string): Statements {
  const record = 'payload, version, expires'
  return {
    read: statement(`
      SELECT ${record} FROM ${table} WHERE id = $1 AND expires > $2`),

    // The update finds nothing to do unless the expiry is stale: no row version, no lock and no log then, and
    // 10 to 20 % more time than the read alone (Node 20, local server).
    readAndTouch: statement(`
      WITH touched AS (
        UPDATE ${table} SET expires = $3
        WHERE id = $1 AND expires > $2 AND abs(expires - $3) >= $4
        RETURNING ${record}
      )
      SELECT ${record} FROM touched
      UNION ALL
      SELECT ${record} FROM ${table} WHERE id = $1 AND expires > $2 AND NOT EXISTS (SELECT FROM touched)`),

    // Of the two that write, what is there instead comes from the snapshot in which the statement began. That may
    // be older than the record for which the writing waited: the caller sees it and reads again. Locking the row
    // to see the newest in one statement took twice as long where 32 clients fought over one record.
    insert: statement(`
      WITH written AS (
        INSERT INTO ${table} (id, payload, version, expires, owner) VALUES ($1, $2, $3, $4, $5)
        ${ON_CONFLICT_REPLACE}
        WHERE ${table}.expires <= $6
        RETURNING version
      )
      SELECT NULL::bytea AS payload, version, NULL::bigint AS expires FROM written
      UNION ALL
      SELECT ${record} FROM ${table} WHERE id = $1 AND expires > $6 AND NOT EXISTS (SELECT FROM written)`),

    replace: statement(`
      WITH written AS (
        UPDATE ${table} SET payload = $2, version = $3, expires = $4, owner = $5
        WHERE id = $1 AND expires > $6 AND version = $7
        RETURNING version
      )
      SELECT NULL::bytea AS payload, version, NULL::bigint AS expires FROM written
      UNION ALL
      SELECT ${record} FROM ${table} WHERE id = $1 AND expires > $6 AND NOT EXISTS (SELECT FROM written)`),

    touch: statement(`
      UPDATE ${table} SET expires = $3 WHERE id = $1 AND expires > $2`),

    delete: [
      statement(`
      DELETE FROM ${table} WHERE id = $1`),
    ],

    list: [
      statement(`
      SELECT id FROM ${table} WHERE id > $1 AND expires > $2 ORDER BY id LIMIT ${LIST_PAGE}`),
    ],

    count: statement(`
      SELECT count(*) FROM ${table} WHERE expires > $1`),

    clear: [
      statement(`
      DELETE FROM ${table}`),
    ],

    readOwned: statement(`
      SELECT id, ${record} FROM ${table} WHERE owner = $1 AND expires > $2`),

    deleteOwned: statement(`
      DELETE FROM ${table} WHERE owner = $1 AND expires > $2 AND id IS DISTINCT FROM $3`),

    // Rows that someone else works on, a second process that prunes for instance, are left to them.
    prune: [
      statement(`
      DELETE FROM ${table} WHERE id IN (
        SELECT id FROM ${table} WHERE expires_hour <= $1::bigint / ${HOUR} AND expires <= $1
        LIMIT ${PRUNE_BATCH} FOR UPDATE SKIP LOCKED
      )`),
    ],
  }
}

/** To be followed by the condition that the record in the way is expired. */
export const ON_CONFLICT_REPLACE = `ON CONFLICT (id) DO UPDATE SET
          payload = excluded.payload, version = excluded.version, expires = excluded.expires, owner = excluded.owner`

/**
 * The table. Moving an expiry within the hour changes no index: such an update stays within its page (HOT), writes a
 * quarter less log and leaves the indexes nothing to clean up.
 */
export function createTableStatements({ table = TABLE, schema }: PostgresTable): string {
  const name = qualified({ table, schema })
  return `CREATE TABLE IF NOT EXISTS ${name} (
  id text COLLATE "C" PRIMARY KEY,
  payload bytea NOT NULL,
  version bigint NOT NULL,
  expires bigint NOT NULL, -- ms since the epoch
  owner text COLLATE "C",
  expires_hour bigint GENERATED ALWAYS AS (expires / ${HOUR}) STORED
);
CREATE INDEX IF NOT EXISTS ${quoted(`${table}_expires`)} ON ${name} (expires_hour);
CREATE INDEX IF NOT EXISTS ${quoted(`${table}_owner`)} ON ${name} (owner) WHERE owner IS NOT NULL;
`
}

/** A table's name as it stands in SQL. */
export function qualified({ table = TABLE, schema }: PostgresTable): string {
  const name = quoted(identifier('table', table, 50))
  return schema === undefined ? name : `${quoted(identifier('schema', schema, 63))}.${name}`
}

export function statement(text: string): Statement {
  return { text, name: `fast_session_${createHash('sha256').update(text).digest('hex').slice(0, 16)}` }
}

const TABLE = 'fast_session'

/** In ms. */
const HOUR = 3_600_000

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** PostgreSQL would cut a longer name off in silence, after 63 bytes; those of the indexes need some of them. */
function identifier(option: string, name: string, longest: number): string {
  if (typeof name === 'string' && name !== '' && !name.includes('\0') && Buffer.byteLength(name) <= longest)
    return name
  throw new SessionError(
    'ERR_SESSION_OPTION',
    `The option ${option} of the PostgreSQL store is ${JSON.stringify(name)}; give a name of 1 to ${longest} bytes.`,
  )
}
