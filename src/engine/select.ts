/** Which engine runs: the one that was asked for, or the first that works here. */
import { SessionError } from '../errors.ts'
import type { Engine, EngineName } from './engine.ts'
import { jsEngine } from './js.ts'
import { nodeEngine } from './node.ts'
import { wasmEngine } from './wasm.ts'

export interface EngineOptions {
  /**
   * The package's `core.wasm` as a compiled WebAssembly.Module, for runtimes that forbid compiling from bytes.
   * Default: the module that is embedded in the package.
   */
  readonly module?: object | undefined
}

const engines: Record<EngineName, (options: EngineOptions) => Engine> = {
  wasm: (options) => wasmEngine(options.module),
  node: nodeEngine,
  js: jsEngine,
}

/** Fastest first. */
const NAMES = Object.keys(engines) as readonly EngineName[]

/**
 * `auto` takes the first of wasm, node and js that works here. An engine that was asked for by its name, but can't
 * run here, throws ERR_SESSION_ENGINE; a name that is none throws ERR_SESSION_OPTION.
 */
export function selectEngine(name: 'auto' | EngineName, options: EngineOptions = {}): Engine {
  if (name === 'auto') return firstThatWorks(options)
  if (!NAMES.includes(name)) {
    throw new SessionError('ERR_SESSION_OPTION', `"engine" must be 'auto', 'wasm', 'node' or 'js'.`)
  }
  try {
    return start(name, options)
  } catch (cause) {
    throw new SessionError(
      'ERR_SESSION_ENGINE',
      `engine '${name}' can't run here (${reason(cause)}): leave the option "engine" out to get one that can.`,
      { cause },
    )
  }
}

function firstThatWorks(options: EngineOptions): Engine {
  const reasons: string[] = []
  for (const name of NAMES) {
    try {
      return start(name, options)
    } catch (cause) {
      reasons.push(`${name}: ${reason(cause)}`)
    }
  }
  throw new SessionError('ERR_SESSION_ENGINE', `no engine can run here (${reasons.join('; ')}).`)
}

/** Engines that passed the trial. */
const tried = new WeakSet<Engine>()

/** Makes the engine, and tries it: a broken runtime must not sign cookies, nor one without random bytes be chosen. */
function start(name: EngineName, options: EngineOptions): Engine {
  const engine = engines[name](options)
  if (tried.has(engine)) return engine
  const keyring = engine.keyring(['Jefe'])
  const value = 'what do ya want for nothing?'
  if (
    keyring.verify(`${value}.${RFC_4231_CASE_2}`) !== value ||
    keyring.verify(`.${RFC_4231_CASE_2}`) !== false
  ) {
    throw new Error('it fails the test vector of RFC 4231')
  }
  keyring.dispose()
  // Not tried, because Workers refuse random bytes at their start.
  if (name !== 'node' && globalThis.crypto === undefined) throw new Error('this runtime has no Web Crypto')
  tried.add(engine)
  return engine
}

/** The HMAC-SHA256 of section 4.3, as base64. */
const RFC_4231_CASE_2 = 'W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM'

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
