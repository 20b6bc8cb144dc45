/**
 * Encoding at speed, for what sessions are made of: objects of few shapes, short strings, small numbers.
 *
 * - `for … in` with `object[key]` is how V8 lists an object fastest, whatever its hidden class.
 * - Sessions of one app look alike. For each place in the payload (the slot of an object's shape) the shapes seen
 *   there before predict the next key: comparing it is comparing two pointers, and its bytes are written as two
 *   doubles.
 * - Short text is written by the code unit; a native call pays from 40 units on.
 *
 * Whatever is out of the ordinary is left to plain.ts: a part of a value is encoded there and copied; a value that
 * can't be encoded here is encoded there again, and what that says is the answer.
 */
import { Buffer } from 'node:buffer'
import { SessionError } from '../errors.ts'
import { EXT_TIMESTAMP, MAX_DEPTH } from './format.ts'
import { nativeText } from './native-text.ts'
import { encodeDataPlain, encodePartPlain, encodePlain, toJSON } from './plain.ts'

export interface Encoder {
  encode(value: unknown, maxBytes: number): Uint8Array
  encodeData(data: object, maxBytes: number): Uint8Array
  encodeDataIfChanged(data: object, previous: Uint8Array, maxBytes: number): Uint8Array | undefined
}

/** Longer payloads are left to plain.ts. */
const CAPACITY = 1 << 18
/** More than any key and value take that are not checked against the end of the scratch. */
const SLACK = 1024

/** From so many code units on, text is written by a native call: 95 ns on Node 20, 40 to 75 on Node 24. */
const LONG_TEXT = 40
/** Payloads up to this size share the memory of a slab: making a view takes 50 ns, allocating memory 300 and more. */
const POOLED = 4096
const SLAB = 1 << 15

/** Shapes for one slot, keys of one shape, and doubles of all keys: beyond these nothing more is learned. */
const MAX_CANDIDATES = 4
const MAX_KEYS = 64
const MAX_DOUBLES = 1 << 14
/** After so many objects that no shape fits, a slot holds a dictionary, and only a sample is learned from. */
const DICTIONARY = 16
const SAMPLE = 64

/** Where a value ends that has no place in an object: undefined, a function, a symbol. */
const NOTHING = -1
/** Where a value ends that is for \`instance\` to write, which wants to know its key. */
const INSTANCE = -2
/** The place of a key that is skipped. */
const SKIPPED = -1

const TOO_LARGE = new Error('left to plain.ts')

const isOwn = Object.prototype.hasOwnProperty

type Members = Readonly<Record<string, unknown>>

/** A place in payloads where objects are expected. What their keys were before is a trie of steps. */
class Slot {
  first: Step = UNKNOWN
  /** How many objects had a key that no step foresaw. */
  misses = 0
  /** What stands in for the slots of an object whose keys are unknown. */
  others: Slot | null = null
}

/** A key, and what is expected of its value and after it. */
class Step {
  readonly key: string
  /** Where the doubles begin that are the key's bytes, and how many bytes they are; SKIPPED for no key at all. */
  readonly first: number
  readonly size: number
  readonly slot: Slot
  next: Step = UNKNOWN
  /** The next of the keys that were seen in the same place. */
  other: Step | null = null

  constructor(key: string, first: number, size: number) {
    this.key = key
    this.first = first
    this.size = size
    this.slot = size < 0 ? NOWHERE : new Slot()
  }
}

/** What comes after the last step. No key is that of a step, so it has one that is compared as fast as any. */
const UNKNOWN = new Step('', 0, SKIPPED)

