/** The codec of every engine, by the engine's name. */
import type { Codec } from '../../src/codec/codec.ts'
import { createCodec } from '../../src/codec/select.ts'
import type { EngineName } from '../../src/engine/engine.ts'

export const engines: readonly EngineName[] = ['wasm', 'node', 'js']

export const codecs: ReadonlyArray<readonly [EngineName, Codec]> = engines.map((engine) => [
  engine,
  createCodec(engine),
])
