/** Whether a response carries the session cookie, and which; and, where it should but can't, why not. */
import { Cookie } from './cookie.ts'
import type { Exchange } from './exchange.ts'
import { forwardedProto, type TransportRequest } from './secure-request.ts'
import { warnOnce } from './warnings.ts'

/** The Set-Cookie line of a committed session; undefined when this response carries none. */
export function sessionCookie(exchange: Exchange): string | undefined {
  const { session, sessionID: id, setup } = exchange
  const { name, rolling, saveUninitialized } = setup.options
  if (exchange.gone)
    return expiredLine(name, Cookie.like(session?.cookie ?? exchange.cookieTemplate().copy()))
  if (!session || exchange.lost || typeof id !== 'string') return undefined
  const { cookie } = session
  const due =
    exchange.cookieId !== id
      ? saveUninitialized || exchange.modified
      : rolling || (cookie.expires != null && exchange.modified)
  if (!due) return undefined
  const secure = exchange.isSecure()
  if (!secure) tellWhatIsWrong(exchange, cookie)
  if (cookie.secure && !secure) return undefined
  return exchange.cookieTemplate().line(name, exchange.sign(id), cookie)
}

/** Makes the browser forget the cookie of the same attributes (RFC 6265bis, section 5.7). */
function expiredLine(name: string, cookie: Cookie): string {
  cookie.restore(0, null)
  return cookie.serialize(name, '')
}

/** What keeps the cookie of a request that came by plain HTTP, or seems to, from working. */
function tellWhatIsWrong({ req, setup }: Exchange, cookie: Cookie): void {
  const { name } = setup.options
  if (forwardedProto(req as TransportRequest) === 'https') {
    warnOnce(
      'SESSION_PROXY_UNTRUSTED',
      `The cookie "${name}" was ${cookie.secure ? 'not set' : 'set without Secure'}: the proxy that says X-Forwarded-Proto: https is not trusted. Add app.set('trust proxy', 1), or the option proxy: true.`,
    )
  } else if (cookie.secure) {
    warnOnce(
      'SESSION_COOKIE_INSECURE',
      `The cookie "${name}" was not set: it is Secure, and the request came by plain HTTP. Use HTTPS, or cookie.secure: 'auto'.`,
    )
  } else if (String(cookie.sameSite).toLowerCase() === 'none') {
    warnOnce(
      'SESSION_COOKIE_SAMESITE',
      `Browsers drop the cookie "${name}": it has sameSite 'none' and is not Secure, since the request came by plain HTTP. Use HTTPS, or sameSite: 'auto'.`,
    )
  }
}
