/** `req.session`: the data of one visitor, with the methods that express-session's users know. */
import { answer, type Callback } from './callback.ts'
import type { Cookie, CookieAttributes } from './cookie.ts'
import type { MaybePromise, RecordVersion } from './stores/store.ts'

/** A request, as far as a session needs one. */
export interface SessionRequest {
  session?: unknown
  sessionID?: unknown
  sessionStore?: unknown
}

/** What carries a session's methods out: the exchange that the session belongs to. */
export interface SessionHost {
  saveSession(session: Session): MaybePromise<void>
  reloadSession(session: Session): MaybePromise<Session>
  updateSession<T>(session: Session, change: (session: Session) => T | Promise<T>): Promise<T>
  regenerateSession(session: Session, options?: RegenerateOptions): MaybePromise<Session>
  destroySession(session: Session): MaybePromise<void>
  /** Reports an error that a method met while nobody gave it a callback. */
  report(error: unknown): void
}

/** The origin of a session. Sessions keep it to themselves, so that it is neither listed nor stored as data. */
export let originOf: (session: Session) => Origin
export let setOrigin: (session: Session, origin: Origin) => void

export class Session {
  /** The session's cookie; what is set on it here lasts as long as the session. */
  declare cookie: Cookie
  readonly #id: string
  readonly #req: SessionRequest
  #origin: Origin | undefined

  /** For stores that make sessions themselves: as in express-session, keys that a session has already are left out. */
  constructor(req: SessionRequest, data?: object | null) {
    this.#req = req
    this.#id = req.sessionID as string
    if (typeof data === 'object' && data !== null) copyData(data as Record<string, unknown>, this)
  }

  /** The session id. */
  get id(): string {
    return this.#id
  }

  /** The request that this session was made for. */
  get req(): SessionRequest {
    return this.#req
  }

  /** Starts the lifetime of the cookie anew. Done by itself at the end of a request. */
  touch(): this {
    return this.resetMaxAge()
  }

  /** Sets `cookie.maxAge` back to `cookie.originalMaxAge`. */
  resetMaxAge(): this {
    this.cookie.renew()
    return this
  }

  /** Stores the session now. Done by itself at the end of a request that changed it. */
  save(callback: Callback): this
  save(): Promise<void>
  save(callback?: Callback): Promise<void> | this {
    return run(this, (host) => host.saveSession(this), callback)
  }

  /** Reads the session anew from the store, as a new object in `req.session`. */
  reload(callback: Callback): this
  reload(): Promise<this>
  reload(callback?: Callback): Promise<this> | this {
    return run(this, (host) => host.reloadSession(this) as MaybePromise<this>, callback)
  }

  /**
   * Changes the session atomically and stores it at once: if another request stores first, `change` runs again on
   * what that one has left, so a counter never loses an increment. Answers what `change` answered. Rejects with
   * SESSION_GONE when the session has ended meanwhile.
   */
  update<T>(change: (session: this) => T | Promise<T>): Promise<T> {
    return hostOf(this).updateSession(this, change as (session: Session) => T | Promise<T>)
  }

  /** Destroys this session and puts a new one, with a new id, into `req.session`: against session fixation. */
  regenerate(callback: Callback): this
  regenerate(options: RegenerateOptions, callback: Callback): this
  regenerate(options?: RegenerateOptions): Promise<this>
  regenerate(options?: RegenerateOptions | Callback, callback?: Callback): Promise<this> | this {
    const [given, done] = typeof options === 'function' ? [undefined, options] : [options, callback]
    return run(this, (host) => host.regenerateSession(this, given) as MaybePromise<this>, done)
  }

  /** Destroys the session and unsets `req.session`. */
  destroy(callback: Callback): this
  destroy(): Promise<void>
  destroy(callback?: Callback): Promise<void> | this {
    return run(this, (host) => host.destroySession(this), callback)
  }

