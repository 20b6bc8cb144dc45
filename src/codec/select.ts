/** Chooses the codec of an engine. */

import type { EngineName } from '../engine/engine.ts'
import type { Codec } from './codec.ts'
import { DEFAULT_MAX_BYTES } from './format.ts'
import { decodeIntoPlain, decodePlain, encodeDataPlain, encodePlain } from './plain.ts'

export interface CodecOptions {
  /** How many bytes a value may encode to; beyond it encoding throws. Default 1 MiB. */
  readonly maxBytes?: number
}

export function createCodec(_engine: EngineName, options: CodecOptions = {}): Codec {
  const { maxBytes = DEFAULT_MAX_BYTES } = options
  return {
    encode: (value) => encodePlain(value, maxBytes),
    decode: decodePlain,
    encodeData: (data) => encodeDataPlain(data, maxBytes),
    encodeDataIfChanged(data, previous) {
      const bytes = encodeDataPlain(data, maxBytes)
      return bytes.length === previous.length && bytes.every((byte, i) => byte === previous[i])
        ? undefined
        : bytes
    },
    decodeInto: decodeIntoPlain,
  }
}