export function createEncoder(): Encoder {
  const bytes = new Uint8Array(CAPACITY + SLACK)
  const view = new DataView(bytes.buffer)
  const native = nativeText(bytes)
  /** Views of the first so many bytes, made when needed. */
  const prefixes: Array<Uint8Array | undefined> = Array.from({ length: POOLED + 1 }, () => undefined)
  let slab = new ArrayBuffer(SLAB)
  let slabUsed = 0

  let depth = 0
  let busy = false

  /** The first `doublesUsed` of them are the bytes of keys: see placeOf. */
  const doubles = new Float64Array(MAX_DOUBLES)
  let doublesUsed = 0
  const keyPlaces = new Map<string, number>()
  const root = new Slot()
  const dataRoot = new Slot()

  return { encode, encodeData, encodeDataIfChanged }

  function encode(input: unknown, maxBytes: number): Uint8Array {
    if (!busy) {
      const end = run(input, root, maxBytes)
      if (end > 0) return copy(end)
    }
    return encodePlain(input, maxBytes)
  }

  function encodeData(data: object, maxBytes: number): Uint8Array {
    if (!busy) {
      const end = run(data, dataRoot, maxBytes)
      if (end > 0) return copy(end)
    }
    return encodeDataPlain(data, maxBytes)
  }

  function encodeDataIfChanged(data: object, previous: Uint8Array, maxBytes: number): Uint8Array | undefined {
    if (!busy) {
      const end = run(data, dataRoot, maxBytes)
      if (end > 0) {
        if (end !== previous.length || Buffer.compare(prefix(end), previous) !== 0) return copy(end)
        return undefined
      }
    }
    const encoded = encodeDataPlain(data, maxBytes)
    return Buffer.compare(encoded, previous) === 0 ? undefined : encoded
  }

  /** Encodes into the scratch and answers how many bytes; 0 when it is for plain.ts to say. */
  function run(input: unknown, top: Slot, maxBytes: number): number {
    busy = true
    depth = 0
    try {
      const end = top === dataRoot ? members(input as Members, 0, top) : element(input, 0, top, '')
      return end <= maxBytes ? end : 0
    } catch (error) {
      if (error !== TOO_LARGE && !(error instanceof SessionError)) throw error
      return 0
    } finally {
      busy = false
    }
  }

  function copy(end: number): Uint8Array {
    if (end > POOLED) return bytes.slice(0, end)
    if (slabUsed + end > SLAB) {
      slab = new ArrayBuffer(SLAB)
      slabUsed = 0
    }
    const result = new Uint8Array(slab, slabUsed, end)
    result.set(prefix(end))
    slabUsed += end
    return result
  }

  function prefix(end: number): Uint8Array {
    if (end > POOLED) return bytes.subarray(0, end)
    const made = prefixes[end] ?? bytes.subarray(0, end)
    prefixes[end] = made
    return made
  }

  /** Writes a value at `at` and answers where it ends, NOTHING, or INSTANCE. */
  function value(input: unknown, at: number, slot: Slot): number {
    if (typeof input === 'string') return text(input, at)
    if (typeof input === 'number') return number(input, at)
    if (typeof input === 'object') {
      if (input === null) {
        bytes[at] = 0xc0
        return at + 1
      }
      if ((input as { toJSON?: unknown }).toJSON !== undefined) return INSTANCE
      if (Array.isArray(input)) return array(input, at, slot)
      // An instance of another class than Object has another constructor, or one of its own making.
      return input.constructor === Object ? members(input as Members, at, slot) : INSTANCE
    }
    if (typeof input === 'boolean') {
      bytes[at] = input ? 0xc3 : 0xc2
      return at + 1
    }
    if (typeof input === 'bigint') return part(input, at)
    return typeof input === 'function' ? INSTANCE : NOTHING
  }

  function instance(input: unknown, at: number, slot: Slot, key: string | number): number {
    const replaced = toJSON(input, key)
    if (typeof replaced !== 'object' || replaced === null) {
      return typeof replaced === 'function' ? NOTHING : value(replaced, at, slot)
    }
    if (Array.isArray(replaced)) return array(replaced, at, slot)
    if (replaced instanceof Date) return date(replaced, at)
    if (replaced instanceof Uint8Array) return binary(replaced, at)
    if (isOfOtherKind(replaced)) return part(replaced, at)
    return members(replaced as Members, at, slot)
  }

  function members(input: Members, start: number, slot: Slot): number {
    if (++depth > MAX_DEPTH) throw TOO_LARGE
    let shape = slot.shapes ?? UNKNOWN
    const reserved = shape.count < 16 ? 1 : 3
    let at = start + reserved
    let count = 0
    let i = 0
    for (const key in input) {
      // Free of charge: V8 knows it of the keys that it lists.
      if (!isOwn.call(input, key)) continue
      if (shape.keys[i] !== key) shape = divert(slot, shape, i, key)
      let begin: number
      let next: Slot
      if (shape !== UNKNOWN) {
        const place = shape.places[i] as number
        if (place === SKIPPED) {
          i++
          continue
        }
        const size = place & 63
        const first = place >>> 6
        view.setFloat64(at, doubles[first] as number, true)
        if (size > 8) {
          view.setFloat64(at + 8, doubles[first + 1] as number, true)
          if (size > 16) restOfKey(at + 16, first + 2, at + size)
        }
        begin = at + size
        next = shape.slots[i] as Slot
        i++
      } else {
        if (slot === dataRoot && key === 'cookie') continue
        begin = text(key, at)
        next = slot.others ?? NOWHERE
      }
      const member = input[key]
      let end = value(member, begin, next)
      if (end < 0) {
        if (end === INSTANCE) end = instance(member, begin, next, key)
        if (end === NOTHING) continue
      }
      if (end > CAPACITY) throw TOO_LARGE
      at = end
      count++
    }
    depth--
    const header = count < 16 ? 1 : count < 0x10000 ? 3 : 5
    if (header !== reserved) {
      bytes.copyWithin(start + header, start + reserved, at)
      at += header - reserved
    }
    if (count < 16) bytes[start] = 0x80 | count
    else containerHeader(0xde, count, start)
    if (shape === UNKNOWN) learn(input, slot)
    return at
  }

  function restOfKey(from: number, first: number, end: number): void {
    for (let at = from, next = first; at < end; at += 8, next++) {
      view.setFloat64(at, doubles[next] as number, true)
    }
  }

  /** The shape of the slot that begins with the first `i` keys of `shape`, and then has `key`. */
  function divert(slot: Slot, shape: Shape, i: number, key: string): Shape {
    if (shape !== UNKNOWN) {
      for (let other = slot.shapes; other !== null; other = other.next) {
        if (other.keys[i] === key && startsAlike(other.keys, shape.keys, i)) return other
      }
    }
    return UNKNOWN
  }

  function array(input: readonly unknown[], start: number, slot: Slot): number {
    if (++depth > MAX_DEPTH) throw TOO_LARGE
    const { length } = input
    let at = start
    if (length < 16) bytes[at++] = 0x90 | length
    else at = containerHeader(0xdc, length, start)
    for (let i = 0; i < length; i++) {
      at = element(input[i], at, slot, i)
      if (at > CAPACITY) throw TOO_LARGE
    }
    depth--
    return at
  }

  /** Writes a value that must be there: what has no place in an object is null. */
  function element(input: unknown, at: number, slot: Slot, key: string | number): number {
    let end = value(input, at, slot)
    if (end < 0) {
      if (end === INSTANCE) end = instance(input, at, slot, key)
      if (end === NOTHING) {
        bytes[at] = 0xc0
        return at + 1
      }
    }
    return end
  }

  function containerHeader(tag16: number, count: number, at: number): number {
    if (count < 0x10000) {
      bytes[at] = tag16
      view.setUint16(at + 1, count)
      return at + 3
    }
    bytes[at] = tag16 + 1
    view.setUint32(at + 1, count)
    return at + 5
  }

  function number(input: number, at: number): number {
    const int = input | 0
    if (int === input) {
      if (int >= 0) {
        if (int < 0x80) {
          if (int === 0 && 1 / input < 0) return float(input, at)
          bytes[at] = int
          return at + 1
        }
        if (int < 0x100) {
          bytes[at] = 0xcc
          bytes[at + 1] = int
          return at + 2
        }
        if (int < 0x10000) {
          bytes[at] = 0xcd
          view.setUint16(at + 1, int)
          return at + 3
        }
        bytes[at] = 0xce
        view.setInt32(at + 1, int)
        return at + 5
      }
      if (int >= -0x20) {
        bytes[at] = int
        return at + 1
      }
      if (int >= -0x80) {
        bytes[at] = 0xd0
        bytes[at + 1] = int
        return at + 2
      }
      if (int >= -0x8000) {
        bytes[at] = 0xd1
        view.setInt16(at + 1, int)
        return at + 3
      }
      bytes[at] = 0xd2
      view.setInt32(at + 1, int)
      return at + 5
    }
    if (!Number.isSafeInteger(input)) return float(input, at)
    if (input > 0 && input < 0x100000000) {
      bytes[at] = 0xce
      view.setInt32(at + 1, int)
      return at + 5
    }
    bytes[at] = input > 0 ? 0xcf : 0xd3
    view.setInt32(at + 1, Math.floor(input / 0x100000000))
    view.setInt32(at + 5, int)
    return at + 9
  }

  function float(input: number, at: number): number {
    bytes[at] = 0xcb
    view.setFloat64(at + 1, Number.isNaN(input) ? Number.NaN : input)
    return at + 9
  }

  function text(input: string, start: number): number {
    const { length } = input
    if (length >= LONG_TEXT) return longText(input, start)
    let at = start + 1
    if (length < 0x20) bytes[start] = 0xa0 | length
    else {
      bytes[start] = 0xd9
      bytes[at++] = length
    }
    let seen = 0
    let i = 0
    for (const last = length - 3; i < last; i += 4, at += 4) {
      const a = input.charCodeAt(i)
      const b = input.charCodeAt(i + 1)
      const c = input.charCodeAt(i + 2)
      const d = input.charCodeAt(i + 3)
      seen |= a | b | c | d
      view.setInt32(at, a | (b << 8) | (c << 16) | (d << 24), true)
    }
    for (; i < length; i++, at++) {
      const unit = input.charCodeAt(i)
      seen |= unit
      bytes[at] = unit
    }
    return seen < 0x80 ? at : unicode(input, start)
  }

  /** Short text that isn't ASCII. */
  function unicode(input: string, start: number): number {
    const { length } = input
    let size = length
    for (let i = 0; i < length; i++) {
      const unit = input.charCodeAt(i)
      // Of a surrogate pair each half takes two of the four bytes.
      if (unit > 0x7f) size += unit > 0x7ff && (unit & 0xf800) !== 0xd800 ? 2 : 1
    }
    let at = start + 1
    if (size < 0x20) bytes[start] = 0xa0 | size
    else {
      bytes[start] = 0xd9
      bytes[at++] = size
    }
    for (let i = 0; i < length; i++) {
      let point = input.charCodeAt(i)
      if (point < 0x80) {
        bytes[at++] = point
        continue
      }
      if (point < 0x800) {
        bytes[at++] = 0xc0 | (point >> 6)
      } else {
        if ((point & 0xf800) === 0xd800) {
          const low = i + 1 < length ? input.charCodeAt(++i) : 0
          if (point > 0xdbff || (low & 0xfc00) !== 0xdc00) return part(input, start)
          point = ((point & 0x3ff) << 10) + (low & 0x3ff) + 0x10000
          bytes[at++] = 0xf0 | (point >> 18)
          bytes[at++] = 0x80 | ((point >> 12) & 0x3f)
        } else {
          bytes[at++] = 0xe0 | (point >> 12)
        }
        bytes[at++] = 0x80 | ((point >> 6) & 0x3f)
      }
      bytes[at++] = 0x80 | (point & 0x3f)
    }
    return at
  }

  function longText(input: string, start: number): number {
    const { length } = input
    if (start + 5 + length * 3 > CAPACITY) throw TOO_LARGE
    const guess = length < 0x100 ? 2 : length < 0x10000 ? 3 : 5
    const size = native.utf8Write(input, start + guess)
    if (size !== length && !input.isWellFormed()) return part(input, start)
    return sized(0xd9, size, start, guess)
  }

  function binary(input: Uint8Array, start: number): number {
    const { length } = input
    if (start + 5 + length > CAPACITY) throw TOO_LARGE
    const header = length < 0x100 ? 2 : length < 0x10000 ? 3 : 5
    bytes.set(input, start + header)
    return sized(0xc4, length, start, header)
  }

  /** Writes the header of str or bin before `size` bytes that begin at `start + guess`, and answers their end. */
  function sized(tag: number, size: number, start: number, guess: number): number {
    const header = size < 0x100 ? 2 : size < 0x10000 ? 3 : 5
    if (header !== guess) bytes.copyWithin(start + header, start + guess, start + guess + size)
    if (header === 2) {
      bytes[start] = tag
      bytes[start + 1] = size
    } else if (header === 3) {
      bytes[start] = tag + 1
      view.setUint16(start + 1, size)
    } else {
      bytes[start] = tag + 2
      view.setUint32(start + 1, size)
    }
    return start + header + size
  }

  /** Timestamps of 32 and 64 bits: all dates from 1970 to 2514. */
  function date(input: Date, at: number): number {
    const ms = input.getTime()
    const seconds = Math.floor(ms / 1000)
    if (!(seconds >= 0 && seconds < 2 ** 34)) return part(input, at)
    const nanoseconds = (ms - seconds * 1000) * 1e6
    bytes[at + 1] = EXT_TIMESTAMP
    if (nanoseconds === 0 && seconds < 2 ** 32) {
      bytes[at] = 0xd6
      view.setUint32(at + 2, seconds)
      return at + 6
    }
    bytes[at] = 0xd7
    view.setUint32(at + 2, nanoseconds * 4 + Math.floor(seconds / 2 ** 32))
    view.setUint32(at + 6, seconds)
    return at + 10
  }

  /** A value that plain.ts encodes. */
  function part(input: unknown, at: number): number {
    const encoded = encodePartPlain(input, CAPACITY, depth)
    if (at + encoded.length > CAPACITY) throw TOO_LARGE
    bytes.set(encoded, at)
    return at + encoded.length
  }

  function learn(input: object, slot: Slot): void {
    if (slot === NOWHERE) return
    slot.misses++
    if (slot.misses > DICTIONARY) {
      if (slot.misses % SAMPLE !== 0) return
      slot.others ??= new Slot()
    }
    const keys = Object.keys(input)
    if (keys.length === 0 || keys.length > MAX_KEYS) return
    const places: number[] = []
    for (const key of keys) {
      const place = slot === dataRoot && key === 'cookie' ? SKIPPED : placeOf(key)
      if (place === undefined) return
      places.push(place)
    }
    if (doublesUsed > MAX_DOUBLES) {
      forget()
      return
    }
    const shape = new Shape(keys, places)
    shape.next = slot.shapes
    slot.shapes = shape
    let last = shape
    for (let i = 1; i < MAX_CANDIDATES && last.next !== null; i++) last = last.next
    last.next = null
  }

  /** 64 times where the doubles of a key begin, plus its size; undefined for a key of more than 63 bytes. */
  function placeOf(key: string): number | undefined {
    const known = keyPlaces.get(key)
    if (known !== undefined) return known
    const encoded = encodePlain(key, CAPACITY)
    // An extension holds a key that is no text; its bytes might be those of a NaN, which no double keeps.
    if (encoded.length > 63 || (encoded[0] as number) > 0xd9 || (encoded[0] as number) === 0xc7)
      return undefined
    const count = Math.ceil(encoded.length / 8)
    const place = doublesUsed * 64 + encoded.length
    const padded = new DataView(new ArrayBuffer(count * 8))
    new Uint8Array(padded.buffer).set(encoded)
    for (let i = 0; i < count; i++) doubles[doublesUsed++] = padded.getFloat64(i * 8, true)
    keyPlaces.set(key, place)
    return place
  }

  /** Starts learning anew when there is no room for more. What lives on is learned again at once. */
  function forget(): void {
    for (const top of [root, dataRoot]) {
      top.shapes = null
      top.others = null
    }
    keyPlaces.clear()
    doublesUsed = 0
  }
}

function startsAlike(a: readonly string[], b: readonly string[], count: number): boolean {
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) return false
  return true
}

/** Objects that are encoded as something else than their properties, but for the kinds that are checked before. */
function isOfOtherKind(input: object): boolean {
  return (
    input instanceof Map ||
    input instanceof Set ||
    input instanceof String ||
    input instanceof Number ||
    input instanceof Boolean ||
    input instanceof BigInt
  )
}
