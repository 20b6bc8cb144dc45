/** What a user may pass to `fastSession`: checked once, at construction, with the defaults filled in. */
import type { IncomingMessage } from 'node:http'
import type { CookieOptions } from './cookie.ts'
import type { EngineName, Secret } from './engine/engine.ts'
import { SessionError } from './errors.ts'
import type { LifetimeOptions } from './lifetime.ts'
import type { MergeConflict } from './merge.ts'
import { checkSecrets, type SecretInput } from './secrets.ts'
import type { ExpressStore } from './stores/express-store.ts'
import type { RecordStore } from './stores/store.ts'
import { warnOnce } from './warnings.ts'

/** A function of the request; its parameter may be typed as Express's or any other request. */
export type RequestCallback<T> = { bivariant(req: IncomingMessage): T }['bivariant']

export interface SessionOptions extends LifetimeOptions {
  /**
   * The signing secret: a string, bytes or a KeyObject, at least 32 bytes; or a list, of which the first signs and
   * all verify (rotation: put the new one in front). Without it `req.secret`, which cookie-parser sets, is used.
   */
  readonly secret?: SecretInput | readonly SecretInput[] | undefined
  /** Turns the error about a signing secret under 32 bytes into one process warning. Default false. */
  readonly allowWeakSecret?: boolean | undefined
  /** The name of the cookie. Default `connect.sid`. */
  readonly name?: string | undefined
  /** Another word for `name`. */
  readonly key?: string | undefined
  /** The attributes of the cookie, or a function of the request that answers them. */
  readonly cookie?: CookieOptions | RequestCallback<CookieOptions> | undefined
  /** Makes a session id. Default: 24 bytes of the CSPRNG, as 32 base64url characters. */
  readonly genid?: RequestCallback<string> | undefined
  /**
   * Whether `X-Forwarded-Proto` says if the request came by HTTPS: true always, false never. Default undefined:
   * as Express's `trust proxy` setting says.
   */
  readonly proxy?: boolean | undefined
  /** Stores the session at the end of every request, changed or not. Default false. */
  readonly resave?: boolean | undefined
  /** Sends the cookie with every response, so that its lifetime starts anew. Default false. */
  readonly rolling?: boolean | undefined
  /** Stores new sessions that nothing was put into, and sends their cookie. Default false. */
  readonly saveUninitialized?: boolean | undefined
  /** Where sessions are kept: a store of this package, or any store made for express-session. Default: memory. */
  readonly store?: RecordStore | ExpressStore | undefined
  /** What unsetting `req.session` (delete, null) does to the stored session: `keep` (the default) or `destroy`. */
  readonly unset?: 'destroy' | 'keep' | undefined
  /** Decides where two requests changed the same value at once. Default: the one that stores later wins. */
  readonly merge?: MergeConflict | undefined
  /** How long a store may take to answer, ms; 0: as long as it likes. Default 5,000. */
  readonly storeTimeout?: number | undefined
  /**
   * What happens when the store fails: `error` (the default) hands the error to `next`; `no-session` lets the request
   * go on without a session, and the response without what was to be stored. Either way `onError` is told.
   */
  readonly ifStoreFails?: 'error' | 'no-session' | undefined
  /** Which engine signs and encodes. Default `auto`: the first of wasm, node and js that works. */
  readonly engine?: 'auto' | EngineName | undefined
  /**
   * The package's `core.wasm` as a compiled WebAssembly.Module, for runtimes that forbid compiling from bytes.
   * Default: the module that is embedded in the package.
   */
  readonly module?: object | undefined
  /**
   * Is told of errors that no response can carry any more, and of those that went to `next`. Default: a process
   * warning for the former.
   */
  readonly onError?: ((error: unknown, req: unknown) => void) | undefined
}

