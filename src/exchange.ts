/** One request and its response, as the session sees them: which session it has, and how it came to it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Cookie } from './cookie.ts'
import type { CookiePolicy, CookieTemplate } from './cookie-policy.ts'
import type { Keyring } from './engine/engine.ts'
import { isGone, SessionError } from './errors.ts'
import { andThen, attempt, isPromise } from './maybe-promise.ts'
import type { Fetched } from './persistence.ts'
import { flat, type SeenCookie } from './recently-seen.ts'
import { decodeCookie, findCookie } from './request-cookie.ts'
import type { Gate } from './response.ts'
import { isSecure, type TransportRequest } from './secure-request.ts'
import {
  copyData,
  originOf,
  type RegenerateOptions,
  Session,
  type SessionHost,
  type SessionRequest,
  setOrigin,
} from './session.ts'
import type { Setup } from './setup.ts'
import type { MaybePromise } from './stores/store.ts'

/** Where the exchange of a request hangs. */
export const kExchange: unique symbol = Symbol('fast-session')
/** Where the gate of a guarded response hangs. */
export const kGate: unique symbol = Symbol('fast-session.gate')

export interface ExchangeRequest extends IncomingMessage, SessionRequest {
  [kExchange]?: Exchange
  secret?: unknown
  originalUrl?: string
  signedCookies?: Record<string, unknown>
  cookies?: Record<string, unknown>
}

export interface ExchangeResponse extends ServerResponse {
  [kGate]?: Gate
}

export type Next = (error?: unknown) => void

/** The encoded form of a session without data: an empty MessagePack map. */
const NO_DATA = new Uint8Array([0x80])

export class Exchange implements SessionHost {
  readonly setup: Setup
  readonly req: ExchangeRequest
  readonly res: ExchangeResponse
  readonly next: Next
  readonly #keyring: Keyring
  readonly #policy: CookiePolicy

  /** The id that the request's cookie holds; undefined without a cookie, or when nobody signed it. */
  cookieId: string | undefined = undefined
  /** What earlier requests with the same cookie have found out. */
  known: SeenCookie | undefined = undefined
  /** The id of the first session of this request, stored or new: another one later means that it was regenerated. */
  originalId: string | undefined = undefined
  /** The encoded data of that session. */
  original: Uint8Array = NO_DATA
  /** What `req.sessionID` is; handlers may set it. */
  sessionID: unknown = undefined
  /** What `req.session` is, once it is resolved; handlers may set it. */
  session: Session | null | undefined = undefined
  /** Whether the session was looked for. Before, `session` and `sessionID` say nothing. */
  resolved = false
  /** Where the store was asked to move the session's expiry when it was read, ms since the epoch. */
  touchedTo: number | undefined = undefined
  /** Whether the session's lifetime was started anew in this request. */
  touched = false
  /** Whether the session was destroyed by a call in this request. */
  destroyed = false
  /** Whether the session was committed once, with the headers of a response whose end is still to come. */
  committed = false
  /** The encoded data that a handler's `save` could not store: it was told, and the response does not try again. */
  refused: Uint8Array | undefined = undefined
  /** What a handler started and the store has not answered yet. */
  pending: Promise<void> | undefined = undefined
  /** Whether the session changed, against what the request began with. Known after a commit. */
  modified = false
  /** Whether the store said, when the session was to be stored, that it is gone. */
  gone = false
  /** Whether the store failed and the request goes on without a session. */
  lost = false
  /** Whether the session is to be stored even unchanged: the `resave` option, until it was stored. */
  resave = false
  #template: CookieTemplate | undefined = undefined
  #due: boolean | undefined = undefined
  #cookieFound = false
  #rawCookie: string | undefined = undefined
  #cookieRead = false
  /** The id in that cookie, if it is signed. */
  #rawId: string | undefined = undefined

  constructor(
    setup: Setup,
    req: ExchangeRequest,
    res: ExchangeResponse,
    next: Next,
    policy: CookiePolicy,
    keyring: Keyring,
  ) {
    this.setup = setup
    this.req = req
    this.res = res
    this.next = next
    this.#policy = policy
    this.#keyring = keyring
  }

