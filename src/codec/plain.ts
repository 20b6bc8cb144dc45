/** The codec in its plainest form, MessagePack by the book: what the fast paths are measured and checked against. */

import {
  decodeError,
  EXT_BIGINT,
  EXT_MAP,
  EXT_SET,
  EXT_TIMESTAMP,
  EXT_UTF16,
  encodeError,
  MAX_DEPTH,
} from './format.ts'

/** Encodes one value, or throws SessionError with the path of what it can't encode. */
export function encodePlain(value: unknown, maxBytes: number): Uint8Array {
  const writer = new PlainWriter(maxBytes)
  writer.value(toJSON(value, ''))
  return writer.finish()
}

/** Encodes one value, on which toJSON has been called already, within containers `depth` deep. */
export function encodePartPlain(value: unknown, maxBytes: number, depth: number): Uint8Array {
  const writer = new PlainWriter(maxBytes, depth)
  writer.value(value)
  return writer.finish()
}

/** Encodes the own enumerable string keys of `data` except `cookie`, as one map. */
export function encodeDataPlain(data: object, maxBytes: number): Uint8Array {
  const writer = new PlainWriter(maxBytes)
  writer.object(data as Record<string, unknown>, 'cookie')
  return writer.finish()
}

/** Decodes exactly one value that fills all of `bytes`. */
export function decodePlain(bytes: Uint8Array): unknown {
  const reader = new PlainReader(bytes)
  const value = reader.value()
  reader.end()
  return value
}

/** Decodes the one value that begins at `offset`, within containers `depth` deep; answers it and where it ends. */
export function decodePartPlain(
  bytes: Uint8Array,
  offset: number,
  depth: number,
): { value: unknown; end: number } {
  const reader = new PlainReader(bytes, offset, depth)
  const value = reader.value()
  return { value, end: reader.offset }
}

/** Decodes the one map that fills `bytes` and sets its entries, except `cookie`, as own properties of `target`. */
export function decodeIntoPlain(bytes: Uint8Array, target: object): void {
  const reader = new PlainReader(bytes)
  const data = reader.value()
  reader.end()
  if (!isMap(bytes)) throw decodeError('session data must be a map', 0)
  for (const key of Object.keys(data as object)) {
    if (key !== 'cookie') setOwn(target, key, (data as Record<string, unknown>)[key])
  }
}

class PlainWriter {
  readonly #maxBytes: number
  readonly #outerDepth: number
  readonly #path: Array<string | number> = []
  readonly #ancestors: object[] = []
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  constructor(maxBytes: number, outerDepth = 0) {
    this.#maxBytes = maxBytes
    this.#outerDepth = outerDepth
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  value(value: unknown): void {
    if (typeof value === 'string') this.#string(value)
    else if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'bigint') this.#bigint(value)
    else if (typeof value === 'boolean') this.#byte(value ? 0xc3 : 0xc2)
    else if (typeof value === 'object' && value !== null) this.#object(value)
    else this.#byte(0xc0)
  }

  object(value: Record<string, unknown>, except?: string): void {
    this.#enter(value)
    const keys = Object.keys(value)
    const start = this.#length
    const reserved = containerHeaderSize(keys.length)
    this.#skip(reserved)
    let count = 0
    for (const key of keys) {
      if (key === except) continue
      this.#path.push(key)
      const member = toJSON(value[key], key)
      if (member !== undefined && typeof member !== 'function' && typeof member !== 'symbol') {
        this.#string(key)
        this.value(member)
        count++
      }
      this.#path.pop()
    }
    this.#closeMap(start, reserved, count)
    this.#ancestors.pop()
  }

