/** `fast-session/mongodb`: sessions in a collection of MongoDB 4.4 or later, by the package `mongodb`. */

import { SessionStore } from './session-store.ts'
import { MongodbRecords, type MongodbRecordsOptions } from './stores/mongodb.ts'

export {
  type MongodbClient,
  type MongodbCollection,
  MongodbRecords,
  type MongodbRecordsOptions,
  mongodbIndexes,
} from './stores/mongodb.ts'

/**
 * A store in the collection `fast_session`, made and indexed when it does not exist, behind a MongoClient:
 *
 *     fastSession({ secret, store: mongodbStore({ client: new MongoClient(url) }) })
 *
 * Throws SessionError `ERR_SESSION_OPTION` on a wrong option.
 */
export function mongodbStore(options: MongodbRecordsOptions): SessionStore {
  return new SessionStore(new MongodbRecords(options))
}
