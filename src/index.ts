/** The public face of the package. */
import { fastSession } from './middleware.ts'

export { Cookie, type CookieAttributes, type CookieOptions } from './cookie.ts'
export type { EngineName } from './engine/engine.ts'
export { SessionError, type SessionErrorCode } from './errors.ts'
export { MemoryStore, type MemoryStoreOptions } from './memory-store.ts'
export { fastSession, type SessionMiddleware } from './middleware.ts'
export type { SessionOptions } from './options.ts'
export { Session } from './session.ts'
export * from './session-data.ts'
export { SessionStore, type StoredSession } from './session-store.ts'
export { Store } from './store.ts'
export type { ExpressStore } from './stores/express-store.ts'
export type { RecordStore, StoredRecord, WriteOptions, WriteResult } from './stores/store.ts'
export default fastSession
// `require('fast-session')` answers with the function itself, as `require('express-session')` does.
export { fastSession as 'module.exports' }
