/** The engine in plain JavaScript, on @noble/hashes, for runtimes with neither WebAssembly nor node:crypto. */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Hash } from '@noble/hashes/utils.js'
import type { Engine, Keyring, Secret } from './engine.ts'
import { endsInSignature, type Key, KeyList } from './keyring.ts'

let engine: Engine | undefined

/** One engine serves the whole process. Needs Web Crypto for random bytes, and nothing else. */
export function jsEngine(): Engine {
  engine ??= new JsEngine()
  return engine
}

/** Random bytes of an id, and how many ids one call for random bytes serves. */
const ID = 24
const POOL_IDS = 256

const encoder = new TextEncoder()

class JsEngine implements Engine {
  readonly name = 'js'
  readonly #base64 = new Base64('+/')
  readonly #base64url = new Base64('-_')
  readonly #sha256 = new Digester(sha256.create())
  readonly #pool = new Uint8Array(ID * POOL_IDS)
  #spent = this.#pool.length

  keyring(secrets: readonly Secret[]): Keyring {
    return new KeyList(secrets.map((secret) => new JsKey(secret, this.#base64)))
  }

  newId(): string {
    if (this.#spent === this.#pool.length) {
      crypto.getRandomValues(this.#pool)
      this.#spent = 0
    }
    const bytes = this.#pool.subarray(this.#spent, this.#spent + ID)
    this.#spent += ID
    const id = this.#base64url.encode(bytes)
    bytes.fill(0)
    return id
  }

  hashId(id: string): string {
    return this.#base64url.encode(this.#sha256.digest(id))
  }
}

class JsKey implements Key {
  readonly #hmac
  readonly #base64: Base64

  constructor(secret: Secret, base64: Base64) {
    const bytes = typeof secret === 'string' ? encoder.encode(secret) : secret
    this.#hmac = new Digester(hmac.create(sha256, bytes))
    this.#base64 = base64
    if (bytes !== secret) bytes.fill(0)
  }

  signature(value: string): string {
    return this.#base64.encode(this.#hmac.digest(value))
  }

  matches(signed: string, dot: number): boolean {
    return endsInSignature(signed, dot, this.signature(signed.slice(0, dot)))
  }

  wipe(): void {
    this.#hmac.wipe()
  }
}

/** Hashes texts from one initial state, for an HMAC the midstates; a copy takes half the time of a fresh start. */
class Digester<T extends Hash<T>> {
  readonly #start: T
  readonly #running: T
  readonly #digest = new Uint8Array(32)

  constructor(start: T) {
    this.#start = start
    this.#running = start.clone()
  }

  /** Valid until the next call. */
  digest(text: string): Uint8Array {
    this.#start._cloneInto(this.#running).update(encoder.encode(text)).digestInto(this.#digest)
    return this.#digest
  }

  wipe(): void {
    this.#start.destroy()
    this.#running.destroy()
  }
}

/** Base64 without padding, RFC 4648 sections 4 and 5, from a table of pairs of characters. */
class Base64 {
  readonly #pairs: readonly string[]

  constructor(last: '+/' | '-_') {
    const alphabet = [...`ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${last}`]
    this.#pairs = alphabet.flatMap((first) => alphabet.map((second) => first + second))
  }

  /** Of 3n or 3n + 2 bytes. */
  encode(bytes: Uint8Array): string {
    const pairs = this.#pairs
    const whole = bytes.length - (bytes.length % 3)
    let text = ''
    for (let at = 0; at < whole; at += 3) {
      const group = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
      text += pairs[group >> 12]! + pairs[group & 0xfff]!
    }
    if (whole === bytes.length) return text
    const group = (bytes[whole]! << 16) | (bytes[whole + 1]! << 8)
    return text + pairs[group >> 12]! + pairs[group & 0xfff]![0]!
  }
}
