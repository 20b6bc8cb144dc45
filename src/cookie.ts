/** The cookie of one session: its attributes (RFC 6265bis, section 4.1.2) and its lifetime. */
import { stringifySetCookie } from 'cookie'

/** The attributes that a session cookie can have. */
export interface CookieAttributes {
  /** Domain attribute. Default none: the host that set the cookie, and it alone. */
  domain?: string | undefined
  /** Path attribute; requests outside it get no session. Default `/`. */
  path?: string | undefined
  /** HttpOnly attribute: the page's scripts can't read the cookie. Default true. */
  httpOnly?: boolean | undefined
  /** Secure attribute. `'auto'` (the default) sets it whenever the request came by HTTPS. */
  secure?: boolean | 'auto' | undefined
  /** SameSite attribute; true means `strict`. `'auto'` is `none` by HTTPS, else `lax`. Default `lax`. */
  sameSite?: boolean | 'lax' | 'strict' | 'none' | 'auto' | undefined
  /** Partitioned attribute (CHIPS). Default false. */
  partitioned?: boolean | undefined
  /** Priority attribute, which Chromium knows. Default none. */
  priority?: 'low' | 'medium' | 'high' | undefined
}

export interface CookieOptions extends CookieAttributes {
  /** Lifetime in ms, counted from the last time it was set or touched. Default none: until the browser closes. */
  maxAge?: number | null | undefined
  /** When the cookie ends. Better give `maxAge`. Default none. */
  expires?: Date | null | false | undefined
}

export class Cookie {
  path: string | undefined = '/'
  httpOnly: boolean | undefined = true
  /** The lifetime as it was last set, in ms; null: until the browser closes. */
  originalMaxAge: number | null = null
  domain: string | undefined = undefined
  secure: boolean | 'auto' | undefined = undefined
  sameSite: CookieAttributes['sameSite'] = undefined
  partitioned: boolean | undefined = undefined
  priority: CookieAttributes['priority'] = undefined
  // A number until somebody asks for the Date: most requests never do.
  #expires: Date | number | null | false | undefined = null

  constructor(options?: CookieOptions & { originalMaxAge?: number | null }) {
    if (options === undefined || options === null) return
    if (typeof options !== 'object') throw new TypeError('argument options must be a object')
    // In the order of the options: of `expires` and `maxAge`, the later one holds.
    for (const key in options) {
      if (SETTABLE.has(key)) this[key as 'expires'] = options[key as 'expires']
    }
    if (this.originalMaxAge === undefined || this.originalMaxAge === null) this.originalMaxAge = this.maxAge
  }

  /** A cookie with the attributes and the lifetime of another one. */
  static like(other: Cookie): Cookie {
    const cookie = new Cookie()
    cookie.path = other.path
    cookie.httpOnly = other.httpOnly
    cookie.originalMaxAge = other.originalMaxAge
    cookie.domain = other.domain
    cookie.secure = other.secure
    cookie.sameSite = other.sameSite
    cookie.partitioned = other.partitioned
    cookie.priority = other.priority
    cookie.#expires = other.#expires
    return cookie
  }

  /**
   * A cookie as a store gave it, whose `expires` may be text. `originalMaxAge` is kept as it was. Hot: as options of the
   * constructor it would take four times as long.
   */
  static stored(data: StoredCookie): Cookie {
    const cookie = 'maxAge' in data ? new Cookie(data as CookieOptions) : new Cookie()
    if ('path' in data) cookie.path = data.path
    if ('httpOnly' in data) cookie.httpOnly = data.httpOnly
    if ('domain' in data) cookie.domain = data.domain
    if ('secure' in data) cookie.secure = data.secure
    if ('sameSite' in data) cookie.sameSite = data.sameSite
    if ('partitioned' in data) cookie.partitioned = data.partitioned
    if ('priority' in data) cookie.priority = data.priority
    const { expires } = data
    if (typeof expires === 'string') cookie.#expires = new Date(expires)
    else if ('expires' in data && !('maxAge' in data)) cookie.#expires = expires
    cookie.originalMaxAge = data.originalMaxAge as number | null
    return cookie
  }

