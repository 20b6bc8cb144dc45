/** The SQL that takes over the table of connect-pg-simple: its sessions are read there, and written to ours. */

import {
  LIST_PAGE,
  ON_CONFLICT_REPLACE,
  type PostgresTable,
  qualified,
  type Statements,
  statement,
} from './postgres-statements.ts'
import { PRUNE_BATCH } from './pruning.ts'

/**
 * The statements for `table`, in front of a table `(sid, sess json, expire timestamp)` of connect-pg-simple.
 *
 * - A session that only the old table has is answered as its JSON text, under the SHA-256 of that text as version.
 * - Writing it moves it: the old row goes and ours comes in one statement, for the first writer alone.
 * - Where both tables have it, as while a process of the old version is still running, ours counts.
 * - Its `expire` is a time of day in the connection's time zone, as connect-pg-simple reads it.
 */
export function takingOver(own: Statements, table: string, takenOver: PostgresTable): Statements {
  const old = qualified(takenOver)
  const record = 'payload, version, expires'
  const text = "convert_to(sess::text, 'UTF8')"
  const hash = `encode(sha256(${text}), 'hex')`
  const expires = '(extract(epoch FROM expire::timestamptz) * 1000)::bigint'
  const oldRecord = `${text} AS payload, ${hash} AS version, ${expires} AS expires`
  const timestamp = (ms: string) => `to_timestamp(${ms}::bigint / 1000.0)`
  const own1 = (now: string) => `SELECT FROM ${table} WHERE id = $1 AND expires > ${now}`
  const ownText = 'payload, version::text, expires'

  const found = (now: string) => `
      SELECT ${ownText} FROM ${table} WHERE id = $1 AND expires > ${now}
      UNION ALL
      SELECT ${oldRecord} FROM ${old}
      WHERE sid = $1 AND expire > ${timestamp(now)} AND NOT EXISTS (${own1(now)})`

  const writtenOrFound = (now: string) => `
      SELECT NULL::bytea AS payload, version::text, NULL::bigint AS expires FROM written
      UNION ALL
      SELECT ${record} FROM (${found(now)}) AS found WHERE NOT EXISTS (SELECT FROM written)`

  return {
    ...own,

    read: statement(found('$2')),

    readAndTouch: statement(`
      WITH touched AS (
        UPDATE ${table} SET expires = $3
        WHERE id = $1 AND expires > $2 AND abs(expires - $3) >= $4
        RETURNING ${ownText}
      ), old_touched AS (
        UPDATE ${old} SET expire = ${timestamp('$3')}
        WHERE sid = $1 AND expire > ${timestamp('$2')} AND abs(${expires} - $3) >= $4
          AND NOT EXISTS (${own1('$2')})
        RETURNING ${oldRecord}
      )
      SELECT ${record} FROM touched
      UNION ALL
      SELECT ${record} FROM old_touched
      UNION ALL
      SELECT ${record} FROM (${found('$2')}) AS found
      WHERE NOT EXISTS (SELECT FROM touched) AND NOT EXISTS (SELECT FROM old_touched)`),

    insert: statement(`
      WITH written AS (
        INSERT INTO ${table} (id, payload, version, expires, owner)
        SELECT $1, $2::bytea, $3::bigint, $4::bigint, $5
        WHERE NOT EXISTS (SELECT FROM ${old} WHERE sid = $1 AND expire > ${timestamp('$6')})
        ${ON_CONFLICT_REPLACE}
        WHERE ${table}.expires <= $6
        RETURNING version
      )
      ${writtenOrFound('$6')}`),

    takeOver: statement(`
      WITH taken AS (
        DELETE FROM ${old} WHERE sid = $1 AND expire > ${timestamp('$6')} AND ${hash} = $7
        RETURNING sid
      ), written AS (
        INSERT INTO ${table} (id, payload, version, expires, owner)
        SELECT $1, $2::bytea, $3::bigint, $4::bigint, $5 FROM taken
        ${ON_CONFLICT_REPLACE}
        WHERE ${table}.expires <= $6
        RETURNING version
      )
      ${writtenOrFound('$6')}`),

    touch: statement(`
      WITH touched AS (
        UPDATE ${table} SET expires = $3 WHERE id = $1 AND expires > $2
      )
      UPDATE ${old} SET expire = ${timestamp('$3')} WHERE sid = $1 AND expire > ${timestamp('$2')}`),

    // The old row first: a write that is moving it has it locked, and its new row is there for the second.
    delete: [statement(`DELETE FROM ${old} WHERE sid = $1`), ...own.delete],

    list: [
      ...own.list,
      statement(`
      SELECT sid AS id FROM ${old} WHERE sid > $1 AND expire > ${timestamp('$2')} ORDER BY sid LIMIT ${LIST_PAGE}`),
    ],

    count: statement(`
      SELECT count(*) FROM (
        SELECT id FROM ${table} WHERE expires > $1
        UNION
        SELECT sid COLLATE "C" FROM ${old} WHERE expire > ${timestamp('$1')}
      ) AS ids`),

    clear: [statement(`DELETE FROM ${old}`), ...own.clear],

    prune: [
      ...own.prune,
      statement(`
      DELETE FROM ${old} WHERE sid IN (
        SELECT sid FROM ${old} WHERE expire <= ${timestamp('$1')} LIMIT ${PRUNE_BATCH} FOR UPDATE SKIP LOCKED
      )`),
    ],
  }
}
