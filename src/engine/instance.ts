/** The WebAssembly module of this package: compiled at first use, one instance for the whole process. */
import { coreBase64 } from '#core-bytes'

/** What assembly/index.ts exports. Addresses and sizes are in bytes. */
export interface CoreExports {
  readonly memory: { readonly buffer: ArrayBuffer }

  readonly INPUT: WasmGlobal
  readonly INPUT_SIZE: WasmGlobal
  readonly KEY: WasmGlobal
  readonly KEY_SIZE: WasmGlobal
  readonly TEXT: WasmGlobal
  readonly TEXT_SIZE: WasmGlobal
  readonly POOL: WasmGlobal
  readonly POOL_SIZE: WasmGlobal

  /** Makes the key schedule in KEY of the key at INPUT, at most 64 bytes. */
  setKey(length: number): void
  /** Signs the message at INPUT: 43 characters in TEXT. */
  sign(length: number): void
  /** 1 when the message at INPUT ends in a dot and the signature of what stands before it. */
  verify(length: number): number
  /** SHA-256 of the message at INPUT: 43 characters in TEXT. */
  hash(length: number): void

  /** Messages that don't fit into INPUT: start, absorb whole blocks of 64 bytes, finish with the rest. */
  startMac(): void
  startHash(): void
  absorb(length: number): void
  finishSign(length: number): void
  finishVerify(length: number): number
  finishHash(length: number): void
  setLongKey(length: number): void

  /** For the codec: see assembly/memory.ts and assembly/msgpack/. */
  readonly PAYLOAD: WasmGlobal
  readonly PAYLOAD_SIZE: WasmGlobal
  readonly PAYLOAD_SLACK: WasmGlobal
  readonly SKELETON: WasmGlobal
  readonly TEXTS: WasmGlobal
  readonly TEXTS_SIZE: WasmGlobal
  readonly OUTPUT: WasmGlobal
  readonly UNITS: WasmGlobal
  readonly UNITS_SIZE: WasmGlobal
  readonly UNICODE: WasmGlobal
  readonly UNICODE_SIZE: WasmGlobal
  scan(from: number, to: number, payloadEnd: number): number
  isAscii(from: number, length: number): number
  assemble(skeletonEnd: number, texts: number): number
  toJson(from: number, members: number, payloadEnd: number): number

  /** Tells that POOL is full of random bytes. */
  poolFilled(): void
  /** A new id, 32 characters in TEXT; 0 when the pool is empty. */
  takeId(): number
}

interface WasmGlobal {
  readonly value: number
}

const instances = new WeakMap<object, CoreExports>()
let embedded: object | undefined

/**
 * The instance of a compiled module, by default of the one that is embedded in this package. Throws where there is
 * no WebAssembly, or none that may be compiled from bytes.
 */
export function instantiate(module: object = embeddedModule()): CoreExports {
  const known = instances.get(module)
  if (known !== undefined) return known
  const core = new (webAssembly().Instance)(module, {}).exports as CoreExports
  instances.set(module, core)
  return core
}

function embeddedModule(): object {
  embedded ??= new (webAssembly().Module)(bytesOf(coreBase64))
  return embedded
}

/** Uint8Array.from with a callback would take a millisecond of every start. */
function bytesOf(base64: string): Uint8Array {
  const chars = atob(base64)
  const bytes = new Uint8Array(chars.length)
  for (let i = 0; i < chars.length; i++) bytes[i] = chars.charCodeAt(i)
  return bytes
}

/** As much of the namespace as is needed: no type library but the browser's declares it. */
interface WebAssemblyNamespace {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

/** Undefined in some runtimes, such as `node --jitless`. */
function webAssembly(): WebAssemblyNamespace {
  const namespace = (globalThis as { WebAssembly?: WebAssemblyNamespace }).WebAssembly
  if (namespace === undefined) throw new Error('this runtime has no WebAssembly')
  return namespace
}
