/** A list of keys, and the wire form of what they sign, which the cookie-signature package defined. */
import { SessionError } from '../errors.ts'
import type { Keyring } from './engine.ts'

/** One key of an engine. */
export interface Key {
  /** HMAC-SHA256 of the value's UTF-8, as base64 without padding. */
  signature(value: string): string

  /** Whether the text behind the dot is the signature of the text before it. Constant-time in the signature. */
  matches(signed: string, dot: number): boolean

  wipe(): void
}

/** Characters of a signature: 32 bytes as base64 without padding. */
export const SIGNATURE_LENGTH = 43

export class KeyList implements Keyring {
  #keys: readonly Key[]

  constructor(keys: readonly Key[]) {
    this.#keys = keys
  }

  sign(value: string): string {
    const key = this.#keys[0]
    if (key === undefined) {
      throw new SessionError(
        'ERR_SESSION_ENGINE',
        'sign() after dispose(): the keys are wiped, make a new core.',
      )
    }
    return `${value}.${key.signature(value)}`
  }

  verify(signed: string): string | false {
    const dot = signed.length - SIGNATURE_LENGTH - 1
    if (signed.charCodeAt(dot) !== 0x2e) return false
    for (const key of this.#keys) {
      if (key.matches(signed, dot)) return signed.slice(0, dot)
    }
    return false
  }

  dispose(): void {
    for (const key of this.#keys) key.wipe()
    this.#keys = []
  }
}

/** `matches` for a key that can only sign. All characters are compared before the answer is known. */
export function endsInSignature(signed: string, dot: number, signature: string): boolean {
  let difference = 0
  for (let i = 0; i < SIGNATURE_LENGTH; i++) {
    difference |= signed.charCodeAt(dot + 1 + i) ^ signature.charCodeAt(i)
  }
  return difference === 0
}
