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
import { plainChecks } from '#codec-pools'
import { SessionError } from '../errors.ts'
import { createSlab } from '../slab.ts'
import { EXT_TIMESTAMP, MAX_DEPTH } from './format.ts'
import type { Kernels } from './kernels.ts'
import { nativeText, sameBytes, writesFast } from './native-text.ts'
import { encodeDataPlain, encodePartPlain, encodePlain, toJSON } from './plain.ts'

export interface Encoder {
  encode(value: unknown, maxBytes: number): Uint8Array
  encodeData(data: object, maxBytes: number): Uint8Array
  encodeIfChanged(value: unknown, previous: Uint8Array, maxBytes: number): Uint8Array | undefined
  encodeDataIfChanged(data: object, previous: Uint8Array, maxBytes: number): Uint8Array | undefined
}

type Members = Readonly<Record<string, unknown>>

/**
 * A key, and what is expected after it: in its value, if that is an object, and in the object that it belongs to. The
 * keys of an object are a path through a trie of steps.
 */
class Step {
  readonly key: string
  /** 64 times where the doubles begin that are the key's bytes, plus how many bytes they are; or NO_KEY. */
  readonly place: number
  next: Step
  /** The next of the keys that were seen in this place. */
  other: Step | null = null

  /** The first key of objects that are the value. */
  inner: Step
  /** How many of them had a key that no step foresaw. */
  misses = 0
  /** Of how many it was the first. */
  strangers = 0
  /** What stands in for the steps of such objects. */
  others: Step | null = null
  /** Tells a plain object, if it can be by a function of its own: see scripts/build-pools.mjs. It saves 6 %. */
  isPlain = isPlain

  constructor(key: string, place: number, next?: Step) {
    this.key = key
    this.place = place
    this.next = next ?? this
    this.inner = this.next
  }
}

/** Text that grows. Kept in an object as young as itself, V8 need not note each time where it is: 4 ns of 20. */
interface Gathered {
  text: string
}