/** The options after the check: nothing is left to ask about. */
export interface CheckedOptions {
  readonly secrets: readonly Secret[] | undefined
  readonly name: string
  readonly cookie: CookieOptions | RequestCallback<CookieOptions>
  readonly genid: RequestCallback<string> | undefined
  readonly proxy: boolean | undefined
  readonly resave: boolean
  readonly rolling: boolean
  readonly saveUninitialized: boolean
  readonly store: RecordStore | ExpressStore | undefined
  readonly unset: 'destroy' | 'keep'
  readonly lifetime: LifetimeOptions
  readonly merge: MergeConflict | undefined
  readonly storeTimeout: number
  readonly ifStoreFails: 'error' | 'no-session'
  readonly engine: 'auto' | EngineName
  readonly module: object | undefined
  readonly onError: ((error: unknown, req: unknown) => void) | undefined
}

/** Checks the options and fills the defaults in. Throws SessionError (ERR_SESSION_OPTION, …) on anything wrong. */
export function checkOptions(input: SessionOptions | null = {}): CheckedOptions {
  const options = withoutNull(input ?? {})
  if (typeof options !== 'object' || Array.isArray(options)) {
    throw wrong(
      `The options must be an object, not ${Array.isArray(options) ? 'an array' : `a ${typeof options}`}: call fastSession({ secret: … }).`,
    )
  }
  refuseUnknown(options, OPTIONS, 'option')
  const { secret, store } = options
  boolean(options, 'allowWeakSecret')
  const name = options.name ?? options.key ?? 'connect.sid'
  if (typeof name !== 'string' || !TOKEN.test(name)) {
    const word = options.name === undefined ? 'key' : 'name'
    throw wrong(
      `"${word}" is ${show(name)}, but a cookie's name is a non-empty string of letters, digits and !#$%&'*+-.^_\`|~.`,
    )
  }
  func(options, 'genid', 'one that answers an id, or leave it out')
  func(options, 'onError', 'one that takes (error, req)')
  func(options, 'merge', 'one that takes (base, mine, theirs, path) and answers the value to keep')
  const cookie = checkCookieOptions(options.cookie)
  if (typeof cookie === 'object') warnOfCookie(name, cookie)
  return {
    secrets: secret === undefined ? undefined : checkSecrets(secret, options.allowWeakSecret ?? false),
    name,
    cookie,
    genid: options.genid,
    proxy: boolean(options, 'proxy'),
    resave: boolean(options, 'resave') ?? false,
    rolling: boolean(options, 'rolling') ?? false,
    saveUninitialized: boolean(options, 'saveUninitialized') ?? false,
    store: checkStore(store),
    unset: oneOf(options, 'unset', ['destroy', 'keep']) ?? 'keep',
    lifetime: {
      idleTimeout: duration(options, 'idleTimeout', 1),
      absoluteTimeout: duration(options, 'absoluteTimeout', 1),
      touchAfter: duration(options, 'touchAfter', 0),
    },
    merge: options.merge,
    storeTimeout: duration(options, 'storeTimeout', 0) ?? 5000,
    ifStoreFails: oneOf(options, 'ifStoreFails', ['error', 'no-session']) ?? 'error',
    engine: oneOf(options, 'engine', ['auto', 'wasm', 'node', 'js']) ?? 'auto',
    module: checkModule(options.module),
    onError: options.onError,
  }
}

/** Configurations say `store: condition ? store : null`: null counts as left out, as it does in express-session. */
function withoutNull(options: SessionOptions): SessionOptions {
  if (typeof options !== 'object' || Array.isArray(options)) return options
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null))
}

/** Checks what a `cookie` function answered, as `checkOptions` does with an object. */
export function checkRequestCookie(name: string, cookie: unknown): CookieOptions {
  if (typeof cookie !== 'object' || cookie === null) {
    throw wrong(`The "cookie" function answered ${show(cookie)}; it must answer an object of cookie options.`)
  }
  const checked = checkCookieOptions(cookie) as CookieOptions
  warnOfCookie(name, checked)
  return checked
}

