/** `fast-session/core`: the primitives for use outside the middleware, on any engine. */
import type { EngineName, Secret } from './engine/engine.ts'
import { selectEngine } from './engine/select.ts'
import { checkSecrets } from './secrets.ts'

export type { EngineName, Secret } from './engine/engine.ts'
export { SessionError } from './errors.ts'

export interface CoreOptions {
  /** Which engine runs. Default `auto`: the first of wasm, node and js that works here. */
  readonly engine?: 'auto' | EngineName
  /** The signing secret, at least 32 bytes; or a list, of which the first signs and all verify. */
  readonly secrets: Secret | readonly Secret[]
  /** Turns the error about a short signing secret into one process warning. Default false. */
  readonly allowWeakSecret?: boolean
}

export interface Core {
  readonly engine: EngineName
  sign(value: string): string
  verify(signed: string): string | false
  newId(): string
  hashId(id: string): string
  dispose(): void
}

export function createCore(options: CoreOptions): Core {
  const secrets = checkSecrets(options.secrets, options.allowWeakSecret ?? false)
  const engine = selectEngine(options.engine ?? 'auto')
  const keyring = engine.keyring(secrets)
  return {
    engine: engine.name,
    sign: (value) => keyring.sign(value),
    verify: (signed) => keyring.verify(signed),
    newId: () => engine.newId(),
    hashId: (id) => engine.hashId(id),
    dispose: () => keyring.dispose(),
  }
}
