/** Which engine runs: the one that was asked for, or the first that works here. */
import { SessionError } from '../errors.ts'
import type { Engine, EngineName } from './engine.ts'
import { nodeEngine } from './node.ts'

export interface EngineOptions {
  /** The compiled core, for runtimes that forbid compiling WebAssembly from bytes. Default: the embedded bytes. */
  readonly module?: object
}

const engines: Record<EngineName, (options: EngineOptions) => Engine> = {
  wasm: nodeEngine,
  node: nodeEngine,
  js: nodeEngine,
}

/** `auto` takes the first of wasm, node and js that works and never throws; a name that can't run throws. */
export function selectEngine(name: 'auto' | EngineName, options: EngineOptions = {}): Engine {
  if (name !== 'auto') return engines[name](options)
  for (const make of Object.values(engines)) {
    try {
      return make(options)
    } catch {}
  }
  throw new SessionError('ERR_SESSION_ENGINE', 'no engine works here')
}
