/** The base of stores made for express-session: `class MyStore extends fastSession.Store`. */
import { EventEmitter } from 'node:events'
import { Cookie, type StoredCookie } from './cookie.ts'
import { Session, type SessionRequest } from './session.ts'

abstract class StoreBase extends EventEmitter {
  /** The stored session of an id, as JSON.parse gave it; null or undefined when there is none. */
  abstract get(id: string, callback: (error: unknown, session?: object | null) => void): unknown
  /** Stores a session. */
  abstract set(id: string, session: object, callback?: (error?: unknown) => void): unknown
  /** Deletes a session. */
  abstract destroy(id: string, callback?: (error?: unknown) => void): unknown

  /** Makes a new session in `req`. Set by the middleware that uses the store. */
  declare generate: (req: SessionRequest) => void

  /** Destroys the session of a request and makes a new one. */
  regenerate(req: SessionRequest, callback: (error?: unknown) => void): void {
    this.destroy(req.sessionID as string, (error) => {
      this.generate(req)
      callback(error)
    })
  }

  /** The session of an id as a Session object, outside a request (a WebSocket, a job). */
  load(id: string, callback: (error?: unknown, session?: Session) => void): void {
    this.get(id, (error, data) => {
      if (error) return callback(error)
      if (!data) return callback()
      callback(null, this.createSession({ sessionID: id, sessionStore: this }, data))
    })
  }

  /** Makes what `get` gave a Session and puts it into `req.session`. */
  createSession(req: SessionRequest, data: object): Session {
    const session = new Session(req)
    session.cookie = storedCookie((data as { cookie?: StoredCookie }).cookie)
    const rest = data as Record<string, unknown>
    for (const key in rest) {
      if (!(key in session)) (session as unknown as Record<string, unknown>)[key] = rest[key]
    }
    req.session = session
    return session
  }
}

/** Stores from before classes call it as a function: `Store.call(this)` after `util.inherits(MyStore, Store)`. */
function StoreFunction(this: StoreBase): void {
  EventEmitter.call(this)
}
StoreFunction.prototype = StoreBase.prototype
Object.setPrototypeOf(StoreFunction, EventEmitter)
Object.defineProperty(StoreFunction, 'name', { value: 'Store' })

export const Store = StoreFunction as unknown as StoreConstructor
export type Store = StoreBase
type StoreConstructor = (abstract new () => StoreBase) & { call(store: object, ...options: unknown[]): void }

/** A cookie as JSON.parse gave it: `expires` is text, and `originalMaxAge` is kept as it was. */
export function storedCookie(data: StoredCookie | undefined): Cookie {
  if (typeof data === 'object' && data !== null) return Cookie.stored(data)
  throw new TypeError('The stored session has no cookie: it was not written by a session store.')
}
