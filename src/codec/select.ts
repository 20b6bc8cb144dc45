/** Chooses the codec of an engine. */
import type { EngineName } from '../engine/engine.ts'
import type { Codec } from './codec.ts'
import { createDecoder, type Decoder } from './decode.ts'
import { createEncoder, type Encoder } from './encode.ts'
import { DEFAULT_MAX_BYTES } from './format.ts'
import { type Kernels, wasmKernels } from './kernels.ts'

export interface CodecOptions {
  /** How many bytes a value may encode to; beyond it encoding throws. Default 1 MiB. */
  readonly maxBytes?: number | undefined
  /** See EngineOptions. */
  readonly module?: object | undefined
}

/** Never throws: an engine whose kernels can't run here has the codec of the others, which is all JavaScript. */
export function createCodec(engine: EngineName, options: CodecOptions = {}): Codec {
  const { maxBytes = DEFAULT_MAX_BYTES, module } = options
  const { encoder, decoder } = machinery(engine === 'wasm' ? wasmKernels(module) : undefined)
  return {
    encode: (value) => encoder.encode(value, maxBytes),
    decode: decoder.decode,
    encodeIfChanged: (value, previous) => encoder.encodeIfChanged(value, previous, maxBytes),
    encodeData: (data) => encoder.encodeData(data, maxBytes),
    encodeDataIfChanged: (data, previous) => encoder.encodeDataIfChanged(data, previous, maxBytes),
    decodeInto: decoder.decodeInto,
  }
}

interface Machinery {
  readonly encoder: Encoder
  readonly decoder: Decoder
}

/** What encoders and decoders learn of an app's sessions serves all of its codecs. */
let withKernels: Machinery | undefined
let withoutKernels: Machinery | undefined

function machinery(kernels: Kernels | undefined): Machinery {
  if (kernels === undefined) {
    withoutKernels ??= { encoder: createEncoder(), decoder: createDecoder() }
    return withoutKernels
  }
  withKernels ??= { encoder: createEncoder(kernels), decoder: createDecoder(kernels) }
  return withKernels
}