// RFC 6265bis, section 4.1.1: cookie-name = token (RFC 9110, section 5.6.2).
const TOKEN = /^[\w!#$%&'*+\-.^`|~]+$/

const OPTIONS = [
  'absoluteTimeout',
  'allowWeakSecret',
  'cookie',
  'engine',
  'genid',
  'idleTimeout',
  'ifStoreFails',
  'key',
  'merge',
  'module',
  'name',
  'onError',
  'proxy',
  'resave',
  'rolling',
  'saveUninitialized',
  'secret',
  'store',
  'storeTimeout',
  'touchAfter',
  'unset',
]

const COOKIE_OPTIONS = [
  'domain',
  'expires',
  'httpOnly',
  'maxAge',
  'partitioned',
  'path',
  'priority',
  'sameSite',
  'secure',
]

// RFC 6265bis, section 4.1.1: path-value and domain-value.
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/
const DOMAIN = /^\.?[a-z0-9-]+(\.[a-z0-9-]+)*$/i

function checkCookieOptions(cookie: unknown): CookieOptions | RequestCallback<CookieOptions> {
  if (cookie === undefined || cookie === null) return COOKIE_DEFAULTS
  if (typeof cookie === 'function') return cookie as RequestCallback<CookieOptions>
  if (typeof cookie !== 'object' || Array.isArray(cookie)) {
    throw wrong(
      `"cookie" is ${show(cookie)}, but must be an object of cookie options or a function of the request.`,
    )
  }
  const options = withoutBlanks(cookie as CookieOptions)
  refuseUnknown(options, COOKIE_OPTIONS, 'cookie option')
  for (const flag of ['httpOnly', 'partitioned'] as const) boolean(options, flag, 'cookie.')
  const { secure, maxAge, expires, path, domain } = options
  // Like express-session and the cookie package, in any case of letters.
  const sameSite = lower(options.sameSite)
  const priority = lower(options.priority)
  if (secure !== undefined && typeof secure !== 'boolean' && secure !== 'auto') {
    throw wrong(`"cookie.secure" is ${show(secure)}, but must be true, false or 'auto'.`)
  }
  if (sameSite !== undefined && typeof sameSite !== 'boolean' && !SAME_SITE.has(sameSite as string)) {
    throw wrong(
      `"cookie.sameSite" is ${show(sameSite)}, but must be true, false, 'lax', 'strict', 'none' or 'auto'.`,
    )
  }
  oneOf({ priority }, 'priority', ['low', 'medium', 'high'], 'cookie.')
  if (maxAge !== undefined && !Number.isFinite(maxAge)) {
    throw wrong(`"cookie.maxAge" is ${show(maxAge)}, but must be a number of milliseconds, or null.`)
  }
  if (expires && !(expires instanceof Date && !Number.isNaN(expires.valueOf()))) {
    throw wrong(
      `"cookie.expires" is ${show(expires)}, but must be a valid Date; better give "cookie.maxAge" in ms.`,
    )
  }
  if (path !== undefined && !(typeof path === 'string' && PATH.test(path))) {
    throw wrong(`"cookie.path" is ${show(path)}, but must begin with "/" and be printable ASCII without ";".`)
  }
  if (domain !== undefined && !(typeof domain === 'string' && DOMAIN.test(domain))) {
    throw wrong(`"cookie.domain" is ${show(domain)}, but must be a host name such as "example.com".`)
  }
  return { ...COOKIE_DEFAULTS, ...options }
}

/** Attributes that configurations leave blank: null, or text from an environment variable that is not set. */
function withoutBlanks(options: CookieOptions): CookieOptions {
  const given = Object.entries(options).filter(
    ([, value]) => value !== undefined && value !== null && value !== '',
  )
  return Object.fromEntries(given)
}

const COOKIE_DEFAULTS: CookieOptions = { secure: 'auto', sameSite: 'lax' }

const SAME_SITE: ReadonlySet<string> = new Set(['lax', 'strict', 'none', 'auto'])

function lower(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value
}

/** Cookies that every browser drops without a word (RFC 6265bis, sections 4.1.3 and 5.7). */
function warnOfCookie(name: string, { domain, path, sameSite, secure }: CookieOptions): void {
  if (lower(sameSite) === 'none' && secure === false) {
    warnOnce(
      'SESSION_COOKIE_SAMESITE',
      `The session cookie has sameSite 'none' and is not Secure, so browsers drop it: set cookie.secure to true or 'auto'.`,
    )
  }
  if (name.startsWith('__Host-') && (domain || (path !== undefined && path !== '/') || secure === false)) {
    warnOnce(
      'SESSION_COOKIE_PREFIX',
      `Browsers drop the cookie "${name}": a name that begins with __Host- takes no cookie.domain, needs cookie.path '/' and cookie.secure.`,
    )
  }
  if (name.startsWith('__Secure-') && secure === false) {
    warnOnce(
      'SESSION_COOKIE_PREFIX',
      `Browsers drop the cookie "${name}": a name that begins with __Secure- needs cookie.secure.`,
    )
  }
}

/** By its tag, so that a module of another realm (vm, Jest) counts. */
function checkModule(module: unknown): object | undefined {
  if (module === undefined || Object.prototype.toString.call(module) === '[object WebAssembly.Module]') {
    return module as object | undefined
  }
  throw wrong(
    `"module" is ${show(module)}, but must be a WebAssembly.Module: import it from 'fast-session/core.wasm'.`,
  )
}

function checkStore(store: unknown): RecordStore | ExpressStore | undefined {
  if (store === undefined) return undefined
  const methods = typeof store === 'object' && store !== null ? (store as Record<string, unknown>) : {}
  const has = (names: string[]) => names.every((name) => typeof methods[name] === 'function')
  if (has(['read', 'write', 'touch', 'delete']) || has(['get', 'set', 'destroy', 'on'])) {
    return store as RecordStore | ExpressStore
  }
  throw wrong(
    `"store" is ${show(store)}, but must be a store of this package, such as memoryStore(), or one made for express-session (an event emitter with get, set and destroy).`,
  )
}

function refuseUnknown(options: object, known: readonly string[], word: string): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const meant = known.find((other) => lower(other) === lower(name)) ?? closest(name, known)
    const hint = meant === undefined ? `the options are ${known.join(', ')}` : `did you mean "${meant}"?`
    throw wrong(`There is no ${word} "${name}": ${hint}`)
  }
}

