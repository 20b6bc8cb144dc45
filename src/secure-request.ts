/** Whether a request came by HTTPS, as express-session decides it. */
import type { IncomingHttpHeaders } from 'node:http'

/** What of a request tells how it came: Node's, and Express's `secure`. */
export interface TransportRequest {
  readonly headers?: IncomingHttpHeaders
  readonly socket?: { readonly encrypted?: boolean } | null
  readonly connection?: { readonly encrypted?: boolean } | null
  readonly secure?: boolean
}

/**
 * `proxy` true: the first value of X-Forwarded-Proto decides; false: only the socket does; undefined: Express's
 * `req.secure`, which follows its `trust proxy` setting.
 */
export function isSecure(req: TransportRequest, proxy: boolean | undefined): boolean {
  const socket = req.socket ?? req.connection
  if (socket?.encrypted) return true
  if (proxy === false) return false
  if (proxy === undefined) return req.secure === true
  return forwardedProto(req) === 'https'
}

/** The protocol that the outermost proxy named, in lower case. */
export function forwardedProto({ headers }: TransportRequest): string {
  const header = headers?.['x-forwarded-proto']
  return header === undefined ? '' : String(header).split(',', 1)[0]!.trim().toLowerCase()
}