  /** Finds the session cookie as it was sent, and what is known of it. */
  #findCookie(): void {
    if (this.#cookieFound) return
    this.#cookieFound = true
    const header = this.req.headers?.cookie
    if (header === undefined) return
    this.#rawCookie = findCookie(header, this.setup.options.name)
    if (this.#rawCookie === undefined) return
    const seen = this.setup.recentlySeen.find(this.#rawCookie)
    // Other secrets may be in force by now.
    if (seen?.keyring === this.#keyring) this.known = seen
  }

  /** The id in the request's cookie, verified. */
  readCookie(): string | undefined {
    if (this.#cookieRead) return this.cookieId
    this.#cookieRead = true
    this.#findCookie()
    const { name } = this.setup.options
    const raw = this.#rawCookie
    this.#rawId = this.known?.id ?? (raw ? this.#verify(decodeCookie(raw)) : undefined)
    this.cookieId =
      this.#rawId ??
      // What cookie-parser has read is as good, for apps that fill it in themselves.
      text(this.req.signedCookies?.[name]) ??
      this.#verify(text(this.req.cookies?.[name]))
    return this.cookieId
  }

  #verify(value: string | undefined): string | undefined {
    if (value === undefined || !value.startsWith('s:')) return undefined
    return this.#keyring.verify(value.slice(2)) || undefined
  }

  sign(id: string): string {
    return `s:${this.#keyring.sign(id)}`
  }

  /** Finds the session of this request, stored or new, in a store that answers at once. */
  resolve(): void {
    if (this.resolved) return
    const id = this.readCookie()
    if (id === undefined) this.generate()
    else this.#find(id)
  }

  /** Finds the session of this id in any store; then calls `next`, with what went wrong if anything did. */
  resolveFirst(id: string): void {
    let fetched: Promise<Fetched> | undefined
    try {
      fetched = this.#find(id)
    } catch (error) {
      return this.next(error)
    }
    if (fetched === undefined) this.next()
    else this.#resolveLater(fetched, id)
  }

  /** One promise, and no more: each would cost a request 0.1 us. */
  #resolveLater(fetched: Promise<Fetched>, id: string): void {
    fetched.then(
      (fetched) => this.#goOn(this.#open, fetched, id),
      (error) => this.#goOn(this.#notFound, error, id),
    )
  }

  #goOn<T>(settle: (this: Exchange, answer: T, id: string) => void, answer: T, id: string): void {
    try {
      settle.call(this, answer, id)
    } catch (error) {
      return this.next(error)
    }
    this.next()
  }

  /** Answers a promise where the store does, of what is still to be opened. */
  #find(id: string): Promise<Fetched> | undefined {
    let fetched: MaybePromise<Fetched>
    try {
      fetched = this.setup.persistence.fetch(this, id)
    } catch (error) {
      this.#notFound(error, id)
      return undefined
    }
    if (isPromise(fetched)) return fetched
    this.#open(fetched, id)
    return undefined
  }

