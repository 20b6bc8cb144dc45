/** What one call of `fastSession` works with: the checked options, and what is made of them once. */
import type { Codec } from './codec/codec.ts'
import { createCodec } from './codec/select.ts'
import { CookiePolicy } from './cookie-policy.ts'
import type { Engine, Keyring } from './engine/engine.ts'
import { selectEngine } from './engine/select.ts'
import { isGone } from './errors.ts'
import { type Exchange, kExchange } from './exchange.ts'
import { ForeignSessions } from './foreign-sessions.ts'
import { Lifetime } from './lifetime.ts'
import { attempt } from './maybe-promise.ts'
import { MemoryStore } from './memory-store.ts'
import { Merger } from './merge.ts'
import { type CheckedOptions, checkOptions, checkRequestCookie, type SessionOptions } from './options.ts'
import type { Persistence } from './persistence.ts'
import { RecentlySeen, type SeenCookie } from './recently-seen.ts'
import { RecordSessions } from './record-sessions.ts'
import type { SessionRequest } from './session.ts'
import { recordsOf, SessionStore } from './session-store.ts'
import { StoreCalls } from './store-calls.ts'
import type { ExpressStore } from './stores/express-store.ts'
import type { RecordStore } from './stores/store.ts'
import { warnOnce } from './warnings.ts'

export class Setup {
  readonly options: CheckedOptions
  readonly engine: Engine
  readonly codec: Codec
  readonly keyring: Keyring | undefined
  readonly persistence: Persistence
  /** What `req.sessionStore` is. */
  readonly store: ExpressStore
  readonly recentlySeen = new RecentlySeen<SeenCookie>()
  /** False while a store says that it has lost its server (its `disconnect` event). */
  storeReady = true
  /** True: a response needs its session even if nobody looks at it. */
  readonly eager: boolean

  constructor(input: SessionOptions | undefined) {
    const options = checkOptions(input)
    this.options = options
    this.engine = selectEngine(options.engine, { module: options.module })
    this.codec = createCodec(this.engine.name, { module: options.module })
    this.keyring = options.secrets && this.engine.keyring(options.secrets)
    this.eager = options.resave || options.rolling || options.saveUninitialized || options.unset === 'destroy'
    this.store = options.store === undefined ? defaultStore() : protocolStore(options.store)
    this.persistence = this.#persistence()
    // Stores made for express-session call it to regenerate; so do applications, now and then.
    Object.assign(this.store, { generate })
    this.store.on('disconnect', () => {
      this.storeReady = false
    })
    this.store.on('connect', () => {
      this.storeReady = true
    })
    // An event named `error` that nobody listens to would end the process.
    this.store.on('error', (error) => this.report(error, undefined, true))
  }

  #persistence(): Persistence {
    const { codec, engine, store, options } = this
    const records = recordsOf(store)
    const calls = new StoreCalls(records?.name ?? store.constructor.name, options.storeTimeout)
    const merger = new Merger(codec, options.merge)
    if (records === undefined) {
      const { touchAfter = 0 } = options.lifetime
      return new ForeignSessions(store, { codec, engine, calls, merger, touchAfter })
    }
    const lifetime = new Lifetime(options.lifetime)
    if (store instanceof SessionStore) Object.assign(store, { lifetime, calls })
    return new RecordSessions(records, { codec, engine, lifetime, calls, merger })
  }

  /** The policy that holds for a request: a `cookie` function has its say for each. */
  cookiePolicy(req: SessionRequest): CookiePolicy {
    const { cookie, name } = this.options
    if (typeof cookie === 'function') return new CookiePolicy(checkRequestCookie(name, cookie(req as never)))
    this.#cookiePolicy ??= new CookiePolicy(cookie)
    return this.#cookiePolicy
  }

  #cookiePolicy: CookiePolicy | undefined

  /** The keys of a request: those of the option, else the one that cookie-parser left in `req.secret`. */
  keyringFor(req: { secret?: unknown }): Keyring {
    if (this.keyring !== undefined) return this.keyring
    const secret = req.secret
    if (typeof secret !== 'string' || secret === '') throw new Error('secret option required for sessions')
    if (this.#parserKeyring?.secret !== secret) {
      this.#parserKeyring?.keyring.dispose()
      this.#parserKeyring = { secret, keyring: this.engine.keyring([secret]) }
    }
    return this.#parserKeyring.keyring
  }

  #parserKeyring: { secret: string; keyring: Keyring } | undefined

  /** Tells the `onError` option; without one, a process warning, once, where no response carries the error. */
  report(error: unknown, req: unknown, unseen: boolean): void {
    const { onError } = this.options
    if (onError !== undefined) tell(onError, error, req)
    // That a session ended while another request was changing it is nothing to warn about: a logout does it.
    else if (unseen && !isGone(error))
      warnOnce('SESSION_STORE_ERROR', `A session could not be stored: ${String(error)}`)
  }
}

/** What the application's `onError` throws, now or later, keeps no response back and ends no process. */
function tell(onError: NonNullable<CheckedOptions['onError']>, error: unknown, req: unknown): void {
  attempt<unknown, void>(
    () => onError(error, req),
    () => {},
    (failure) => warnOnce('SESSION_STORE_ERROR', `The option onError failed itself: ${String(failure)}`),
  )
}

/** Makes a new session in a request that has the middleware behind it. */
function generate(req: SessionRequest & { [kExchange]?: Exchange }): void {
  const exchange = req[kExchange]
  if (exchange === undefined)
    throw new Error('store.generate needs a request that passed the session middleware')
  exchange.generate()
  req.session = exchange.session
}

function defaultStore(): ExpressStore {
  if (globalThis.process?.env['NODE_ENV'] === 'production') {
    warnOnce(
      'SESSION_MEMORY_STORE',
      'Sessions are kept in the memory of this process: they end with it and other processes do not see them. Give the "store" option in production.',
    )
  }
  return new MemoryStore()
}

function protocolStore(store: RecordStore | ExpressStore): ExpressStore {
  return 'read' in store ? new SessionStore(store) : store
}