  /** Writes the header of a map in the room reserved for it, closing the gap when fewer bytes are enough. */
  #closeMap(start: number, reserved: number, count: number): void {
    const end = this.#length
    const size = containerHeaderSize(count)
    if (size < reserved) this.#bytes.copyWithin(start + size, start + reserved, end)
    this.#length = start
    this.#containerHeader(0x80, 0xde, count)
    this.#length = end - (reserved - size)
  }

  #object(value: object): void {
    if (Array.isArray(value)) this.#array(value)
    else if (value instanceof Date) this.#date(value)
    else if (value instanceof Uint8Array) this.#binary(value)
    else if (value instanceof Map) this.#map(value)
    else if (value instanceof Set) this.#set(value)
    else if (value instanceof String) this.#string(String(value))
    else if (value instanceof Number) this.#number(Number(value))
    else if (value instanceof Boolean) this.value(Boolean.prototype.valueOf.call(value))
    else if (value instanceof BigInt) this.#bigint(BigInt.prototype.valueOf.call(value))
    else this.object(value as Record<string, unknown>)
  }

  #array(value: readonly unknown[]): void {
    this.#enter(value)
    const { length } = value
    if (length > this.#maxBytes) throw this.#tooLarge()
    this.#containerHeader(0x90, 0xdc, length)
    for (let i = 0; i < length; i++) {
      this.#path.push(i)
      this.value(toJSON(value[i], i))
      this.#path.pop()
    }
    this.#ancestors.pop()
  }

  #map(value: ReadonlyMap<unknown, unknown>): void {
    this.#enter(value)
    const start = this.#length
    const entries = [...value]
    this.#containerHeader(0x80, 0xde, entries.length)
    for (const [key, member] of entries) {
      const step = typeof key === 'string' ? key : String(typeof key)
      this.#path.push(step)
      this.value(toJSON(key, ''))
      this.value(toJSON(member, step))
      this.#path.pop()
    }
    this.#closeExtension(start, EXT_MAP)
    this.#ancestors.pop()
  }

  #set(value: ReadonlySet<unknown>): void {
    this.#enter(value)
    const start = this.#length
    const members = [...value]
    this.#containerHeader(0x90, 0xdc, members.length)
    members.forEach((member, i) => {
      this.#path.push(i)
      this.value(toJSON(member, i))
      this.#path.pop()
    })
    this.#closeExtension(start, EXT_SET)
    this.#ancestors.pop()
  }

  /** Makes all that was written since `start` the body of an extension. */
  #closeExtension(start: number, type: number): void {
    const body = this.#bytes.slice(start, this.#length)
    this.#length = start
    this.#extension(type, body)
  }

  #extension(type: number, body: Uint8Array): void {
    const { length } = body
    const fixed = [1, 2, 4, 8, 16].indexOf(length)
    if (fixed >= 0) this.#byte(0xd4 + fixed)
    else this.#sized(0xc7, length)
    this.#byte(type & 0xff)
    this.#append(body)
  }

  #string(value: string): void {
    if (!value.isWellFormed()) {
      this.#extension(EXT_UTF16, utf16Bytes(value))
      return
    }
    if (value.length > this.#maxBytes) throw this.#tooLarge()
    const bytes = textEncoder.encode(value)
    if (bytes.length < 32) this.#byte(0xa0 | bytes.length)
    else this.#sized(0xd9, bytes.length)
    this.#append(bytes)
  }

  #binary(value: Uint8Array): void {
    this.#sized(0xc4, value.length)
    this.#append(value)
  }

  #date(value: Date): void {
    const ms = value.getTime()
    if (Number.isNaN(ms)) this.#byte(0xc0)
    else this.#extension(EXT_TIMESTAMP, timestamp(ms))
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.#float(value)
    else if (value >= 0) {
      if (value < 0x80) this.#byte(value)
      else if (value < 0x100) this.#integer(0xcc, 1, value)
      else if (value < 0x10000) this.#integer(0xcd, 2, value)
      else if (value < 0x100000000) this.#integer(0xce, 4, value)
      else this.#integer(0xcf, 8, BigInt(value))
    } else if (value >= -0x20) this.#byte(value & 0xff)
    else if (value >= -0x80) this.#integer(0xd0, 1, value)
    else if (value >= -0x8000) this.#integer(0xd1, 2, value)
    else if (value >= -0x80000000) this.#integer(0xd2, 4, value)
    else this.#integer(0xd3, 8, BigInt(value))
  }

  #bigint(value: bigint): void {
    const safe = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
    if (!safe && BigInt.asUintN(64, value) === value) this.#integer(0xcf, 8, value)
    else if (!safe && BigInt.asIntN(64, value) === value) this.#integer(0xd3, 8, value)
    else this.#extension(EXT_BIGINT, twosComplement(value))
  }

  #float(value: number): void {
    this.#byte(0xcb)
    const at = this.#skip(8)
    this.#view.setFloat64(at, Number.isNaN(value) ? Number.NaN : value)
  }

  #containerHeader(fix: number, tag16: number, count: number): void {
    if (count < 16) this.#byte(fix | count)
    else if (count < 0x10000) this.#integer(tag16, 2, count)
    else this.#integer(tag16 + 1, 4, count)
  }

  /** The header of str, bin or ext: `tag` for a length of one byte, the next two for two and four bytes. */
  #sized(tag: number, length: number): void {
    if (length > this.#maxBytes) throw this.#tooLarge()
    if (length < 0x100) this.#integer(tag, 1, length)
    else if (length < 0x10000) this.#integer(tag + 1, 2, length)
    else this.#integer(tag + 2, 4, length)
  }

  /** A tag and an integer of so many bytes, signed or not. */
  #integer(tag: number, size: 1 | 2 | 4 | 8, value: number | bigint): void {
    this.#byte(tag)
    const at = this.#skip(size)
    if (size === 1) this.#view.setUint8(at, Number(value))
    else if (size === 2) this.#view.setUint16(at, Number(value))
    else if (size === 4) this.#view.setUint32(at, Number(value))
    else this.#view.setBigUint64(at, BigInt(value))
  }

  #byte(byte: number): void {
    const at = this.#skip(1)
    this.#bytes[at] = byte
  }

  #append(bytes: Uint8Array): void {
    const at = this.#skip(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** Makes room for `size` bytes and answers where it begins. */
  #skip(size: number): number {
    const at = this.#length
    const end = at + size
    if (end > this.#maxBytes) throw this.#tooLarge()
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2))
      grown.set(this.#bytes)
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    this.#length = end
    return at
  }

  #enter(value: object): void {
    if (this.#ancestors.includes(value)) {
      throw encodeError(
        'refers back to an object that contains it; store a copy or an id instead.',
        this.#path,
      )
    }
    if (this.#outerDepth + this.#ancestors.length >= MAX_DEPTH) {
      throw encodeError(`is nested more than ${MAX_DEPTH} levels deep; flatten it.`, this.#path)
    }
    this.#ancestors.push(value)
  }

  #tooLarge(): Error {
    return encodeError(
      `takes the session beyond ${this.#maxBytes} bytes; keep less in it, or raise maxBytes.`,
      this.#path,
    )
  }
}

