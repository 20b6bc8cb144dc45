/** What may sign a cookie: checked once, at construction, for the middleware and for `createCore`. */

import type { KeyObject } from 'node:crypto'
import type { Secret } from './engine/engine.ts'
import { SessionError } from './errors.ts'
import { warnOnce } from './warnings.ts'

/** A secret in any form that node:crypto takes keys in. */
export type SecretInput = Secret | NodeJS.ArrayBufferView | KeyObject

/** Bytes that a signing secret must have: as many as the HMAC's output (RFC 2104, section 3). */
const MIN_BYTES = 32

const FIX = `Make one with: node -e "console.log(require('node:crypto').randomBytes(32).toString('base64url'))"`

/**
 * The secrets as a list of their own: the first signs, all verify. A first one under 32 bytes throws
 * ERR_SESSION_WEAK_SECRET, unless `allowWeak` turns that into one process warning; the later ones may be short. What
 * is no secret at all throws ERR_SESSION_OPTION. `option` is the name that the messages give.
 */
export function checkSecrets(value: unknown, allowWeak: boolean, option = 'secret'): readonly Secret[] {
  const secrets: readonly unknown[] = (Array.isArray(value) ? value : [value]).map(plain)
  if (secrets.length === 0) {
    throw new SessionError(
      'ERR_SESSION_OPTION',
      `"${option}" is an empty list; it needs at least one secret. ${FIX}`,
    )
  }
  if (!secrets.every(isSecret)) {
    throw new SessionError(
      'ERR_SESSION_OPTION',
      `"${option}" must be a non-empty string or bytes, or a list of them. ${FIX}`,
    )
  }
  const bytes = byteLength(secrets[0]!)
  if (bytes < MIN_BYTES) {
    const weakness = `"${option}" has ${bytes} bytes, short enough to be guessed; it needs ${MIN_BYTES}. ${FIX}`
    if (!allowWeak) throw new SessionError('ERR_SESSION_WEAK_SECRET', weakness)
    warnOnce('ERR_SESSION_WEAK_SECRET', weakness)
  }
  return secrets
}

/** Typed arrays as their bytes, a secret key of node:crypto likewise; whatever else as it is. */
function plain(secret: unknown): unknown {
  if (ArrayBuffer.isView(secret)) return new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
  const { type, export: bytes } = Object(secret)
  return type === 'secret' && typeof bytes === 'function' ? (secret as KeyObject).export() : secret
}

/** By tag and not by class, so that bytes of another realm (vm, Jest) count. */
function isSecret(value: unknown): value is Secret {
  if (typeof value === 'string') return value !== ''
  return Object.prototype.toString.call(value) === '[object Uint8Array]' && (value as Uint8Array).length > 0
}

function byteLength(secret: Secret): number {
  return typeof secret === 'string' ? new TextEncoder().encode(secret).length : secret.length
}
