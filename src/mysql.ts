/** `fast-session/mysql`: sessions in a table of MySQL 8 or MariaDB 10.6 and later, by the package `mysql2`. */

import { SessionStore } from './session-store.ts'
import { MysqlRecords, type MysqlRecordsOptions } from './stores/mysql.ts'

export {
  type MysqlClient,
  MysqlRecords,
  type MysqlRecordsOptions,
  type MysqlTable,
  mysqlMigration,
} from './stores/mysql.ts'

/**
 * A store in the table `fast_session`, made when it does not exist, behind a Pool of `mysql2`:
 *
 *     fastSession({ secret, store: mysqlStore({ pool: mysql.createPool(url) }) })
 *
 * Throws SessionError `ERR_SESSION_OPTION` on a wrong option.
 */
export function mysqlStore(options: MysqlRecordsOptions): SessionStore {
  return new SessionStore(new MysqlRecords(options))
}
