/** The codec's kernels in WebAssembly, and the regions of its memory that they work on. */
import { instantiate } from '../engine/instance.ts'
import { type NativeText, nativeText } from './native-text.ts'

export interface Kernels {
  /** A payload that is being decoded. */
  readonly payload: Uint8Array
  /** A payload that is being encoded, but for its texts; pairs of a place and how many units; and with them. */
  readonly skeleton: Uint8Array
  readonly texts: Int32Array
  readonly output: Uint8Array
  /** UTF-16 on its way in or out. */
  readonly units: NativeText
  readonly unitsSize: number
  /** Which texts of a payload are not ASCII: see assembly/msgpack/scan.ts. */
  readonly unicode: Int32Array

  /** See assembly/msgpack/scan.ts. */
  scan(from: number, to: number, payloadEnd: number): number
  /** Whether these bytes of the payload are ASCII. */
  isAscii(from: number, length: number): boolean
  /** See assembly/msgpack/assemble.ts. */
  assemble(skeletonEnd: number, texts: number): number
  /** The JSON of a map's members, and in `unicode` where they end: see assembly/msgpack/json.ts. */
  json(from: number, members: number, payloadEnd: number): string | undefined
}

/** Undefined where the module can't run; for `module` see EngineOptions. */
export function wasmKernels(module?: object): Kernels | undefined {
  let core: ReturnType<typeof instantiate>
  try {
    core = instantiate(module)
  } catch {
    return undefined
  }
  const { buffer } = core.memory
  const payloadSize = core.PAYLOAD_SIZE.value + core.PAYLOAD_SLACK.value
  const payload = core.PAYLOAD.value
  const region = (start: { value: number }, size: number) => new Uint8Array(buffer, start.value, size)
  const output = region(core.OUTPUT, core.PAYLOAD_SIZE.value)
  const outputText = nativeText(output)
  return {
    payload: region(core.PAYLOAD, payloadSize),
    skeleton: region(core.SKELETON, payloadSize),
    texts: new Int32Array(buffer, core.TEXTS.value, core.TEXTS_SIZE.value / 4),
    output,
    units: nativeText(region(core.UNITS, core.UNITS_SIZE.value)),
    unitsSize: core.UNITS_SIZE.value / 2,
    unicode: new Int32Array(buffer, core.UNICODE.value, core.UNICODE_SIZE.value / 4),
    scan: core.scan,
    isAscii: (from, length) => core.isAscii(payload + from, length) === 1,
    assemble: core.assemble,
    json(from, members, payloadEnd) {
      const size = core.toJson(from, members, payloadEnd)
      return size === 0 ? undefined : outputText.latin1Slice(0, size)
    },
  }
}
