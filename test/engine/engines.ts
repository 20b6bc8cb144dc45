import { type Core, type CoreOptions, createCore, type EngineName } from 'fast-session/core'

export const ENGINES: readonly EngineName[] = ['wasm', 'node', 'js']

export const SECRET = 'a secret for tests, which has more than 32 bytes'

/** A core that takes any key: the vectors of the standards have short ones. */
export function coreWith(secrets: CoreOptions['secrets'], engine: EngineName): Core {
  return createCore({ engine, secrets, allowWeakSecret: true })
}

/** Bytes that look random and are the same in every run. */
export function bytes(length: number, seed = 1): Uint8Array {
  let state = seed
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}

/** Printable ASCII of which the same holds. */
export function text(length: number, seed = 1): string {
  return String.fromCharCode(...bytes(length, seed).map((byte) => 33 + (byte % 94)))
}