class PlainReader {
  offset: number
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #depth: number

  constructor(bytes: Uint8Array, offset = 0, depth = 0) {
    this.offset = offset
    this.#depth = depth
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  end(): void {
    if (this.offset !== this.#bytes.length) throw decodeError('bytes after its end', this.offset)
  }

  value(): unknown {
    const start = this.offset
    const tag = this.#view.getUint8(this.#take(1))
    if (tag < 0x80) return tag
    if (tag < 0x90) return this.#object(tag & 0x0f)
    if (tag < 0xa0) return this.#array(tag & 0x0f)
    if (tag < 0xc0) return this.#string(tag & 0x1f)
    if (tag >= 0xe0) return tag - 0x100
    switch (tag) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#binary(this.#uint(tag - 0xc4))
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#uint(tag - 0xc7), start)
      case 0xca:
        return this.#view.getFloat32(this.#take(4))
      case 0xcb:
        return this.#view.getFloat64(this.#take(8))
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(tag - 0xcc)
      case 0xcf:
        return numberIfSafe(this.#view.getBigUint64(this.#take(8)))
      case 0xd0:
        return this.#view.getInt8(this.#take(1))
      case 0xd1:
        return this.#view.getInt16(this.#take(2))
      case 0xd2:
        return this.#view.getInt32(this.#take(4))
      case 0xd3:
        return numberIfSafe(this.#view.getBigInt64(this.#take(8)))
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (tag - 0xd4), start)
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#string(this.#uint(tag - 0xd9))
      case 0xdc:
      case 0xdd:
        return this.#array(this.#uint(tag - 0xdb))
      case 0xde:
      case 0xdf:
        return this.#object(this.#uint(tag - 0xdd))
      default:
        throw decodeError('a byte that MessagePack never uses', start)
    }
  }

  #object(count: number): Record<string, unknown> {
    this.#enter(count * 2)
    const object: Record<string, unknown> = {}
    for (let i = 0; i < count; i++) {
      const start = this.offset
      const key = this.value()
      if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'bigint') {
        throw decodeError('a map key that is neither a string nor a number', start)
      }
      setOwn(object, String(key), this.value())
    }
    this.#depth--
    return object
  }

