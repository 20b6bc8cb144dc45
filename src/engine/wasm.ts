/** The default engine: SHA-256, HMAC and base64 in WebAssembly, on text written straight into its memory. */
import type { Engine, Keyring, Secret } from './engine.ts'
import { type CoreExports, instantiate } from './instance.ts'
import { type Key, KeyList } from './keyring.ts'

const engines = new WeakMap<CoreExports, Engine>()

/** One engine serves an instance. Throws where the module can't run; for `module` see EngineOptions. */
export function wasmEngine(module?: object): Engine {
  const core = instantiate(module)
  let engine = engines.get(core)
  if (engine === undefined) {
    engine = new WasmEngine(core)
    engines.set(core, engine)
  }
  return engine
}

/** Bytes of a SHA-256 block. */
const BLOCK = 64

const encoder = new TextEncoder()

class WasmEngine implements Engine {
  readonly name = 'wasm'
  readonly #core: CoreExports
  readonly #input: Uint8Array
  readonly #key: Uint8Array
  readonly #text: Uint8Array
  readonly #pool: Uint8Array
  /** The key schedule that lies in KEY. */
  #loaded: Uint8Array | undefined

  constructor(core: CoreExports) {
    const region = (start: { value: number }, size: { value: number }) =>
      new Uint8Array(core.memory.buffer, start.value, size.value)
    this.#core = core
    this.#input = region(core.INPUT, core.INPUT_SIZE)
    this.#key = region(core.KEY, core.KEY_SIZE)
    this.#text = region(core.TEXT, core.TEXT_SIZE)
    this.#pool = region(core.POOL, core.POOL_SIZE)
  }

  keyring(secrets: readonly Secret[]): Keyring {
    return new KeyList(secrets.map((secret) => new WasmKey(this, this.#schedule(secret))))
  }

  newId(): string {
    const core = this.#core
    if (core.takeId() === 0) {
      crypto.getRandomValues(this.#pool)
      core.poolFilled()
      core.takeId()
    }
    return text32(this.#text)
  }

  hashId(id: string): string {
    const core = this.#core
    const { read, written } = encoder.encodeInto(id, this.#input)
    if (read === id.length) {
      core.hash(written)
    } else {
      core.startHash()
      core.finishHash(this.#absorb(encoder.encode(id)))
    }
    return text43(this.#text)
  }

  signature(value: string, schedule: Uint8Array): string {
    const core = this.#core
    this.#load(schedule)
    // The text's UTF-8, in one native call: 45 ns, where a loop over the characters takes 110 to 190.
    const { read, written } = encoder.encodeInto(value, this.#input)
    if (read === value.length) {
      core.sign(written)
    } else {
      core.startMac()
      core.finishSign(this.#absorb(encoder.encode(value)))
    }
    return text43(this.#text)
  }

  matches(signed: string, schedule: Uint8Array): boolean {
    const core = this.#core
    this.#load(schedule)
    const { read, written } = encoder.encodeInto(signed, this.#input)
    if (read === signed.length) return core.verify(written) === 1
    core.startMac()
    return core.finishVerify(this.#absorb(encoder.encode(signed))) === 1
  }

  /** Wipes a key schedule wherever it lies. */
  forget(schedule: Uint8Array): void {
    schedule.fill(0)
    if (this.#loaded === schedule) this.#key.fill(0)
  }

  /** The two midstates, as bytes that only KEY gives a meaning. */
  #schedule(secret: Secret): Uint8Array {
    const core = this.#core
    const key = typeof secret === 'string' ? encoder.encode(secret) : secret
    if (key.length <= BLOCK) {
      this.#input.set(key)
      core.setKey(key.length)
    } else {
      core.startHash()
      core.setLongKey(this.#absorb(key))
    }
    if (key !== secret) key.fill(0)
    this.#loaded = this.#key.slice()
    return this.#loaded
  }

  #load(schedule: Uint8Array): void {
    if (this.#loaded === schedule) return
    this.#key.set(schedule)
    this.#loaded = schedule
  }

  /**
   * Absorbs a message, but for a rest that it leaves in INPUT and whose length it answers. The rest has more than a
   * block, if the message has, so a signature at the end stays in one piece.
   */
  #absorb(message: Uint8Array): number {
    const input = this.#input
    const step = input.length - BLOCK
    let at = 0
    for (; message.length - at > input.length; at += step) {
      input.set(message.subarray(at, at + step))
      this.#core.absorb(step)
    }
    const rest = message.subarray(at)
    input.set(rest)
    return rest.length
  }
}

class WasmKey implements Key {
  readonly #engine: WasmEngine
  readonly #schedule: Uint8Array

  constructor(engine: WasmEngine, schedule: Uint8Array) {
    this.#engine = engine
    this.#schedule = schedule
  }

  signature(value: string): string {
    return this.#engine.signature(value, this.#schedule)
  }

  matches(signed: string): boolean {
    return this.#engine.matches(signed, this.#schedule)
  }

  wipe(): void {
    this.#engine.forget(this.#schedule)
  }
}

// The arguments are written out because that is the cheapest way to a flat string: 45 ns, a loop or apply takes 130
// to 190, and a spread 850.

// biome-ignore format: a table
function text32(t: Uint8Array): string {
  return String.fromCharCode(
    t[0]!, t[1]!, t[2]!, t[3]!, t[4]!, t[5]!, t[6]!, t[7]!, t[8]!, t[9]!, t[10]!, t[11]!, t[12]!, t[13]!, t[14]!,
    t[15]!, t[16]!, t[17]!, t[18]!, t[19]!, t[20]!, t[21]!, t[22]!, t[23]!, t[24]!, t[25]!, t[26]!, t[27]!, t[28]!,
    t[29]!, t[30]!, t[31]!,
  )
}

// biome-ignore format: a table
function text43(t: Uint8Array): string {
  return String.fromCharCode(
    t[0]!, t[1]!, t[2]!, t[3]!, t[4]!, t[5]!, t[6]!, t[7]!, t[8]!, t[9]!, t[10]!, t[11]!, t[12]!, t[13]!, t[14]!,
    t[15]!, t[16]!, t[17]!, t[18]!, t[19]!, t[20]!, t[21]!, t[22]!, t[23]!, t[24]!, t[25]!, t[26]!, t[27]!, t[28]!,
    t[29]!, t[30]!, t[31]!, t[32]!, t[33]!, t[34]!, t[35]!, t[36]!, t[37]!, t[38]!, t[39]!, t[40]!, t[41]!, t[42]!,
  )
}