  #open(fetched: Fetched, id: string): void {
    let session: Session | undefined
    try {
      session = this.setup.persistence.open(this, id, fetched)
    } catch (error) {
      return this.#notFound(error, id)
    }
    this.#found(session)
  }

  #found(session: Session | undefined): void {
    if (session === undefined) this.generate()
    else this.#adopt(session)
    this.resave = session !== undefined && this.setup.options.resave
  }

  #notFound(error: unknown, id: string): void {
    // Asked once: whoever looks again, an error handler say, sees a request without a session.
    this.resolved = true
    this.lost = true
    this.session = undefined
    this.sessionID = id
    const goesOn = this.setup.options.ifStoreFails === 'no-session'
    this.setup.report(error, this.req, goesOn)
    if (!goesOn) throw error
  }

  /** A new session in `req.session`, with a new id. */
  generate(): void {
    const { genid } = this.setup.options
    // What a genid sees of the session is the one before, if any.
    this.resolved = true
    this.gone = false
    const id = genid === undefined ? this.setup.engine.newId() : checkId(genid(this.req))
    const session = this.createSession(id, this.cookieTemplate().copy())
    session.cookie.renew()
    setOrigin(session, {
      host: this,
      original: NO_DATA,
      saved: undefined,
      version: null,
      expires: 0,
      created: Date.now(),
      originalMaxAge: null,
      overrides: undefined,
    })
    this.#adopt(session)
  }

  /** An empty session, with its cookie in the first place, whose id becomes `req.sessionID`. */
  createSession(id: unknown, cookie: Cookie): Session {
    this.sessionID = id
    this.resolved = true
    const session = new Session(this.req)
    session.cookie = cookie
    return session
  }

  #adopt(session: Session): void {
    this.session = session
    this.destroyed = false
    if (this.originalId !== undefined) return
    this.originalId = session.id
    this.original = originOf(session).original
  }

  /** The cookie as the options give it to this request. */
  cookieTemplate(): CookieTemplate {
    this.#template ??= this.#policy.template(this)
    return this.#template
  }

  isSecure(): boolean {
    return isSecure(this.req as TransportRequest, this.setup.options.proxy)
  }

  /** Whether the session of this request was not used for a while, so that the store has to hear of it in any case. */
  isDue(): boolean {
    if (this.#due === undefined) {
      this.#findCookie()
      this.#due = this.known === undefined ? this.#rawCookie !== undefined : this.known.due <= Date.now()
    }
    return this.#due
  }

  /** How long the session of the request's cookie was kept after its last use when it was seen, ms. */
  knownIdle(): number | undefined {
    this.#findCookie()
    return this.known?.idle
  }

  /**
   * Requests with the same cookie need not tell the store within the next `lag` ms. The session is kept for `idle` ms
   * after its last use.
   */
  leaveAlone(lag: number, idle: number): void {
    this.#remember(Date.now() + lag, idle)
    this.#due = false
  }

  /** Spares requests with the same cookie the verification of its signature. */
  remember(): void {
    if (this.known === undefined) this.#remember(0, undefined)
  }

  #remember(due: number, idle: number | undefined): void {
    this.readCookie()
    if (this.#rawCookie === undefined) return
    if (this.known === undefined) {
      const id = this.#rawId && flat(this.#rawId)
      this.known = { due, idle, keyring: this.#keyring, id, key: undefined }
    } else {
      this.known.due = due
      this.known.idle = idle
    }
    this.setup.recentlySeen.keep(this.#rawCookie, this.known)
  }

  /** What a handler's `req.session` sees. */
  look(): Session | null | undefined {
    if (!this.resolved) this.resolve()
    return this.session
  }

  /** What a handler's `req.sessionID` sees. */
  id(): unknown {
    if (!this.resolved) this.resolve()
    return this.sessionID
  }

  /** What a handler's `req.sessionID = value` does. */
  assignId(value: unknown): void {
    if (!this.resolved) this.resolve()
    this.sessionID = value
  }

  /** What a handler's `req.session = value` does. */
  assign(value: unknown): void {
    if (!this.resolved) this.resolve()
    if (!value || value instanceof Session) {
      this.session = value as Session | null | undefined
    } else if (typeof value === 'object' && this.session) {
      const session = this.createSession(this.session.id, this.session.cookie)
      setOrigin(session, originOf(this.session))
      copyData(value as Record<string, unknown>, session)
      this.session = session
    } else {
      throw new SessionError(
        'ERR_SESSION_OPTION',
        'req.session can be set to an object, or to null to end the session.',
      )
    }
  }

  saveSession(session: Session): MaybePromise<void> {
    const data = this.setup.codec.encodeData(session)
    const saved = attempt<void, void>(
      () => this.setup.persistence.save(this, session, data),
      () => {},
      (error) => {
        this.refused = data
        this.gone ||= isGone(error)
        throw error
      },
    )
    return this.#track(saved)
  }

  reloadSession(session: Session): MaybePromise<Session> {
    const { persistence } = this.setup
    const loaded = andThen(persistence.fetch(this, session.id), (fetched) => {
      const fresh = persistence.open(this, session.id, fetched)
      if (fresh === undefined) throw new SessionError('SESSION_GONE', 'failed to load session')
      // Whether the session is modified is still measured against what the request began with.
      originOf(fresh).original = originOf(session).original
      this.#put(fresh)
      return fresh
    })
    return this.#track(loaded)
  }

  updateSession<T>(session: Session, change: (session: Session) => T | Promise<T>): Promise<T> {
    let refusal: unknown
    const changeOrRefuse = (session: Session) =>
      attempt<T, T>(
        () => change(session),
        (value) => value,
        (error) => {
          refusal = error
          throw error
        },
      )
    const updated = this.setup.persistence.update(this, session, changeOrRefuse)
    updated.catch((error) => {
      this.gone ||= isGone(error)
      // What the change itself throws is between the handler and its change.
      if (error !== refusal) this.report(error)
    })
    return this.#track(updated)
  }

  regenerateSession(session: Session, { grace = 0 }: RegenerateOptions = {}): MaybePromise<Session> {
    const { persistence } = this.setup
    const renew = () => {
      this.generate()
      this.#put(this.session)
      return this.session as Session
    }
    const regenerated = attempt<void, Session>(
      () =>
        grace > 0
          ? persistence.retire(this, session, grace)
          : persistence.destroy(session.id, originOf(session)),
      renew,
      (error) => {
        renew()
        throw error
      },
    )
    return this.#track(regenerated)
  }

  destroySession(session: Session): MaybePromise<void> {
    this.session = undefined
    this.destroyed = true
    delete this.req.session
    return this.#track(this.setup.persistence.destroy(session.id, originOf(session)))
  }

  /** Makes the response wait for what goes on beside the handler. If that fails, it is reported. */
  awaitBeside(work: Promise<void>): void {
    work.catch((error) => this.report(error))
    this.#track(work)
  }

  /** Makes the response wait for what a handler started, also where the handler itself does not wait for it. */
  #track<T extends MaybePromise<unknown>>(answer: T): T {
    if (isPromise(answer)) {
      const done = () => {
        if (this.pending === settled) this.pending = undefined
      }
      const settled: Promise<void> = Promise.allSettled([this.pending, answer]).then(done)
      this.pending = settled
    }
    return answer
  }

  /** Takes a session that a store's `createSession` or `load` made for one of this request. */
  adoptForeign(session: Session): void {
    setOrigin(session, {
      host: this,
      original: this.original,
      saved: undefined,
      version: null,
      expires: 0,
      created: Date.now(),
      originalMaxAge: null,
      overrides: undefined,
    })
  }

  report(error: unknown): void {
    this.setup.report(error, this.req, true)
  }

  /** Makes `req.session` this session again, also where a handler has deleted or replaced the property. */
  #put(session: Session | null | undefined): void {
    this.session = session
    this.destroyed = false
    if (this.req.session !== session) this.req.session = session
  }
}

function checkId(id: unknown): string {
  if (typeof id === 'string' && id !== '') return id
  throw new SessionError(
    'ERR_SESSION_OPTION',
    `"genid" answered ${id === '' ? 'an empty string' : typeof id}; it must answer a non-empty string.`,
  )
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
