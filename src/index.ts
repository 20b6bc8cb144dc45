/** The public face of the package. */
import { fastSession } from './middleware.ts'

export { Cookie, type CookieAttributes, type CookieOptions } from './cookie.ts'
export type { EngineName } from './engine/engine.ts'
export { SessionError, type SessionErrorCode } from './errors.ts'
export type { LifetimeOptions } from './lifetime.ts'
export { MemoryStore, type MemoryStoreOptions } from './memory-store.ts'
export type { MergeConflict } from './merge.ts'
export { fastSession, type RequestOf, type SessionMiddleware } from './middleware.ts'
export type { RequestCallback, SessionOptions } from './options.ts'
export { type RegenerateOptions, Session } from './session.ts'
export * from './session-data.ts'
export { type OwnedSession, SessionStore, type StoredSession } from './session-store.ts'
export { Store } from './store.ts'
export type { ExpressStore } from './stores/express-store.ts'
export type { RecordStore, StoredRecord, WriteOptions, WriteResult } from './stores/store.ts'
export default fastSession
// `require('fast-session')` answers with the function itself, as `require('express-session')` does.
export { fastSession as 'module.exports' }
