/** Chooses the codec of an engine. */
import type { EngineName } from '../engine/engine.ts'
import type { Codec } from './codec.ts'
import { createDecoder } from './decode.ts'
import { createEncoder } from './encode.ts'
import { DEFAULT_MAX_BYTES } from './format.ts'

export interface CodecOptions {
  /** How many bytes a value may encode to; beyond it encoding throws. Default 1 MiB. */
  readonly maxBytes?: number
}

const encoder = createEncoder()
const decoder = createDecoder()

export function createCodec(_engine: EngineName, options: CodecOptions = {}): Codec {
  const { maxBytes = DEFAULT_MAX_BYTES } = options
  return {
    encode: (value) => encoder.encode(value, maxBytes),
    decode: decoder.decode,
    encodeData: (data) => encoder.encodeData(data, maxBytes),
    encodeDataIfChanged: (data, previous) => encoder.encodeDataIfChanged(data, previous, maxBytes),
    decodeInto: decoder.decodeInto,
  }
}