  #array(count: number): unknown[] {
    this.#enter(count)
    const array = []
    for (let i = 0; i < count; i++) array.push(this.value())
    this.#depth--
    return array
  }

  #string(length: number): string {
    const at = this.#take(length)
    try {
      return textDecoder.decode(this.#bytes.subarray(at, at + length))
    } catch {
      throw decodeError('text that is not UTF-8', at)
    }
  }

  #binary(length: number): Uint8Array {
    const at = this.#take(length)
    return new Uint8Array(this.#bytes.subarray(at, at + length))
  }

  #extension(length: number, start: number): unknown {
    const type = this.#view.getInt8(this.#take(1))
    const at = this.#take(length)
    switch (type) {
      case EXT_TIMESTAMP:
        return this.#date(at, length)
      case EXT_MAP:
        return this.#nested(at, length, 0x80, 0xde, (body) => body.#map())
      case EXT_SET:
        return this.#nested(at, length, 0x90, 0xdc, (body) => new Set(body.value() as unknown[]))
      case EXT_BIGINT:
        if (length === 0) throw decodeError('an empty BigInt', start)
        return bigintFrom(this.#bytes.subarray(at, at + length))
      case EXT_UTF16:
        if (length % 2 !== 0) throw decodeError('half a UTF-16 code unit', start)
        return utf16Text(this.#view, at, length)
      default:
        throw decodeError(`the unknown extension type ${type}`, start)
    }
  }

  /** Reads the body of an extension, which must be one container (fix-tag or 16/32-bit tag) and nothing more. */
  #nested<T>(at: number, length: number, fix: number, tag16: number, read: (body: PlainReader) => T): T {
    const tag = length > 0 ? this.#view.getUint8(at) : 0xc1
    if ((tag & 0xf0) !== fix && tag !== tag16 && tag !== tag16 + 1) {
      throw decodeError('an extension without its container', at)
    }
    const body = new PlainReader(this.#bytes.subarray(0, at + length), at, this.#depth)
    const value = read(body)
    body.end()
    return value
  }

  #map(): Map<unknown, unknown> {
    const tag = this.#view.getUint8(this.#take(1))
    const count = tag < 0x90 ? tag & 0x0f : this.#uint(tag - 0xdd)
    this.#enter(count * 2)
    const map = new Map<unknown, unknown>()
    for (let i = 0; i < count; i++) {
      const key = this.value()
      map.set(key, this.value())
    }
    return map
  }

  #date(at: number, length: number): Date {
    let seconds: number
    let nanoseconds = 0
    if (length === 4) {
      seconds = this.#view.getUint32(at)
    } else if (length === 8) {
      const high = this.#view.getUint32(at)
      nanoseconds = high >>> 2
      seconds = (high & 3) * 2 ** 32 + this.#view.getUint32(at + 4)
    } else if (length === 12) {
      nanoseconds = this.#view.getUint32(at)
      seconds = Number(this.#view.getBigInt64(at + 4))
    } else throw decodeError('a timestamp of a length that MessagePack does not know', at)
    const date = new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6))
    if (nanoseconds > 999_999_999 || Number.isNaN(date.getTime())) {
      throw decodeError('a timestamp that no Date can hold', at)
    }
    return date
  }

  /** Reads an unsigned integer of 1, 2 or 4 bytes, told by its exponent. */
  #uint(exponent: number): number {
    if (exponent === 0) return this.#view.getUint8(this.#take(1))
    if (exponent === 1) return this.#view.getUint16(this.#take(2))
    return this.#view.getUint32(this.#take(4))
  }

  /** Steps over `size` bytes and answers where they begin. */
  #take(size: number): number {
    const at = this.offset
    if (size > this.#bytes.length - at) throw decodeError('fewer bytes than announced', at)
    this.offset = at + size
    return at
  }

  /** Enters a container of so many values, each of which takes a byte or more. */
  #enter(values: number): void {
    if (values > this.#bytes.length - this.offset)
      throw decodeError('fewer bytes than announced', this.offset)
    if (++this.#depth > MAX_DEPTH) throw decodeError(`more than ${MAX_DEPTH} levels of nesting`, this.offset)
  }
}

