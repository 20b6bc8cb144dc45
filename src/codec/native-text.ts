/**
 * Text in and out of bytes by one native call each: by what Buffer's documented methods call after their checks, or,
 * where there is no Buffer, by what all runtimes have. Imports nothing of Node.js, so that it bundles for any runtime.
 */
import { equalBytes } from '../equal-bytes.ts'

/** What Buffers have in Node.js, Bun and Deno, though no type declares it. Places are in bytes. */
export interface NativeText {
  /** Each byte as the code point of the same number. */
  latin1Slice(start: number, end: number): string
  /** What is no UTF-8 becomes U+FFFD. */
  utf8Slice(start: number, end: number): string
  /** UTF-16, little-endian. */
  ucs2Slice(start: number, end: number): string
  /** They answer how many bytes they wrote. What doesn't fit is left out. */
  utf8Write(text: string, start: number): number
  ucs2Write(text: string, start: number): number
}

interface BufferClass {
  readonly prototype: Partial<NativeText>
  from(buffer: ArrayBufferLike, offset: number, length: number): Partial<NativeText>
  compare(a: Uint8Array, b: Uint8Array): number
}

const { Buffer } = globalThis as { Buffer?: BufferClass }

/** The same memory as `bytes`, with these methods. */
export function nativeText(bytes: Uint8Array): NativeText {
  const native = Buffer?.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return isComplete(native) ? native : standardText(bytes)
}

/**
 * Whether utf8Write takes 30 ns for one-byte text, as it does from Node.js 22 on, and not 70: it is written in
 * JavaScript there, and calls what V8 can call without leaving compiled code.
 */
export const writesFast: boolean = (Buffer?.prototype.utf8Write?.length ?? 0) > 0

export const sameBytes: (a: Uint8Array, b: Uint8Array) => boolean =
  Buffer === undefined ? equalBytes : (a, b) => a.length === b.length && Buffer.compare(a, b) === 0

function isComplete(native: Partial<NativeText> | undefined): native is NativeText {
  const methods = ['latin1Slice', 'utf8Slice', 'ucs2Slice', 'utf8Write', 'ucs2Write'] as const
  if (native === undefined || !methods.every((method) => typeof native[method] === 'function')) return false
  try {
    // The ones of workerd want to be told how many bytes there are from there on.
    ;(native as NativeText).utf8Write('', 1)
    ;(native as NativeText).ucs2Write('', 1)
    return true
  } catch {
    return false
  }
}

function standardText(bytes: Uint8Array): NativeText {
  const encoder = new TextEncoder()
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  const utf16 = new TextDecoder('utf-16le', { ignoreBOM: true })
  return {
    latin1Slice(start, end) {
      let text = ''
      // As many arguments as any runtime takes.
      for (let at = start; at < end; at += 4096) {
        text += String.fromCharCode.apply(null, bytes.subarray(at, Math.min(end, at + 4096)) as never)
      }
      return text
    },
    utf8Slice: (start, end) => utf8.decode(bytes.subarray(start, end)),
    ucs2Slice: (start, end) => utf16.decode(bytes.subarray(start, end)),
    utf8Write: (text, start) => encoder.encodeInto(text, bytes.subarray(start)).written,
    ucs2Write(text, start) {
      for (let i = 0, at = start; i < text.length; i++, at += 2) {
        const unit = text.charCodeAt(i)
        bytes[at] = unit
        bytes[at + 1] = unit >> 8
      }
      return text.length * 2
    },
  }
}