/** Without kernels all is done in JavaScript. */
export function createEncoder(kernels?: Kernels): Encoder {
  // Constants of the module would be variables in a bundle, which V8 loads and checks each time: 1.4 times as slow.

  /** Longer payloads are left to plain.ts. */
  const CAPACITY = 1 << 18
  /** More than any key and value take that are not checked against the end of the scratch. */
  const SLACK = 1024

  /**
   * From so many code units on, text is written by a native call: 70 to 90 ns on Node 20; 35 on later ones, 100 if it
   * is beyond ISO 8859-1. Under 32 its header may be of one byte.
   */
  const LONG_TEXT = writesFast ? 32 : 40
  /** The same while text that isn't ASCII is left to the kernels: shorter text is looked at for what isn't. */
  const LONG_AMONG_UNICODE = 40
  /**
   * When a quarter of a payload is text that isn't ASCII, the text of the next one is left to the kernels: 40 ns instead
   * of 90 for 37 code units, but 200 for the payload.
   */
  const UNICODE_SHARE = 4
  const MIN_UNICODE = 64
  /** Text of so many code units is left to them before anybody knows what it is: 18 ns less for 23 that are not ASCII. */
  const GATHERED = 8

  /** What is learned is bounded: keys in one place, keys of one object and their size, steps and doubles of all. */
  const MAX_ALTERNATIVES = 4
  const MAX_KEYS = 64
  const MAX_KEY_BYTES = 63
  const MAX_STEPS = 4096
  const MAX_DOUBLES = 1 << 14
  /** After so many objects that no shape fits, a slot holds a dictionary, and only a sample is learned from. */
  const DICTIONARY = 16
  const SAMPLE = 1024
  /**
   * Among more keys than SEARCHED, up to FAST_KEYS of them, V8 looks for one by halves: 80 ns, and 10 to take it from
   * Object.values, which takes 100 for hash tables. Beyond there are only hash tables, and below looking takes 12.
   */
  const SEARCHED = 32
  const FAST_KEYS = 128
  /** Learning takes microseconds: so many objects may be learned at first, and one for so many payloads from then on. */
  const CREDIT = 512
  const PAYLOADS_FOR_CREDIT = 64

  /** Where a value ends that has no place in an object: undefined, a function, a symbol. */
  const NOTHING = -1
  /** Where a value ends that is for `instance` to write, which wants to know its key. */
  const INSTANCE = -2
  /** The place of a key that isn't written, or not known. */
  const NO_KEY = -1

  const TOO_LARGE = new Error('left to plain.ts')

  const isOwn = Object.prototype.hasOwnProperty

  /** Follows the last step: whatever key there is, it isn't known. Nothing is learned of its value. */
  const UNKNOWN = new Step('', NO_KEY)

  const bytes = kernels?.skeleton ?? new Uint8Array(CAPACITY + SLACK)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const native = nativeText(bytes)
  /** Views of the first so many bytes, made when needed. */
  const PREFIXES = 4096
  const noPrefixes = (): Array<Uint8Array | undefined> =>
    Array.from({ length: PREFIXES + 1 }, () => undefined)
  const prefixes = noPrefixes()
  const outputPrefixes = kernels === undefined ? [] : noPrefixes()
  const room = createSlab()

  let depth = 0
  let busy = false

  /** Texts that are gathered for the kernels: pairs of their place and length, and all in one. */
  const texts = kernels?.texts ?? new Int32Array(0)
  const maxUnits = kernels?.unitsSize ?? 0
  let textsUsed = 0
  let unitsUsed = 0
  let gathered: Gathered | null = null
  let gathering = false
  let longFrom = LONG_TEXT
  /** How many code units of this payload are in text that isn't ASCII. */
  let unicodeUnits = 0

  /** The first `doublesUsed` of them are the bytes of keys: see placeOf. */
  const doubles = new Float64Array(MAX_DOUBLES)
  let doublesUsed = 0
  let credit = CREDIT
  let payloads = 0
  const keyPlaces = new Map<string, number>()
  const root = new Step('', NO_KEY, UNKNOWN)
  const dataRoot = new Step('', NO_KEY, UNKNOWN)
  let steps = 0
  let checksUsed = 0

  return { encode, encodeData, encodeIfChanged, encodeDataIfChanged }

  function encode(input: unknown, maxBytes: number): Uint8Array {
    const encoded = busy ? undefined : run(input, root, maxBytes)
    return encoded === undefined ? encodePlain(input, maxBytes) : copy(encoded)
  }

  function encodeData(data: object, maxBytes: number): Uint8Array {
    const encoded = busy ? undefined : run(data, dataRoot, maxBytes)
    return encoded === undefined ? encodeDataPlain(data, maxBytes) : copy(encoded)
  }

  function encodeIfChanged(input: unknown, previous: Uint8Array, maxBytes: number): Uint8Array | undefined {
    const encoded = busy ? undefined : run(input, root, maxBytes)
    if (encoded !== undefined) return sameBytes(encoded, previous) ? undefined : copy(encoded)
    const plain = encodePlain(input, maxBytes)
    return sameBytes(plain, previous) ? undefined : plain
  }

  function encodeDataIfChanged(data: object, previous: Uint8Array, maxBytes: number): Uint8Array | undefined {
    const encoded = busy ? undefined : run(data, dataRoot, maxBytes)
    if (encoded !== undefined) return sameBytes(encoded, previous) ? undefined : copy(encoded)
    const plain = encodeDataPlain(data, maxBytes)
    return sameBytes(plain, previous) ? undefined : plain
  }

  /** Encodes, and answers a view of the scratch; undefined when it is for plain.ts to encode. */
  function run(input: unknown, top: Step, maxBytes: number): Uint8Array | undefined {
    if (++payloads === PAYLOADS_FOR_CREDIT) {
      payloads = 0
      if (credit < CREDIT) credit++
    }
    busy = true
    depth = 0
    try {
      const end = top === dataRoot ? members(input as Members, 0, top) : element(input, 0, top, '')
      const encoded = textsUsed === 0 ? prefix(bytes, prefixes, end) : assembled(end)
      gathering =
        kernels !== undefined && unicodeUnits >= MIN_UNICODE && unicodeUnits * UNICODE_SHARE > encoded.length
      longFrom = gathering ? LONG_AMONG_UNICODE : LONG_TEXT
      return encoded.length > 0 && encoded.length <= maxBytes ? encoded : undefined
    } catch (error) {
      if (error !== TOO_LARGE && !(error instanceof SessionError)) throw error
      return undefined
    } finally {
      busy = false
      if (textsUsed > 0) {
        textsUsed = 0
        unitsUsed = 0
        gathered = null
      }
      unicodeUnits = 0
    }
  }

  function assembled(end: number): Uint8Array {
    const { units, assemble, output } = kernels as Kernels
    units.ucs2Write((gathered as Gathered).text, 0)
    const size = assemble(end, textsUsed / 2)
    if (size < 0) return prefix(output, outputPrefixes, 0)
    unicodeUnits += texts[0] as number
    return prefix(output, outputPrefixes, size)
  }

  function prefix(of: Uint8Array, known: Array<Uint8Array | undefined>, end: number): Uint8Array {
    if (end > PREFIXES) return of.subarray(0, end)
    let view = known[end]
    if (view === undefined) {
      view = of.subarray(0, end)
      known[end] = view
    }
    return view
  }

  function copy(encoded: Uint8Array): Uint8Array {
    const result = room(encoded.length)
    result.set(encoded)
    return result
  }

  /** Writes a value at `at` and answers where it ends, NOTHING, or INSTANCE. */
  function value(input: unknown, at: number, step: Step): number {
    if (typeof input === 'string') return text(input, at)
    if (typeof input === 'number') {
      if ((input & 0x7f) === input && input !== 0) {
        bytes[at] = input
        return at + 1
      }
      return number(input, at)
    }
    if (typeof input === 'object') {
      if (input === null) {
        bytes[at] = 0xc0
        return at + 1
      }
      if (Array.isArray(input)) {
        return (input as { toJSON?: unknown }).toJSON === undefined ? array(input, at, step) : INSTANCE
      }
      return step.isPlain(input) ? members(input as Members, at, step) : INSTANCE
    }
    if (typeof input === 'boolean') {
      bytes[at] = input ? 0xc3 : 0xc2
      return at + 1
    }
    if (typeof input === 'bigint') return part(input, at)
    return typeof input === 'function' ? INSTANCE : NOTHING
  }

  function instance(input: unknown, at: number, step: Step, key: string | number): number {
    const replaced = toJSON(input, key)
    if (typeof replaced !== 'object' || replaced === null) {
      return typeof replaced === 'function' ? NOTHING : value(replaced, at, step)
    }
    if (Array.isArray(replaced)) return array(replaced, at, step)
    if (replaced instanceof Date) return date(replaced, at)
    if (replaced instanceof Uint8Array) return binary(replaced, at)
    if (isOfOtherKind(replaced)) return part(replaced, at)
    return members(replaced as Members, at, step)
  }

  function members(input: Members, start: number, holder: Step): number {
    if (++depth > MAX_DEPTH) throw TOO_LARGE
    if (holder.strangers > DICTIONARY) return dictionary(input, start, holder)
    const firstText = textsUsed
    let at = start + 1
    let count = 0
    let known = true
    let step = holder.inner
    for (const key in input) {
      // Free of charge: V8 knows it of the keys that it lists.
      if (!isOwn.call(input, key)) continue
      if (step.key !== key) step = divert(step, key)
      const { place } = step
      let end: number
      if (place > 0) {
        const size = place & 63
        const first = place >> 6
        view.setFloat64(at, doubles[first] as number, true)
        if (size > 8) {
          view.setFloat64(at + 8, doubles[first + 1] as number, true)
          if (size > 16) restOfKey(at + 16, first + 2, at + size)
        }
        const member = input[key]
        end = value(member, at + size, step)
        if (end === INSTANCE) end = instance(member, at + size, step, key)
        step = step.next
      } else if (holder === dataRoot && key === 'cookie') {
        step = step.next
        continue
      } else {
        known = false
        if (count === 0) holder.strangers++
        end = unknown(key, input[key], at, holder)
      }
      if (end === NOTHING) continue
      if (end > CAPACITY) throw TOO_LARGE
      at = end
      count++
    }
    depth--
    if (!known) learn(input, holder)
    if (count < 16) {
      bytes[start] = 0x80 | count
      return at
    }
    return manyMembers(count, start, at, firstText)
  }

  /**
   * The same of objects in a place where keys are hardly ever foreseen. Many are hash tables, which slow down the loop
   * of `members` for good, by 20 ns a key: objects to which keys were added one by one, or that lost one.
   */
  function dictionary(input: Members, start: number, holder: Step): number {
    const firstText = textsUsed
    const keys = Object.keys(input)
    const { length } = keys
    const values = length > SEARCHED && length <= FAST_KEYS ? Object.values(input) : undefined
    // A getter may have deleted some.
    const listed = values?.length === length ? values : undefined
    let at = start + 1
    let count = 0
    let known = true
    let step = holder.inner
    const inside = holder.others ?? UNKNOWN
    for (let i = 0; i < length; i++) {
      const key = keys[i] as string
      if (step.key !== key) step = divert(step, key)
      const { place } = step
      const member = listed === undefined ? input[key] : listed[i]
      let end: number
      if (place > 0) {
        const from = at + (place & 63)
        restOfKey(at, place >> 6, from)
        end = value(member, from, step)
        if (end === INSTANCE) end = instance(member, from, step, key)
        step = step.next
      } else if (holder === dataRoot && key === 'cookie') {
        step = step.next
        continue
      } else {
        known = false
        const from = text(key, at)
        end = value(member, from, inside)
        if (end === INSTANCE) end = instance(member, from, inside, key)
        if (end === NOTHING && from === at) ungather()
      }
      if (end === NOTHING) continue
      if (end > CAPACITY) throw TOO_LARGE
      at = end
      count++
    }
    depth--
    if (!known) learn(input, holder)
    if (count < 16) {
      bytes[start] = 0x80 | count
      return at
    }
    return manyMembers(count, start, at, firstText)
  }

  /** Makes room for a header that takes more than a byte, and writes it. */
  function manyMembers(count: number, start: number, end: number, firstText: number): number {
    const more = count < 0x10000 ? 2 : 4
    bytes.copyWithin(start + 1 + more, start + 1, end)
    for (let i = firstText; i < textsUsed; i += 2) (texts[i] as number) += more
    containerHeader(0xde, count, start)
    return end + more
  }

  function restOfKey(from: number, first: number, end: number): void {
    for (let at = from, next = first; at < end; at += 8, next++) {
      view.setFloat64(at, doubles[next] as number, true)
    }
  }

  function divert(step: Step, key: string): Step {
    for (let other = step.other; other !== null; other = other.other) if (other.key === key) return other
    return UNKNOWN
  }

  function unknown(key: string, member: unknown, start: number, holder: Step): number {
    const at = text(key, start)
    const step = holder.others ?? UNKNOWN
    let end = value(member, at, step)
    if (end === INSTANCE) end = instance(member, at, step, key)
    if (end === NOTHING && at === start) ungather()
    return end
  }

  function array(input: readonly unknown[], start: number, step: Step): number {
    if (++depth > MAX_DEPTH) throw TOO_LARGE
    const { length } = input
    let at = start
    if (length < 16) bytes[at++] = 0x90 | length
    else at = containerHeader(0xdc, length, start)
    for (let i = 0; i < length; i++) {
      at = element(input[i], at, step, i)
      if (at > CAPACITY) throw TOO_LARGE
    }
    depth--
    return at
  }

  /** Writes a value that must be there: what has no place in an object is null. */
  function element(input: unknown, at: number, step: Step, key: string | number): number {
    let end = value(input, at, step)
    if (end === INSTANCE) end = instance(input, at, step, key)
    if (end !== NOTHING) return end
    bytes[at] = 0xc0
    return at + 1
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
    if (length >= longFrom) return longText(input, start)
    if (gathering && length >= GATHERED && gather(input, start)) return start
    let at = start + 1
    if (length < 0x20) bytes[start] = 0xa0 | length
    else {
      bytes[start] = 0xd9
      bytes[at++] = length
    }
    let i = 0
    for (const last = length - 3; i < last; i += 4, at += 4) {
      const a = input.charCodeAt(i)
      const b = input.charCodeAt(i + 1)
      const c = input.charCodeAt(i + 2)
      const d = input.charCodeAt(i + 3)
      if ((a | b | c | d) > 0x7f) return unicode(input, i, start, at)
      view.setInt32(at, a | (b << 8) | (c << 16) | (d << 24), true)
    }
    for (; i < length; i++, at++) {
      const unit = input.charCodeAt(i)
      if (unit > 0x7f) return unicode(input, i, start, at)
      bytes[at] = unit
    }
    return at
  }

  /** The rest of a short text, from where it isn't ASCII, behind a header that may be too short. */
  function unicode(input: string, from: number, start: number, to: number): number {
    const { length } = input
    if (gathering && gather(input, start)) return start
    unicodeUnits += length
    let at = to
    for (let i = from; i < length; i++) {
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
    if (length >= 0x20) {
      bytes[start + 1] = at - start - 2
      return at
    }
    const size = at - start - 1
    if (size < 0x20) {
      bytes[start] = 0xa0 | size
      return at
    }
    bytes.copyWithin(start + 2, start + 1, at)
    bytes[start] = 0xd9
    bytes[start + 1] = size
    return at + 1
  }

  function longText(input: string, start: number): number {
    const { length } = input
    if (start + 5 + length * 3 > CAPACITY) throw TOO_LARGE
    if (gathering && (input.charCodeAt(0) | input.charCodeAt(length >> 1)) > 0x7f && gather(input, start)) {
      return start
    }
    const guess = length < 0x100 ? 2 : length < 0x10000 ? 3 : 5
    const size = native.utf8Write(input, start + guess)
    if (size !== length) {
      unicodeUnits += length
      if (!input.isWellFormed()) return part(input, start)
    }
    return sized(0xd9, size, start, guess)
  }

  /** Leaves a text to the kernels, if there is room. */
  function gather(input: string, place: number): boolean {
    const units = unitsUsed + input.length
    if (units > maxUnits || textsUsed === texts.length) return false
    if (gathered === null) gathered = { text: input }
    else gathered.text += input
    texts[textsUsed] = place
    texts[textsUsed + 1] = input.length
    textsUsed += 2
    unitsUsed = units
    return true
  }

  /** Takes the last text back: a key, whose value turned out to have no place in an object. */
  function ungather(): void {
    textsUsed -= 2
    unitsUsed -= texts[textsUsed + 1] as number
    const { text } = gathered as Gathered
    ;(gathered as Gathered).text = text.slice(0, unitsUsed)
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

  /** Learns the keys of an object, of which some were unknown. */
  function learn(input: object, holder: Step): void {
    if (holder === UNKNOWN) return
    holder.misses++
    if (holder.isPlain === isPlain) holder.isPlain = plainChecks[checksUsed++] ?? isPlain
    if (holder.misses > DICTIONARY) {
      holder.isPlain = isPlain
      if (holder.misses % SAMPLE !== 0) return
      holder.others ??= new Step('', NO_KEY, UNKNOWN)
    }
    if (credit === 0) return
    credit--
    let last: Step | null = null
    for (const key of Object.keys(input).slice(0, MAX_KEYS)) {
      const expected: Step = last === null ? holder.inner : last.next
      let step: Step = expected.key === key ? expected : divert(expected, key)
      if (step === UNKNOWN) {
        const skipped = holder === dataRoot && key === 'cookie'
        step = new Step(key, skipped ? NO_KEY : placeOf(key), UNKNOWN)
        if (step.place === NO_KEY && !skipped) break
        if (expected !== UNKNOWN) addAlternative(expected, step)
        else if (last === null) holder.inner = step
        else last.next = step
        steps++
      }
      last = step
    }
    if (steps > MAX_STEPS || doublesUsed > MAX_DOUBLES) forget()
  }

  function placeOf(key: string): number {
    const known = keyPlaces.get(key)
    if (known !== undefined) return known
    if (key.length > MAX_KEY_BYTES || !key.isWellFormed()) return NO_KEY
    const encoded = encodePlain(key, CAPACITY)
    if (encoded.length > MAX_KEY_BYTES) return NO_KEY
    const place = doublesUsed * 64 + encoded.length
    const count = Math.ceil(encoded.length / 8)
    const padded = new DataView(new ArrayBuffer(count * 8))
    new Uint8Array(padded.buffer).set(encoded)
    for (let i = 0; i < count; i++) doubles[doublesUsed++] = padded.getFloat64(i * 8, true)
    keyPlaces.set(key, place)
    return place
  }

  /** Puts the newest alternative in front and lets the oldest go. */
  function addAlternative(step: Step, added: Step): void {
    added.other = step.other
    step.other = added
    let last = added
    for (let i = 2; i < MAX_ALTERNATIVES && last.other !== null; i++) last = last.other
    last.other = null
  }

  /** Starts learning anew when there is no room for more. What lives on is learned again at once. */
  function forget(): void {
    for (const top of [root, dataRoot]) {
      top.inner = UNKNOWN
      top.others = null
    }
    keyPlaces.clear()
    doublesUsed = 0
    steps = 0
    checksUsed = 0
  }
}

/**
 * As plainChecks, for objects of too many hidden classes: where inline caches keep missing, reading a property takes a
 * microsecond, and these calls 30 ns.
 */
function isPlain(input: object): boolean {
  return (
    Object.getPrototypeOf(input) === Object.prototype &&
    !Object.hasOwn(input, 'toJSON') &&
    (Object.prototype as { toJSON?: unknown }).toJSON === undefined
  )
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
