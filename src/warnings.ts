/** Process warnings that tell why a session cookie did not go out: once for each reason, with a stable code. */

export type WarningCode =
  /** A signing secret under 32 bytes, which `allowWeakSecret` lets pass. */
  | 'ERR_SESSION_WEAK_SECRET'
  /** The cookie is Secure, the request came by plain HTTP. */
  | 'SESSION_COOKIE_INSECURE'
  /** The request came by HTTPS to a proxy that is not trusted. */
  | 'SESSION_PROXY_UNTRUSTED'
  /** `sameSite: 'none'` without `secure`: browsers drop such a cookie (RFC 6265bis, section 5.7). */
  | 'SESSION_COOKIE_SAMESITE'
  /** The name promises what the attributes break (RFC 6265bis, section 4.1.3): browsers drop such a cookie. */
  | 'SESSION_COOKIE_PREFIX'
  /** Sessions are kept in the memory of one process, in production. */
  | 'SESSION_MEMORY_STORE'
  /** An own or third-party store reported an error that no callback took. */
  | 'SESSION_STORE_ERROR'

const told = new Set<string>()

/** Emits a process warning, the first time that this code comes up. */
export function warnOnce(code: WarningCode, message: string): void {
  if (told.has(code)) return
  told.add(code)
  globalThis.process?.emitWarning?.(message, { type: 'SessionWarning', code })
}