/** Sets an own property as an object literal would, whatever the prototype holds under that key. */
export function setOwn(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}

/** What JSON.stringify would see in place of `value`; types that we keep as they are have no say in it. */
export function toJSON(value: unknown, key: string | number): unknown {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return value
  if (value instanceof Date || value instanceof Uint8Array) return value
  const { toJSON } = value as { toJSON?: unknown }
  return typeof toJSON === 'function' ? toJSON.call(value, String(key)) : value
}

function isMap(bytes: Uint8Array): boolean {
  const tag = bytes[0] as number
  return (tag & 0xf0) === 0x80 || tag === 0xde || tag === 0xdf
}

const containerHeaderSize = (count: number): number => (count < 16 ? 1 : count < 0x10000 ? 3 : 5)

const textEncoder = new TextEncoder()
const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The body of a timestamp, in its shortest form (MessagePack spec, "Timestamp extension type"). */
function timestamp(ms: number): Uint8Array {
  const seconds = Math.floor(ms / 1000)
  const nanoseconds = (ms - seconds * 1000) * 1e6
  const body = new DataView(new ArrayBuffer(12))
  if (seconds < 0 || seconds >= 2 ** 34) {
    body.setUint32(0, nanoseconds)
    body.setBigInt64(4, BigInt(seconds))
    return new Uint8Array(body.buffer)
  }
  if (nanoseconds === 0 && seconds < 2 ** 32) {
    body.setUint32(0, seconds)
    return new Uint8Array(body.buffer, 0, 4)
  }
  body.setUint32(0, nanoseconds * 4 + Math.floor(seconds / 2 ** 32))
  body.setUint32(4, seconds)
  return new Uint8Array(body.buffer, 0, 8)
}

function utf16Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2)
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    bytes[i * 2] = unit & 0xff
    bytes[i * 2 + 1] = unit >>> 8
  }
  return bytes
}

function utf16Text(view: DataView, at: number, length: number): string {
  let text = ''
  for (let i = 0; i < length; i += 2) text += String.fromCharCode(view.getUint16(at + i, true))
  return text
}

function numberIfSafe(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function twosComplement(value: bigint): Uint8Array {
  let size = 1
  while (BigInt.asIntN(size * 8, value) !== value) size++
  let digits = BigInt.asUintN(size * 8, value).toString(16)
  digits = digits.padStart(size * 2, '0')
  return Uint8Array.from({ length: size }, (_, i) => Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16))
}

function bigintFrom(bytes: Uint8Array): bigint {
  let digits = '0x'
  for (const byte of bytes) digits += byte.toString(16).padStart(2, '0')
  return BigInt.asIntN(bytes.length * 8, BigInt(digits))
}
