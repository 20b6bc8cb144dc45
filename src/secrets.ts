/** What may sign a cookie: checked once, at construction, for the middleware and for `createCore`. */
import type { Secret } from './engine/engine.ts'
import { SessionError } from './errors.ts'

/** Bytes that the signing secret must have: the length of the HMAC's output (RFC 2104, section 3). */
const SECRET_BYTES = 32

const HOW_TO_MAKE_ONE = `make one with: node -e "console.log(require('node:crypto').randomBytes(32).toString('base64url'))"`

let warned = false

/**
 * The secrets as a list: the first signs, all verify. A first secret under 32 bytes throws, unless `allowWeak`
 * turns that into one process warning; older ones may be short, but not empty.
 */
export function checkSecrets(value: unknown, allowWeak: boolean): readonly Secret[] {
  const secrets: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (value === undefined || value === null || secrets.length === 0) {
    throw new SessionError('ERR_SESSION_OPTION', `"secret" is missing: ${HOW_TO_MAKE_ONE}`)
  }
  if (!secrets.every(isSecret)) {
    throw new SessionError(
      'ERR_SESSION_OPTION',
      `"secret" must be a non-empty string or Uint8Array, or an array of them: ${HOW_TO_MAKE_ONE}`,
    )
  }
  const bytes = byteLength(secrets[0] as Secret)
  if (bytes < SECRET_BYTES) {
    const weakness = `"secret" has ${bytes} bytes, which can be guessed; it needs at least ${SECRET_BYTES}: ${HOW_TO_MAKE_ONE}`
    if (!allowWeak) throw new SessionError('ERR_SESSION_WEAK_SECRET', weakness)
    if (!warned) globalThis.process?.emitWarning?.(weakness, { code: 'ERR_SESSION_WEAK_SECRET' })
    warned = true
  }
  return secrets
}

function isSecret(value: unknown): value is Secret {
  return (typeof value === 'string' || value instanceof Uint8Array) && value.length > 0
}

function byteLength(secret: Secret): number {
  return typeof secret === 'string' ? new TextEncoder().encode(secret).length : secret.length
}
