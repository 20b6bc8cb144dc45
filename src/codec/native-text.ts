/** Text in and out of bytes by one native call each, without the checks that Buffer's documented methods repeat. */
import { Buffer } from 'node:buffer'

/** What `toString` and `write` of Buffer call in Node.js, Bun and Deno, though no type declares it. */
export interface NativeText {
  /** Each byte as the code point of the same number. */
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
  /** UTF-16, little-endian. */
  ucs2Slice(start: number, end: number): string
  /** They answer how many bytes they wrote. What doesn't fit is left out. */
  utf8Write(text: string, start: number): number
  ucs2Write(text: string, start: number): number
}

/** The same memory as `bytes`, with these methods. */
export function nativeText(bytes: Uint8Array): NativeText {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const native = buffer as Buffer & Partial<NativeText>
  native.latin1Slice ??= (start, end) => buffer.toString('latin1', start, end)
  native.utf8Slice ??= (start, end) => buffer.toString('utf8', start, end)
  native.ucs2Slice ??= (start, end) => buffer.toString('utf16le', start, end)
  native.utf8Write ??= (text, start) => buffer.write(text, start, 'utf8')
  native.ucs2Write ??= (text, start) => buffer.write(text, start, 'utf16le')
  return native as NativeText
}
