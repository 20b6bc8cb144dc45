/** The cookie that the options give to new sessions, with 'auto' settled by how the request came. */
import { Cookie, type CookieOptions } from './cookie.ts'

export class CookiePolicy {
  /** Requests outside this path get no session. */
  readonly path: string
  readonly #options: CookieOptions
  readonly #auto: boolean
  // One for requests by HTTPS, one for the others: copying a template takes a tenth of reading the options.
  #secure: CookieTemplate | undefined
  #insecure: CookieTemplate | undefined

  constructor(options: CookieOptions) {
    this.path = options.path || '/'
    this.#options = options
    this.#auto = options.secure === 'auto' || options.sameSite === 'auto'
  }

  /** The cookie to copy. Whether the request is secure is asked only where the options say 'auto'. */
  template(request: { isSecure(): boolean }): CookieTemplate {
    if (!this.#auto || !request.isSecure()) {
      this.#insecure ??= new CookieTemplate(this.#make(false))
      return this.#insecure
    }
    this.#secure ??= new CookieTemplate(this.#make(true))
    return this.#secure
  }

  #make(secure: boolean): Cookie {
    const cookie = new Cookie(this.#options)
    if (cookie.secure === 'auto') cookie.secure = secure
    if (cookie.sameSite === 'auto') cookie.sameSite = secure ? 'none' : 'lax'
    return cookie
  }
}

/** A cookie that many are copies of: what of their Set-Cookie lines is the same for all is made once. */
export class CookieTemplate {
  readonly #cookie: Cookie
  #beforeExpires: string | undefined
  #afterExpires = ''

  constructor(cookie: Cookie) {
    this.#cookie = cookie
  }

  /** The lifetime of its copies, ms; null: until the browser closes. */
  get originalMaxAge(): number | null {
    return this.#cookie.originalMaxAge
  }

  /** A new cookie; its lifetime is yet to begin. */
  copy(): Cookie {
    return Cookie.like(this.#cookie)
  }

  /** In what a cookie differs from this one, but for its lifetime; undefined when it doesn't. */
  overrides(cookie: Cookie): ReturnType<Cookie['overrides']> {
    return cookie.overrides(this.#cookie)
  }

  /** The Set-Cookie line of a cookie. Throws TypeError on a name or attributes that no cookie can have. */
  line(name: string, value: string, cookie: Cookie): string {
    const expires = cookie.expiresAt
    if (this.overrides(cookie) !== undefined || Number.isNaN(expires)) return cookie.serialize(name, value)
    if (this.#beforeExpires === undefined) this.#split(name)
    const middle = expires === null ? '' : `; Expires=${utcText(expires)}`
    return `${name}=${encodeURIComponent(value)}${this.#beforeExpires}${middle}${this.#afterExpires}`
  }

  /** Has the cookie package write a line once, and keeps what stands around its Expires. */
  #split(name: string): void {
    const sample = this.copy()
    sample.restore(0, null)
    const line = sample.serialize(name, '')
    const marker = `; Expires=${utcText(0)}`
    const at = line.indexOf(marker)
    this.#beforeExpires = line.slice(name.length + 1, at)
    this.#afterExpires = line.slice(at + marker.length)
  }
}

let lastSecond = Number.NaN
let lastText = ''

/** The Date of an Expires attribute (RFC 9110, section 5.6.7), written once a second. */
function utcText(time: number): string {
  const second = Math.floor(time / 1000)
  if (second !== lastSecond) {
    lastText = new Date(time).toUTCString()
    lastSecond = second
  }
  return lastText
}
