/** `fast-session/lmdb`: sessions in an embedded database, shared by all processes of one machine, no server needed. */

import { SessionStore } from './session-store.ts'
import { LmdbRecords, type LmdbRecordsOptions } from './stores/lmdb.ts'

export { LmdbRecords, type LmdbRecordsOptions }

/**
 * A store in the directory `path`, made when it does not exist. Every process of the machine may open the same one.
 * Throws SessionError `ERR_SESSION_OPTION` on a wrong option and when the package `lmdb` (version 3 or later) is
 * missing.
 */
export function lmdbStore(options: LmdbRecordsOptions): SessionStore {
  return new SessionStore(new LmdbRecords(options))
}
