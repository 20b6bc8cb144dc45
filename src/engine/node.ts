/** The engine on node:crypto, for runtimes that have it and no WebAssembly. */
import type { Engine, Keyring, Secret } from './engine.ts'
import { disposedError, SIGNATURE_LENGTH } from './signature.ts'

type NodeCrypto = typeof import('node:crypto')

/** Throws where there is no node:crypto. */
export function nodeEngine(): Engine {
  const crypto = nodeCrypto()
  return {
    name: 'node',
    keyring: (secrets) => new NodeKeyring(crypto, secrets),
    newId: () => crypto.randomBytes(24).toString('base64url'),
    hashId: (id) => crypto.createHash('sha256').update(id).digest('base64url'),
  }
}

/** Not an import: bundlers for other platforms would stumble over it. */
function nodeCrypto(): NodeCrypto {
  const crypto = globalThis.process?.getBuiltinModule?.('node:crypto')
  if (crypto === undefined) throw new Error('this runtime has no node:crypto')
  return crypto
}

class NodeKeyring implements Keyring {
  readonly #crypto: NodeCrypto
  #keys: import('node:crypto').KeyObject[]

  constructor(crypto: NodeCrypto, secrets: readonly Secret[]) {
    this.#crypto = crypto
    this.#keys = secrets.map((secret) =>
      typeof secret === 'string' ? crypto.createSecretKey(secret, 'utf8') : crypto.createSecretKey(secret),
    )
  }

  sign(value: string): string {
    const key = this.#keys[0]
    if (key === undefined) throw disposedError()
    return `${value}.${this.#signature(value, key)}`
  }

  verify(signed: string): string | false {
    const dot = signed.length - SIGNATURE_LENGTH - 1
    if (dot < 0 || signed[dot] !== '.') return false
    const value = signed.slice(0, dot)
    const claim = Buffer.from(signed.slice(dot + 1))
    if (claim.length !== SIGNATURE_LENGTH) return false
    for (const key of this.#keys) {
      if (this.#crypto.timingSafeEqual(Buffer.from(this.#signature(value, key)), claim)) return value
    }
    return false
  }

  dispose(): void {
    this.#keys = []
  }

  #signature(value: string, key: import('node:crypto').KeyObject): string {
    return this.#crypto.createHmac('sha256', key).update(value).digest('base64').slice(0, SIGNATURE_LENGTH)
  }
}