  static {
    originOf = (session) => session.#origin as Origin
    setOrigin = (session, origin) => {
      session.#origin = origin
    }
  }
}

// A handler may use a method's name for a field. As in express-session, the field is not stored: whoever reads the
// session next needs the method.
for (const name of Object.getOwnPropertyNames(Session.prototype)) {
  const method = Object.getOwnPropertyDescriptor(Session.prototype, name)?.value
  if (typeof method !== 'function' || name === 'constructor') continue
  Object.defineProperty(Session.prototype, name, {
    configurable: true,
    get: () => method,
    set(value: unknown) {
      Object.defineProperty(this, name, { value, configurable: true, enumerable: false, writable: true })
    },
  })
}

export interface RegenerateOptions {
  /**
   * How long the old id stays valid for requests that are under way with it, in ms. Default 0: it ends at once. Not
   * for logins, where the old id may be known to somebody else. Needs a store of this package.
   */
  readonly grace?: number | undefined
}

/** What is known of a session beside its data: where it came from, and what the store holds of it. */
export interface Origin {
  readonly host: SessionHost
  /** The encoded data with which the request began: what "modified" is measured against. */
  original: Uint8Array
  /** The encoded data that the store holds; undefined as long as it holds none. */
  saved: Uint8Array | undefined
  /** The version of the stored record; null as long as there is none. */
  version: RecordVersion | null
  /** When the stored record ends, ms since the epoch. */
  expires: number
  /** When the session began, ms since the epoch. */
  created: number
  /** When the session ends in any case, ms since the epoch, since another one has replaced it. */
  until?: number | undefined
  /** The cookie's lifetime as it is stored, ms; to see whether a handler changed it. */
  originalMaxAge: number | null
  /** The attributes that a handler set on this one cookie, as they are stored. */
  overrides: CookieAttributes | undefined
}

/** Puts `data` into a session. Names that every session has (its methods, `constructor`, …) are left out. */
export function copyData(data: Record<string, unknown>, session: Session): void {
  for (const key in data) {
    if (!(key in session)) (session as unknown as Record<string, unknown>)[key] = data[key]
  }
}

function run<T, S extends Session>(
  session: S,
  action: (host: SessionHost) => MaybePromise<T>,
  callback: Callback | undefined,
): Promise<T> | S {
  const host = hostOf(session)
  const promise = answer(() => action(host), callback && ((error) => (error ? callback(error) : callback())))
  if (promise === undefined) return session
  promise.catch((error) => host.report(error))
  return promise
}

function hostOf(session: Session): SessionHost {
  return originOf(session)?.host ?? detachedHost(session)
}

/** The store of express-session's protocol that a session without an exchange is carried out by. */
interface ProtocolStore {
  get(id: string, callback: (error: unknown, data?: object | null) => void): void
  set(id: string, session: Session, callback: (error?: unknown) => void): void
  destroy(id: string, callback: (error?: unknown) => void): void
  regenerate(req: SessionRequest, callback: (error?: unknown) => void): void
  createSession(req: SessionRequest, data: object): Session
}

/** For sessions made by `store.load` or `new Session(req)`: straight through `req.sessionStore`. */
function detachedHost({ id, req }: Session): SessionHost {
  const store = req.sessionStore as ProtocolStore
  return {
    saveSession: (session) => settle((done) => store.set(id, session, done)),
    destroySession: () => {
      delete req.session
      return settle((done) => store.destroy(id, done))
    },
    updateSession() {
      throw new TypeError('session.update() needs the session of a request')
    },
    regenerateSession: async () => {
      await settle((done) => store.regenerate(req, done))
      return req.session as Session
    },
    reloadSession: async () => {
      const data = await settle<object | null | undefined>((done) => store.get(id, done))
      if (!data) throw new Error('failed to load session')
      return store.createSession(req, data)
    },
    report() {},
  }
}

/** The promise of what a callback is told. */
function settle<T = void>(call: (done: (error?: unknown, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value as T)))
  })
}
