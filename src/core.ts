/** `fast-session/core`: the primitives, for use outside the middleware. */
import type { EngineName } from './engine/engine.ts'
import { selectEngine } from './engine/select.ts'
import { SessionError } from './errors.ts'
import { checkSecrets, type SecretInput } from './secrets.ts'

export type { EngineName, Secret } from './engine/engine.ts'
export { SessionError, type SessionErrorCode } from './errors.ts'
export type { SecretInput } from './secrets.ts'

export interface CoreOptions {
  /**
   * The signing secret, a string, bytes or a KeyObject, at least 32 bytes; or a list, of which the first signs and
   * all verify (rotation: put the new one in front).
   */
  readonly secrets: SecretInput | readonly SecretInput[]
  /** Turns the error about a signing secret under 32 bytes into one process warning. Default false. */
  readonly allowWeakSecret?: boolean | undefined
  /** Which engine runs. Default `auto`: the first of wasm, node and js that works here. */
  readonly engine?: 'auto' | EngineName | undefined
  /**
   * The package's `core.wasm` as a compiled WebAssembly.Module, for runtimes that forbid compiling from bytes.
   * Default: the module that is embedded in the package.
   */
  readonly module?: object | undefined
}

export interface Core {
  /** The engine that runs. */
  readonly engine: EngineName

  /** `value.signature`, as the cookie-signature package makes it. Throws after dispose. */
  sign(value: string): string

  /** The value, if any of the secrets signed it, else false; false after dispose. Takes constant time. */
  verify(signed: string): string | false

  /** A new session id: 192 random bits as 32 base64url characters. */
  newId(): string

  /** What a store of this package is told instead of a session id: its SHA-256 as base64url. */
  hashId(id: string): string

  /** Wipes the keys. */
  dispose(): void
}

/**
 * Throws ERR_SESSION_OPTION for an option that is wrong, ERR_SESSION_WEAK_SECRET for a signing secret under 32 bytes,
 * ERR_SESSION_ENGINE for a named engine that can't run here.
 */
export function createCore(options: CoreOptions): Core {
  if (typeof options !== 'object' || options === null) {
    throw new SessionError('ERR_SESSION_OPTION', 'createCore() takes an object with at least "secrets".')
  }
  const { secrets, allowWeakSecret = false, engine: name = 'auto', module } = options
  if (typeof allowWeakSecret !== 'boolean') {
    throw new SessionError('ERR_SESSION_OPTION', '"allowWeakSecret" must be true or false.')
  }
  const keys = checkSecrets(secrets, allowWeakSecret, 'secrets')
  const engine = selectEngine(name, { module })
  const keyring = engine.keyring(keys)
  return {
    engine: engine.name,
    sign: (value) => keyring.sign(checkText(value, 'sign')),
    verify: (signed) => typeof signed === 'string' && keyring.verify(signed),
    newId: () => engine.newId(),
    hashId: (id) => engine.hashId(checkText(id, 'hashId')),
    dispose: () => keyring.dispose(),
  }
}

function checkText(value: unknown, method: string): string {
  if (typeof value !== 'string') {
    throw new SessionError('ERR_SESSION_OPTION', `${method}() takes a string, not ${typeof value}.`)
  }
  return value
}
