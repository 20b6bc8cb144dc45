/** The engine in plain JavaScript, on @noble/hashes, for runtimes with neither WebAssembly nor node:crypto. */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Engine, Keyring, Secret } from './engine.ts'
import { endsInSignature, type Key, KeyList } from './keyring.ts'

/** Throws where there is no Web Crypto to take random bytes from. */
export function jsEngine(): Engine {
  return new JsEngine()
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Random bytes of an id, and how many ids one call for random bytes serves. */
const ID = 24
const POOL_IDS = 256

const encoder = new TextEncoder()

class JsEngine implements Engine {
  readonly name = 'js'
  readonly #pool = new Uint8Array(ID * POOL_IDS)
  #spent = this.#pool.length

  keyring(secrets: readonly Secret[]): Keyring {
    return new KeyList(secrets.map((secret) => new JsKey(secret)))
  }

  newId(): string {
    if (this.#spent === this.#pool.length) {
      crypto.getRandomValues(this.#pool)
      this.#spent = 0
    }
    const bytes = this.#pool.subarray(this.#spent, this.#spent + ID)
    this.#spent += ID
    const id = encode(bytes, BASE64URL)
    bytes.fill(0)
    return id
  }

  hashId(id: string): string {
    return encode(sha256(encoder.encode(id)), BASE64URL)
  }
}

class JsKey implements Key {
  /** Holds the midstates of RFC 2104. Each message starts from a copy of it. */
  readonly #start
  readonly #running
  readonly #digest = new Uint8Array(32)

  constructor(secret: Secret) {
    const bytes = typeof secret === 'string' ? encoder.encode(secret) : secret
    this.#start = hmac.create(sha256, bytes)
    this.#running = this.#start.clone()
    if (bytes !== secret) bytes.fill(0)
  }

  signature(text: string): string {
    this.#start._cloneInto(this.#running).update(encoder.encode(text)).digestInto(this.#digest)
    return encode(this.#digest, BASE64)
  }

  matches(signed: string, dot: number): boolean {
    return endsInSignature(signed, dot, this.signature(signed.slice(0, dot)))
  }

  wipe(): void {
    this.#start.destroy()
    this.#running.destroy()
  }
}

/** RFC 4648, section 4, without padding. */
function encode(bytes: Uint8Array, alphabet: string): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const group = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    text += alphabet.charAt(group >> 18) + alphabet.charAt((group >> 12) & 63)
    text += alphabet.charAt((group >> 6) & 63) + alphabet.charAt(group & 63)
  }
  return text.slice(0, Math.ceil((bytes.length * 4) / 3))
}
