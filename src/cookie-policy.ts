/** The cookie that the options give to new sessions, with 'auto' settled by how the request came. */
import { Cookie, type CookieOptions } from './cookie.ts'

export class CookiePolicy {
  /** Requests outside this path get no session. */
  readonly path: string
  readonly #options: CookieOptions
  readonly #auto: boolean
  // One for requests by HTTPS, one for the others. Copying a template takes a tenth of reading the options.
  #secure: Cookie | undefined
  #insecure: Cookie | undefined

  constructor(options: CookieOptions) {
    this.path = options.path || '/'
    this.#options = options
    this.#auto = options.secure === 'auto' || options.sameSite === 'auto'
  }

  /** The cookie to copy. Whether the request is secure is asked only where the options say 'auto'. */
  template(request: { isSecure(): boolean }): Cookie {
    if (!this.#auto || !request.isSecure()) {
      this.#insecure ??= this.#make(false)
      return this.#insecure
    }
    this.#secure ??= this.#make(true)
    return this.#secure
  }

  #make(secure: boolean): Cookie {
    const cookie = new Cookie(this.#options)
    if (cookie.secure === 'auto') cookie.secure = secure
    if (cookie.sameSite === 'auto') cookie.sameSite = secure ? 'none' : 'lax'
    return cookie
  }
}