/** The known name that shares the longest beginning with a wrong one, if that is at least three letters. */
function closest(name: string, known: readonly string[]): string | undefined {
  for (let length = name.length; length >= 3; length--) {
    const match = known.find((other) => other.startsWith(name.slice(0, length)))
    if (match !== undefined) return match
  }
  return undefined
}

function boolean<K extends string>(
  options: { readonly [name in K]?: unknown },
  name: K,
  of = '',
): boolean | undefined {
  const value: unknown = options[name]
  if (value === undefined || typeof value === 'boolean') return value
  throw wrong(`"${of}${name}" is ${show(value)}, but must be true or false.`)
}

/** A duration in ms, not below `least` and not beyond what a timer can take. */
function duration<K extends string>(
  options: { readonly [name in K]?: unknown },
  name: K,
  least: number,
): number | undefined {
  const value: unknown = options[name]
  if (value === undefined) return undefined
  if (Number.isInteger(value) && (value as number) >= least) return value as number
  throw wrong(`"${name}" is ${show(value)}, but must be a whole number of milliseconds, at least ${least}.`)
}

function func<K extends string>(options: { readonly [name in K]?: unknown }, name: K, fix: string): void {
  const value = options[name]
  if (value !== undefined && typeof value !== 'function') {
    throw wrong(`"${name}" is ${show(value)}, but must be a function: ${fix}.`)
  }
}

function oneOf<K extends string, V extends string>(
  options: { readonly [name in K]?: unknown },
  name: K,
  values: readonly V[],
  of = '',
): V | undefined {
  const value = options[name]
  if (value === undefined || values.includes(value as V)) return value as V | undefined
  throw wrong(
    `"${of}${name}" is ${show(value)}, but must be ${values.map((one) => `'${one}'`).join(' or ')}.`,
  )
}

function wrong(message: string): SessionError {
  return new SessionError('ERR_SESSION_OPTION', message)
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60))
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
