/** `fast-session/postgres`: sessions in a table of PostgreSQL 12 or later, by the package `pg`. */

import { SessionStore } from './session-store.ts'
import { PostgresRecords, type PostgresRecordsOptions } from './stores/postgres.ts'

export {
  type PostgresClient,
  PostgresRecords,
  type PostgresRecordsOptions,
  type PostgresTable,
  postgresMigration,
} from './stores/postgres.ts'

/**
 * A store in the table `fast_session`, made when it does not exist, behind a Pool of `pg`:
 *
 *     fastSession({ secret, store: postgresStore({ pool: new pg.Pool() }) })
 *
 * Throws SessionError `ERR_SESSION_OPTION` on a wrong option.
 */
export function postgresStore(options: PostgresRecordsOptions): SessionStore {
  return new SessionStore(new PostgresRecords(options))
}
