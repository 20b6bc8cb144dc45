/** The engine on node:crypto, for runtimes that have it and no WebAssembly. */
import type { Engine, Keyring, Secret } from './engine.ts'
import { endsInSignature, type Key, KeyList, SIGNATURE_LENGTH } from './keyring.ts'

type NodeCrypto = typeof import('node:crypto')

let engine: Engine | undefined

/** One engine serves the whole process. Throws where there is no node:crypto, or none with `hash` (Node 20.12). */
export function nodeEngine(): Engine {
  engine ??= new NodeEngine(nodeCrypto())
  return engine
}

function nodeCrypto(): NodeCrypto {
  // Not an import, at which a bundler for another platform would stumble.
  const crypto = globalThis.process?.getBuiltinModule?.('node:crypto')
  if (crypto === undefined) throw new Error('this runtime has no node:crypto')
  if (crypto.hash === undefined) throw new Error('this runtime has no hash() in node:crypto')
  return crypto
}

/** Bytes of a SHA-256 block and of a digest. */
const BLOCK = 64
const DIGEST = 32

/** Random bytes of an id, and how many ids one call for random bytes serves. */
const ID = 24
const POOL_IDS = 256

/** Bytes of a message that are hashed where they are written; a longer one is copied once more. */
const MESSAGE = 1024

class NodeEngine implements Engine {
  readonly name = 'node'
  readonly #crypto: NodeCrypto
  readonly #pool = Buffer.alloc(ID * POOL_IDS)
  #spent = this.#pool.length

  constructor(crypto: NodeCrypto) {
    this.#crypto = crypto
  }

  keyring(secrets: readonly Secret[]): Keyring {
    return new KeyList(secrets.map((secret) => new NodeKey(this.#crypto, secret)))
  }

  newId(): string {
    const pool = this.#pool
    if (this.#spent === pool.length) {
      this.#crypto.randomFillSync(pool)
      this.#spent = 0
    }
    const start = this.#spent
    this.#spent += ID
    const id = pool.toString('base64url', start, this.#spent)
    pool.fill(0, start, this.#spent)
    return id
  }

  hashId(id: string): string {
    return this.#crypto.hash('sha256', id, 'base64url')
  }
}

const encoder = new TextEncoder()

/**
 * RFC 2104 on the one-shot hash: H(K XOR opad, H(K XOR ipad, text)), 0.7 us a message where createHmac takes 1.6.
 * node:crypto gives no access to the midstates, so what is kept is the padded key, each time hashed anew.
 */
class NodeKey implements Key {
  readonly #crypto: NodeCrypto
  /** K XOR ipad, and room for a message. */
  readonly #inner = Buffer.alloc(BLOCK + MESSAGE)
  /** K XOR opad, and room for a digest. */
  readonly #outer = Buffer.alloc(BLOCK + DIGEST)
  readonly #message = this.#inner.subarray(BLOCK)
  /** The padded key with the message; kept, because a message mostly has the length of the one before. */
  #padded = this.#inner

  constructor(crypto: NodeCrypto, secret: Secret) {
    this.#crypto = crypto
    const bytes = Buffer.from(secret)
    const key = bytes.length > BLOCK ? crypto.hash('sha256', bytes, 'buffer') : bytes
    for (let i = 0; i < BLOCK; i++) {
      const byte = key[i] ?? 0
      this.#inner[i] = byte ^ 0x36
      this.#outer[i] = byte ^ 0x5c
    }
    key.fill(0)
    bytes.fill(0)
  }

  signature(text: string): string {
    const { hash } = this.#crypto
    // A digest goes from call to call as a string of bytes: as a Buffer it takes 0.4 us more.
    this.#outer.write(hash('sha256', this.#pad(text), 'binary'), BLOCK, 'latin1')
    return hash('sha256', this.#outer, 'base64').slice(0, SIGNATURE_LENGTH)
  }

  matches(signed: string, dot: number): boolean {
    return endsInSignature(signed, dot, this.signature(signed.slice(0, dot)))
  }

  wipe(): void {
    this.#inner.fill(0)
    this.#outer.fill(0)
  }

  #pad(text: string): Uint8Array {
    const { read, written } = encoder.encodeInto(text, this.#message)
    if (read < text.length) return Buffer.concat([this.#inner.subarray(0, BLOCK), Buffer.from(text)])
    const length = BLOCK + written
    if (this.#padded.length !== length) this.#padded = this.#inner.subarray(0, length)
    return this.#padded
  }
}
