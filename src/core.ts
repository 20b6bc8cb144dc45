/** `fast-session/core`: the primitives, for use outside the middleware. */
import { createCodec } from './codec/select.ts'
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
  /** How many bytes `encode` may make of a value. Default 1 MiB (1,048,576). */
  readonly maxBytes?: number | undefined
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

  /**
   * A value as MessagePack, in its shortest form and the same on every engine. The bytes are the caller's to keep.
   *
   * | value | form |
   * |---|---|
   * | null, booleans, text, arrays, `Uint8Array` and Buffer | nil, bool, str, array, bin |
   * | integers up to 2^53 - 1 either way | int; -0 and all other numbers: float 64 |
   * | plain objects, instances of classes | map of the own enumerable string keys, in their order |
   * | Date | timestamp (extension -1); an invalid one: nil |
   * | Map, Set | extension 1 around a map, extension 2 around an array |
   * | BigInt | int 64 or uint 64 where no number could be meant; else extension 3, two's complement |
   * | text with lone surrogates | extension 4, UTF-16 little-endian |
   *
   * The rest is as JSON.stringify has it: `toJSON` is called (but not that of Date and Buffer), undefined, functions
   * and symbols are left out of objects and null elsewhere, boxed primitives are unwrapped. Throws ERR_SESSION_ENCODE,
   * with the path of the offender, for a cycle, more than 100 levels of nesting, or more than `maxBytes`.
   */
  encode(value: unknown): Uint8Array

  /**
   * As `encode`, but answers undefined when the bytes would be those of `previous`: the cheapest way to know whether a
   * value is still what it was. Never mistaken either way.
   */
  encodeIfChanged(value: unknown, previous: Uint8Array): Uint8Array | undefined

  /**
   * The value that `encode`, or any other encoder of MessagePack, made the bytes of. Binary data is a Uint8Array of
   * its own, an integer beyond 2^53 - 1 a BigInt, a key that is a number text; of equal keys the last one counts, and
   * `__proto__` is a key like any other. Throws ERR_SESSION_DECODE for all that isn't exactly one value: bytes that
   * are missing or left over, text that isn't UTF-8, extensions of other types, more than 100 levels of nesting.
   */
  decode(bytes: Uint8Array): unknown

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
  const { secrets, allowWeakSecret = false, engine: name = 'auto', module, maxBytes } = options
  if (typeof allowWeakSecret !== 'boolean') {
    throw new SessionError('ERR_SESSION_OPTION', '"allowWeakSecret" must be true or false.')
  }
  if (maxBytes !== undefined && !(Number.isInteger(maxBytes) && maxBytes > 0)) {
    throw new SessionError('ERR_SESSION_OPTION', '"maxBytes" must be a positive integer, in bytes.')
  }
  const keys = checkSecrets(secrets, allowWeakSecret, 'secrets')
  const engine = selectEngine(name, { module })
  const keyring = engine.keyring(keys)
  const codec = createCodec(engine.name, { maxBytes, module })
  return {
    engine: engine.name,
    sign: (value) => keyring.sign(checkText(value, 'sign')),
    verify: (signed) => typeof signed === 'string' && keyring.verify(signed),
    newId: () => engine.newId(),
    hashId: (id) => engine.hashId(checkText(id, 'hashId')),
    encode: codec.encode,
    encodeIfChanged: (value, previous) =>
      codec.encodeIfChanged(value, checkBytes(previous, 'encodeIfChanged')),
    decode: (bytes) => codec.decode(checkBytes(bytes, 'decode')),
    dispose: () => keyring.dispose(),
  }
}

function checkText(value: unknown, method: string): string {
  if (typeof value !== 'string') {
    throw new SessionError('ERR_SESSION_OPTION', `${method}() takes a string, not ${typeof value}.`)
  }
  return value
}

function checkBytes(bytes: unknown, method: string): Uint8Array {
  if (!(bytes instanceof Uint8Array)) {
    throw new SessionError('ERR_SESSION_OPTION', `${method}() takes a Uint8Array, not ${typeof bytes}.`)
  }
  return bytes
}
