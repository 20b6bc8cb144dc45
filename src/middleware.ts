/** The middleware: the story of a request, top to bottom. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestSession, RequestStore } from './beside-express-session.ts'
import { Cookie, type CookieAttributes, type CookieOptions } from './cookie.ts'
import type { EngineName } from './engine/engine.ts'
import { SessionError } from './errors.ts'
import { Exchange, type ExchangeRequest, type ExchangeResponse, kExchange, type Next } from './exchange.ts'
import { shareHiddenClass } from './hidden-class.ts'
import { MemoryStore } from './memory-store.ts'
import type { SessionOptions } from './options.ts'
import { guardResponse } from './response.ts'
import { Session } from './session.ts'
import type { SessionData } from './session-data.ts'
import { SessionStore } from './session-store.ts'
import { Setup } from './setup.ts'
import { Store } from './store.ts'

export interface SessionMiddleware<Data extends object = SessionData> {
  (req: IncomingMessage, res: ServerResponse, next: Next): void
  /** The engine that runs: `wasm`, `node` or `js`. */
  readonly engine: EngineName
  /** Known to the compiler alone, for RequestOf. */
  readonly [kData]?: Data
}

declare const kData: unique symbol

/**
 * What a request has behind a middleware, for sessions whose data are of a type of their own:
 *
 *     const sessions = fastSession<MyData>({ secret })
 *     app.get('/', (req: Request & RequestOf<typeof sessions>, res) => …)
 */
export type RequestOf<Middleware> =
  Middleware extends SessionMiddleware<infer Data>
    ? { session: RequestSession<Data>; sessionID: string; sessionStore: RequestStore }
    : never

/** Makes the session middleware. Throws SessionError on a wrong option. */
export function fastSession<Data extends object = SessionData>(
  options?: SessionOptions,
): SessionMiddleware<Data> {
  const setup = new Setup(options)

  function session(req: IncomingMessage, res: ServerResponse, next: Next): void {
    handle(setup, req as ExchangeRequest, res as ExchangeResponse, next)
  }
  return Object.defineProperty(session, 'engine', {
    value: setup.engine.name,
    enumerable: true,
  }) as SessionMiddleware<Data>
}

fastSession.Store = Store
fastSession.Cookie = Cookie
fastSession.Session = Session
fastSession.MemoryStore = MemoryStore
fastSession.SessionStore = SessionStore
fastSession.SessionError = SessionError

/** The types that CommonJS modules know by `import session = require('fast-session')`. */
export declare namespace fastSession {
  /** SessionData of the package, to be extended by CommonJS modules: it has what is declared here. */
  export interface SessionData {
    cookie: Cookie
  }
  export type { CookieAttributes, CookieOptions, SessionOptions }
}

function handle(setup: Setup, req: ExchangeRequest, res: ExchangeResponse, next: Next): void {
  // Somebody has given this request a session already.
  if (hasSession(req)) return next()
  // Without its server a store can tell nothing: the request goes on without a session.
  if (!setup.storeReady) return next()

  const policy = setup.cookiePolicy(req)
  if (!isWithin(policy.path, req)) return next()

  let exchange: Exchange
  try {
    exchange = new Exchange(setup, req, res, next, policy, setup.keyringFor(req))
  } catch (error) {
    return next(error)
  }
  attach(req, exchange)
  // Not at the first look at the session: that may be in the arguments of `res.end`, whose function is known by then.
  guardResponse(exchange)
  // A store that answers at once is asked when a handler looks at the session; most requests to most sites never do.
  const { readsAtOnce } = setup.persistence
  if (readsAtOnce && !exchange.isDue()) return next()
  const id = exchange.readCookie()
  if (id === undefined) return next()
  exchange.resolveFirst(id)
}

function hasSession(req: ExchangeRequest): boolean {
  const exchange = req[kExchange]
  if (exchange !== undefined && !exchange.resolved && Object.hasOwn(req, 'session')) return true
  return Boolean(req.session)
}

/** Whether the browser asked for something below `path`, whatever routers have cut off the URL since. */
function isWithin(path: string, req: ExchangeRequest): boolean {
  const url = req.originalUrl ?? req.url ?? '/'
  if (url.startsWith('/')) {
    if (path === '/') return true
    return (url.split(/[?#]/, 1)[0] as string).startsWith(path)
  }
  return (URL.canParse(url) ? new URL(url).pathname : url || '/').startsWith(path)
}

/** Puts `session`, `sessionID` and `sessionStore` on the request; what they answer is found when they are asked. */
function attach(req: ExchangeRequest, exchange: Exchange): void {
  shareHiddenClass(req)
  if (exchange.res) shareHiddenClass(exchange.res)
  req[kExchange] = exchange
  Object.defineProperty(req, 'session', SESSION)
  Object.defineProperty(req, 'sessionID', SESSION_ID)
  req.sessionStore = exchange.setup.store
}

// One descriptor for all requests: accessors of their own would give each request a shape of its own.
const SESSION: PropertyDescriptor & ThisType<ExchangeRequest> = {
  configurable: true,
  enumerable: true,
  get() {
    return (this[kExchange] as Exchange).look()
  },
  set(value: unknown) {
    ;(this[kExchange] as Exchange).assign(value)
  },
}

const SESSION_ID: PropertyDescriptor & ThisType<ExchangeRequest> = {
  configurable: true,
  enumerable: true,
  get() {
    return (this[kExchange] as Exchange).id()
  },
  set(value: unknown) {
    ;(this[kExchange] as Exchange).assignId(value)
  },
}