  /** When the cookie ends; null, undefined or false: with the browser session. Setting it sets `originalMaxAge`. */
  get expires(): Date | null | false | undefined {
    if (typeof this.#expires === 'number') this.#expires = new Date(this.#expires)
    return this.#expires
  }

  set expires(date: Date | null | false | undefined) {
    if (date instanceof Date && Number.isNaN(date.valueOf()))
      throw new TypeError('expires is an invalid Date')
    this.#expires = date
    this.originalMaxAge = this.maxAge
  }

  /** What is left of the lifetime, in ms; null: until the browser closes. Setting it starts the lifetime anew. */
  get maxAge(): number | null {
    const expires = this.#expires
    if (typeof expires === 'number') return expires - Date.now()
    return expires instanceof Date ? expires.valueOf() - Date.now() : (expires as null)
  }

  set maxAge(ms: number | Date | null | undefined) {
    if (typeof ms === 'number') {
      if (Number.isNaN(ms)) throw new TypeError('maxAge is NaN; it must be a number or Date')
      this.#expires = inTime(ms)
      this.originalMaxAge = ms
    } else if (!ms || ms instanceof Date) {
      this.expires = ms as Date | null
    } else {
      throw new TypeError('maxAge must be a number or Date')
    }
  }

  /** When the cookie ends, ms since the epoch; null: with the browser session. */
  get expiresAt(): number | null {
    const expires = this.#expires
    if (typeof expires === 'number') return expires
    return expires instanceof Date ? expires.valueOf() : null
  }

  /** The attributes as the `cookie` package and express-session's stores know them. */
  get data(): CookieData {
    return {
      originalMaxAge: this.originalMaxAge,
      partitioned: this.partitioned,
      priority: this.priority,
      expires: this.expires,
      secure: this.secure,
      httpOnly: this.httpOnly,
      domain: this.domain,
      path: this.path,
      sameSite: this.sameSite,
    }
  }

  /** The Set-Cookie line for a value. Throws TypeError on attributes that no cookie can have. */
  serialize(name: string, value: string): string {
    const { expires, secure, sameSite, ...attributes } = this.data
    return stringifySetCookie({
      ...attributes,
      name,
      value,
      expires: expires || undefined,
      secure: secure === true,
      sameSite: sameSite === 'auto' ? undefined : sameSite,
    })
  }

  toJSON(): CookieData {
    return this.data
  }

  /** The attributes in which this cookie differs from `other`; undefined when there are none. */
  overrides(other: Cookie): CookieAttributes | undefined {
    // Hot: most cookies differ in nothing, and a loop over the names takes six times as long to see it.
    if (
      this.path === other.path &&
      this.httpOnly === other.httpOnly &&
      this.domain === other.domain &&
      this.secure === other.secure &&
      this.sameSite === other.sameSite &&
      this.partitioned === other.partitioned &&
      this.priority === other.priority
    ) {
      return undefined
    }
    const differing: Record<string, unknown> = {}
    for (const name of ATTRIBUTES) {
      if (this[name] !== other[name]) differing[name] = this[name] ?? null
    }
    return differing
  }

  /** Sets the attributes that `overrides` of another cookie found. */
  override(overrides: CookieAttributes): void {
    for (const name of ATTRIBUTES) {
      if (Object.hasOwn(overrides, name)) Object.assign(this, { [name]: overrides[name] ?? undefined })
    }
  }

  /** Starts the lifetime anew, as every request does. */
  renew(): void {
    const { originalMaxAge } = this
    this.#expires = typeof originalMaxAge === 'number' ? inTime(originalMaxAge) : originalMaxAge
  }

  /** Puts the stored end and lifetime back, without counting anew. */
  restore(expires: number | null, originalMaxAge: number | null): void {
    this.#expires = expires
    this.originalMaxAge = originalMaxAge
  }
}

/**
 * The lifetime that a cookie was given, ms; null: until the browser closes, which handlers also say by `expires = false`
 * (express-session then has false for an `originalMaxAge`).
 */
export function lifetimeOf({ originalMaxAge }: Pick<Cookie, 'originalMaxAge'>): number | null {
  return typeof originalMaxAge === 'number' && !Number.isNaN(originalMaxAge) ? originalMaxAge : null
}

/** `ms` from now, ms since the epoch; null for what is no time. Never past the last year that a cookie can say. */
function inTime(ms: number): number | null {
  const time = Math.min(Math.max(Date.now() + ms, 0), LAST)
  return Number.isNaN(time) ? null : time
}

/** The end of the year 9999: RFC 6265bis, section 5.1.1, reads years of four digits. */
const LAST = 253_402_300_799_000

export interface CookieData extends CookieAttributes {
  originalMaxAge: number | null
  expires: Date | null | false | undefined
}

/** As JSON has it. */
export interface StoredCookie extends CookieAttributes {
  readonly originalMaxAge?: number | null
  readonly expires?: Date | string | null | false | undefined
}

const ATTRIBUTES = ['domain', 'httpOnly', 'partitioned', 'path', 'priority', 'sameSite', 'secure'] as const

const SETTABLE: ReadonlySet<string> = new Set([...ATTRIBUTES, 'expires', 'maxAge', 'originalMaxAge'])
