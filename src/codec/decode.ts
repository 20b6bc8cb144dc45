/**
 * Decoding at speed, for what sessions are made of: objects of few shapes, short strings, small numbers.
 *
 * - Sessions of one app look alike. For each place in the payload (the slot of an object's shape) the shapes seen
 *   there before predict the next key, and two 32-bit compares on the raw bytes verify it.
 * - Each shape has a maker of its own, so that adding a property is one monomorphic store.
 * - One native call turns the whole payload into text, of which ASCII strings are slices.
 *
 * Whatever is out of the ordinary, and all that is wrong, is left to plain.ts: a payload that is refused here is
 * decoded again there, and what that says is the answer.
 */
import { createMakers, type Maker, rooms, SLOTS } from '#codec-pools'
import { EXT_TIMESTAMP, MAX_DEPTH } from './format.ts'
import type { Kernels } from './kernels.ts'
import { nativeText } from './native-text.ts'
import { decodeIntoPlain, decodePartPlain, decodePlain, encodePlain, setOwn } from './plain.ts'

export interface Decoder {
  decode(input: Uint8Array): unknown
  decodeInto(input: Uint8Array, target: object): void
}

/** A key in objects of one shape, and what is expected of its value, if that is an object. */
class Slot {
  /** Where the words of the key begin. */
  readonly words: number
  /** The shapes that were seen, the first of a list. */
  shapes: Shape | null = null
  /** How many objects none of them fitted. */
  misses = 0
  /** What stands in for the slots of such objects. */
  others: Slot | null = null

  constructor(words: number) {
    this.words = words
  }
}

/** The keys of an object. */
class Shape {
  readonly count: number
  readonly keys: readonly string[]
  readonly slots: readonly Slot[]
  make: Maker<Shape>
  /** How often `make` was called, as long as it is a shared one. */
  hits = 0
  /** The next shape of the same slot. */
  next: Shape | null = null

  constructor(keys: readonly string[], slots: readonly Slot[], make: Maker<Shape>) {
    this.count = keys.length
    this.keys = keys
    this.slots = slots
    this.make = make
  }
}

/** The keys of a dictionary, and where their words begin. */
interface KeyList {
  readonly keys: readonly string[]
  readonly words: number
}

/** Without kernels all is done in JavaScript. */
export function createDecoder(kernels?: Kernels): Decoder {
  // Constants of the module would be variables in a bundle, which V8 loads and checks each time: 1.4 times as slow.

  /** Longer payloads are left to plain.ts. */
  const CAPACITY = 1 << 18
  /** What may be read beyond a payload before its end is noticed. */
  const SLACK = 64

  /** Shapes for one slot, keys of one shape, and words of all keys: beyond these nothing more is learned. */
  const MAX_CANDIDATES = 4
  const MAX_KEYS = 64
  const MAX_WORDS = 1 << 15
  /** After so many objects that no shape fits, a slot holds a dictionary, and only a sample is learned from. */
  const DICTIONARY = 16
  const SAMPLE = 1024
  /**
   * The keys of dictionaries with more than FEW of them are listed, as far as there is room. V8 makes an object with keys
   * that it has seen in the same order at 20 ns a key, from the 33rd on at 55; in JSON.parse at 41, so that those of more
   * than PARSED keys are made JSON, if their members are simple. But when more than 1536 keys are the first of such
   * objects, V8 takes a microsecond for each key, unless the object is a hash table: then 300 ns, and as much to make it.
   */
  const FEW = 4
  const PARSED = 56
  const MAX_FIRST_KEYS = 1536
  const MAX_LISTS = 2048
  const MAX_LISTED_WORDS = 1 << 18
  /** When there was no room for so many keys, all lists are made anew; after up to 16 times as many when they are of no use. */
  const MAX_UNLISTED = 1 << 17
  /** As JSON.parse does, objects of more members are made as hash tables. */
  const MAX_ROOM = Math.max(...rooms.map(({ room }) => room))
  /** Learning takes microseconds: so many objects may be learned at first, and one for so many payloads from then on. */
  const CREDIT = 512
  const PAYLOADS_FOR_CREDIT = 64
  /** A shape gets a maker of its own when it was predicted so many times. */
  const PROVEN = 8

  const MISS = Symbol('miss')
  const IRREGULAR = new Error('left to plain.ts')

  /** Keys of shapes that aren't known: as text, the last ones of up to 16 ASCII characters are kept. */
  const CACHED_KEYS_LOG2 = 13
  const MAX_CACHED_KEY = 16
  /** For a key of so many characters, masks its first, second, third and fourth word: four times 17 masks. */
  const KEY_MASKS = Int32Array.from({ length: 4 * 17 }, (_, i) => {
    const inWord = (i % 17) - Math.floor(i / 17) * 4
    return inWord >= 4 ? -1 : inWord > 0 ? 2 ** (8 * inWord) - 1 : 0
  })

  /**
   * When a quarter of a payload is text that isn't ASCII, such text of the next one is left to the kernels: 35 ns instead
   * of 100 for 37 code units, but 2 for each other token.
   */
  const UNICODE_SHARE = 4
  const MIN_UNICODE = 64
  /** ASCII text of so many bytes is checked by the kernels. */
  const LONG_TEXT = 64
  /** Arrays of more are copies of a blank one, as far as it goes: growing from here to 30 takes 45 ns. */
  const PUSHED = 16
  const BLANK = 256
  /** Text of more bytes than this is decoded natively, unless it is ASCII. */
  const MAX_UNITS = 32
  /** Masks the first bytes of a little-endian word: none, one, two or three. */
  const TAIL_MASK = Int32Array.of(0, 0xff, 0xffff, 0xffffff)

  /** Where nothing is learned: within objects whose own shape isn't known yet. */
  const NOWHERE = new Slot(0)

  const bytes = kernels?.payload ?? new Uint8Array(CAPACITY + SLACK)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const native = nativeText(bytes)
  const units = new Int32Array(MAX_UNITS)
  const wideTexts = kernels?.unicode ?? units

  const blank: unknown[] = []
  for (let i = 0; i < BLANK; i++) blank.push(null)

  /** The payload being decoded: all of it, as if it were ISO 8859-1; where it is read; where it ends. */
  let text = ''
  let at = 0
  let end = 0
  let depth = 0
  let busy = false
  /** How many members the last maker made. */
  let made = 0

  /** All text before this place has been scanned: what isn't ASCII lies in `wide`, the next of it at `nextWide`. */
  let scanned = 0
  let wide = ''
  let wideAt = 0
  let nextWide = 0
  let nextEntry = 0
  let scanning = false
  /** How many bytes of this payload are in text that isn't ASCII. */
  let unicodeBytes = 0

  /** The first `wordsUsed` of them belong to keys: see wordsOf. */
  const words = new Int32Array(MAX_WORDS)
  let wordsUsed = 0
  let credit = CREDIT
  let payloads = 0
  const keyWords = new Map<string, number>()

  const cachedKeys: Array<string | undefined> = Array.from({ length: 1 << CACHED_KEYS_LOG2 }, () => undefined)
  const cachedWords = new Int32Array(4 << CACHED_KEYS_LOG2)

  /** The makers that are taken, by the keys that they make. They stay when shapes are forgotten. */
  const ownMakers = new Map<string, Maker<Shape>>()
  const ownFillers = new Map<string, Maker<Shape>>()
  const { make, fill } = createMakers<Shape>(member, MISS, rest)

  /** By a hash of the first key and of how many there are. */
  const lists = new Map<number, KeyList>()
  /** Their words: for each key its size in bytes, the word of its last four bytes, then the words before. */
  let listed = new Int32Array(MAX_LISTED_WORDS)
  let listedUsed = 0
  let listsAreFull = false
  /** How many keys have found no room since the lists were made anew, and how many they have to be. */
  let unlisted = 0
  let maxUnlisted = MAX_UNLISTED
  /** How many keys were found in the lists. */
  let found = 0
  /** Hashes of the first keys of dictionaries that aren't hash tables. */
  const firstKeys = new Set<number>()

  /** Which of `rooms` V8 no longer trims. */
  const isUntrimmed: Array<true | undefined> = rooms.map(() => undefined)

  const root = new Slot(0)
  /** For decodeInto, the same by the class of the target. */
  let targetRoots = new WeakMap<object, Slot>()
  let lastClass: unknown
  let lastTargetRoot = root

  return { decode, decodeInto }

  function decode(payload: Uint8Array): unknown {
    if (busy || payload.length > CAPACITY) return decodePlain(payload)
    try {
      start(payload)
      const result = value(root)
      if (at === end) return result
    } catch {
      // plain.ts says what is wrong with it, if anything.
    } finally {
      stop()
    }
    return decodePlain(payload)
  }

  function decodeInto(payload: Uint8Array, target: object): void {
    if (!busy && payload.length <= CAPACITY) {
      try {
        start(payload)
        if (targetObject(target) && at === end) return
      } catch {
        // plain.ts says what is wrong with it, if anything.
      } finally {
        stop()
      }
    }
    decodeIntoPlain(payload, target)
  }

  function start(payload: Uint8Array): void {
    if (++payloads === PAYLOADS_FOR_CREDIT) {
      payloads = 0
      if (credit < CREDIT) credit++
    }
    busy = true
    bytes.set(payload)
    at = 0
    depth = 0
    end = payload.length
  }

  function stop(): void {
    busy = false
    if (scanned > 0) {
      scanned = 0
      wide = ''
    }
    scanning = kernels !== undefined && unicodeBytes >= MIN_UNICODE && unicodeBytes * UNICODE_SHARE > end
    unicodeBytes = 0
    text = ''
  }

  /** Reads the member of a slot, if its key is the expected one. */
  function member(shape: Shape, index: number): unknown {
    if (index !== shape.count) {
      const slot = shape.slots[index] as Slot
      const key = at
      const w = slot.words
      const size = words[w] as number
      let difference =
        ((view.getInt32(key, true) ^ (words[w + 1] as number)) & (words[w + 2] as number)) |
        ((view.getInt32(key + 4, true) ^ (words[w + 3] as number)) & (words[w + 4] as number))
      for (let i = 8, word = w + 5; i < size; i += 4, word += 2) {
        difference |= (view.getInt32(key + i, true) ^ (words[word] as number)) & (words[word + 1] as number)
      }
      if (difference === 0) {
        // One call less for what most members are: a payload of 4 KB is decoded 1.08 times as fast.
        const start = key + size
        const tag = bytes[start] as number
        if (tag < 0x80) {
          at = start + 1
          return tag
        }
        if (tag >= 0xa0 && tag < 0xc0) return string(start + 1, tag & 0x1f)
        if (tag === 0xcd) {
          at = start + 3
          return view.getUint16(start + 1)
        }
        if (tag === 0xcb) {
          at = start + 9
          return view.getFloat64(start + 1)
        }
        at = start
        return value(slot)
      }
    }
    made = index
    return MISS
  }

  /** Whether the first bytes of a shape's first key come next: enough to pass over most that don't fit. */
  function beginsLike(shape: Shape): boolean {
    const { words: w } = shape.slots[0] as Slot
    return ((view.getInt32(at, true) ^ (words[w + 1] as number)) & (words[w + 2] as number)) === 0
  }

  /** Makes objects of all shapes that have no maker of their own. */
  function makeAny(shape: Shape, keys: readonly string[]): object {
    if (++shape.hits === PROVEN) shape.make = own(ownMakers, make, keys) ?? makeAny
    return members(shape, keys, {}, 0)
  }

  /** Fills targets of all shapes that have no filler of their own. */
  function fillAny(shape: Shape, keys: readonly string[], target?: object): object {
    if (++shape.hits === PROVEN) shape.make = own(ownFillers, fill, keys) ?? fillAny
    return members(shape, keys, target as object, 0)
  }

  /** Makes the members that no maker has a slot for. */
  function rest(shape: Shape, keys: readonly string[], target: object): object {
    return members(shape, keys, target, SLOTS)
  }

  function members(shape: Shape, keys: readonly string[], target: object, from: number): object {
    for (let i = from; ; i++) {
      const got = member(shape, i)
      if (got === MISS) return target
      ;(target as Record<string, unknown>)[keys[i] as string] = got
    }
  }

  function value(slot: Slot): unknown {
    const start = at
    const tag = bytes[start] as number
    if (tag < 0x80) {
      at = start + 1
      return tag
    }
    if (tag < 0xc0) {
      if (tag >= 0xa0) return string(start + 1, tag & 0x1f)
      if (tag >= 0x90) return array(start + 1, tag & 0x0f, slot)
      return object(start + 1, tag & 0x0f, slot)
    }
    if (tag >= 0xe0) {
      at = start + 1
      return tag - 0x100
    }
    switch (tag) {
      case 0xc0:
        at = start + 1
        return null
      case 0xc2:
        at = start + 1
        return false
      case 0xc3:
        at = start + 1
        return true
      case 0xcb:
        at = start + 9
        return view.getFloat64(start + 1)
      case 0xcc:
        at = start + 2
        return bytes[start + 1]
      case 0xcd:
        at = start + 3
        return view.getUint16(start + 1)
      case 0xce:
        at = start + 5
        return view.getUint32(start + 1)
      case 0xcf: {
        const high = view.getUint32(start + 1)
        if (high > 0x1fffff) return part(start)
        at = start + 9
        return high * 0x100000000 + view.getUint32(start + 5)
      }
      case 0xd0:
        at = start + 2
        return view.getInt8(start + 1)
      case 0xd1:
        at = start + 3
        return view.getInt16(start + 1)
      case 0xd2:
        at = start + 5
        return view.getInt32(start + 1)
      case 0xd6:
        if (bytes[start + 1] !== (EXT_TIMESTAMP & 0xff)) return part(start)
        at = start + 6
        return new Date(view.getUint32(start + 2) * 1000)
      case 0xd7:
        return timestamp64(start)
      case 0xd9:
        return string(start + 2, bytes[start + 1] as number)
      case 0xda:
        return string(start + 3, view.getUint16(start + 1))
      case 0xdc:
        return array(start + 3, view.getUint16(start + 1), slot)
      case 0xde:
        return object(start + 3, view.getUint16(start + 1), slot)
      default:
        return part(start)
    }
  }

  /** A value that plain.ts reads. */
  function part(start: number): unknown {
    if (start >= end) throw IRREGULAR
    const { value, end: next } = decodePartPlain(bytes.subarray(0, end), start, depth)
    at = next
    return value
  }

  function timestamp64(start: number): unknown {
    const high = view.getUint32(start + 2)
    const nanoseconds = high >>> 2
    if (bytes[start + 1] !== (EXT_TIMESTAMP & 0xff) || nanoseconds > 999_999_999) return part(start)
    at = start + 10
    return new Date(
      ((high & 3) * 0x100000000 + view.getUint32(start + 6)) * 1000 + Math.floor(nanoseconds / 1e6),
    )
  }

  function string(start: number, length: number): string {
    const stop = start + length
    if (stop > end) throw IRREGULAR
    at = stop
    if (start < scanned) return scannedText(start, stop)
    if (kernels !== undefined && length >= LONG_TEXT) {
      return kernels.isAscii(start, length) ? ascii(start, stop) : unicode(start, stop)
    }
    let i = start
    for (; i + 4 <= stop; i += 4) {
      if ((view.getInt32(i, true) & 0x80808080) !== 0) return unicode(start, stop)
    }
    if (i < stop && (view.getInt32(i, true) & 0x80808080 & (TAIL_MASK[stop - i] as number)) !== 0) {
      return unicode(start, stop)
    }
    return ascii(start, stop)
  }

  /** What has no ASCII text but keys that are known never needs it. */
  function ascii(start: number, stop: number): string {
    if (text.length === 0) text = native.latin1Slice(0, end)
    return text.slice(start, stop)
  }

  function scannedText(start: number, stop: number): string {
    // A key that was predicted has been passed over.
    while (nextWide < start) passWide()
    if (start !== nextWide) return ascii(start, stop)
    const from = wideAt
    passWide()
    return wide.slice(from, wideAt)
  }

  function passWide(): void {
    wideAt = wideTexts[nextEntry] as number
    nextWide = wideTexts[nextEntry + 1] as number
    nextEntry += 2
  }

  /** The first of the texts that the kernels have found, whose code units are so many together. */
  function scannedFrom(start: number, stop: number, total: number): string {
    wide = (kernels as Kernels).units.ucs2Slice(0, total * 2)
    wideAt = 0
    scanned = wideTexts[0] as number
    nextWide = start
    nextEntry = 2
    unicodeBytes += total
    return scannedText(start, stop)
  }

  /** Text that isn't ASCII. Up to 24 code units 50 ns, where the native call takes 100. */
  function unicode(start: number, stop: number): string {
    unicodeBytes += stop - start
    if (scanning) {
      const units = (kernels as Kernels).scan(start, stop, end)
      if (units > 0) return scannedFrom(start, stop, units)
    }
    if (stop - start > MAX_UNITS) {
      const decoded = native.utf8Slice(start, stop)
      // What stands for bytes that are no UTF-8, or for itself.
      if (decoded.includes('\ufffd')) throw IRREGULAR
      return decoded
    }
    let count = 0
    let i = start
    while (i < stop) {
      const b0 = bytes[i++] as number
      if (b0 < 0x80) {
        units[count++] = b0
        continue
      }
      const b1 = (bytes[i++] as number) ^ 0x80
      if (b0 < 0xe0) {
        if (b0 < 0xc2 || b1 > 0x3f) throw IRREGULAR
        units[count++] = ((b0 & 0x1f) << 6) | b1
        continue
      }
      const b2 = (bytes[i++] as number) ^ 0x80
      if (b0 < 0xf0) {
        const unit = ((b0 & 0x0f) << 12) | (b1 << 6) | b2
        if (b1 > 0x3f || b2 > 0x3f || unit < 0x800 || (unit & 0xf800) === 0xd800) throw IRREGULAR
        units[count++] = unit
        continue
      }
      const b3 = (bytes[i++] as number) ^ 0x80
      const point = ((b0 & 0x07) << 18) | (b1 << 12) | (b2 << 6) | b3
      if (b0 > 0xf4 || b1 > 0x3f || b2 > 0x3f || b3 > 0x3f || point < 0x10000 || point > 0x10ffff) {
        throw IRREGULAR
      }
      units[count++] = 0xd7c0 + (point >>> 10)
      units[count++] = 0xdc00 + (point & 0x3ff)
    }
    if (i !== stop) throw IRREGULAR
    return fromUnits(units, count)
  }

  function array(start: number, length: number, slot: Slot): unknown[] {
    enter(start, length)
    // An array of one or two is made in one piece, which growing by push is not.
    let result: unknown[]
    if (length === 1) result = [value(slot)]
    else if (length === 2) result = [value(slot), value(slot)]
    else if (length <= PUSHED) {
      result = []
      for (let i = 0; i < length; i++) result.push(value(slot))
    } else result = longArray(length, slot)
    depth--
    return result
  }

  function longArray(length: number, slot: Slot): unknown[] {
    const first = value(slot)
    // V8 has a kind of array for numbers, which only an array that has never held anything else is.
    const placed = typeof first === 'number' ? 1 : Math.min(length, blank.length)
    const result = placed === 1 ? [first] : blank.slice(0, placed)
    result[0] = first
    for (let i = 1; i < placed; i++) result[i] = value(slot)
    for (let i = placed; i < length; i++) result.push(value(slot))
    return result
  }

  function object(start: number, count: number, slot: Slot): object {
    enter(start, count * 2)
    if (count === 0) {
      depth--
      return {}
    }
    for (let shape = slot.shapes; shape !== null; shape = shape.next) {
      if (shape.count !== count || (shape.next !== null && !beginsLike(shape))) continue
      const result = shape.make(shape, shape.keys)
      if (made === count) {
        depth--
        return result
      }
      if (made > 0) return finish(result as Record<string, unknown>, made, count, slot)
    }
    if (slot.misses > DICTIONARY && count > FEW) return dictionary(count, slot)
    return finish(count > FEW ? roomy(count) : {}, 0, count, slot)
  }

  /** An object with room for so many members; beyond MAX_ROOM a hash table, which `finish` gives its prototype. */
  function roomy(count: number): Record<string, unknown> {
    for (let i = 0; i < rooms.length; i++) {
      const { room, Roomy } = rooms[i] as (typeof rooms)[0]
      if (count > room) continue
      if (isUntrimmed[i] === undefined) {
        isUntrimmed[i] = true
        keepRoom(room, Roomy)
      }
      return new Roomy()
    }
    return Object.create(null)
  }

  /** V8 trims the room of all to what the first eight of them use. All of them at start would take a millisecond. */
  function keepRoom(room: number, Roomy: (typeof rooms)[0]['Roomy']): void {
    for (let i = 0; i < 8; i++) {
      const filled = new Roomy()
      for (let member = 0; member < room; member++) filled[`member ${member}`] = member
    }
  }

  function dictionary(count: number, slot: Slot): object {
    const first = hashOfKey()
    const hash = first ^ count
    const list = lists.get(hash)
    if (list !== undefined && list.keys.length === count) {
      const result = roomy(count)
      const matching = listedMembers(result, list, slot.others ?? NOWHERE)
      found += matching
      return finish(result, matching, count, slot)
    }
    if (firstKeys.size < MAX_FIRST_KEYS) firstKeys.add(first)
    else if (!firstKeys.has(first)) {
      countUnlisted(count)
      return hashTable(count, slot)
    }
    const result = count > PARSED && count <= MAX_ROOM ? parsed(count) : undefined
    if (result !== undefined) return result
    if (!listsAreFull) return listing(count, slot, hash)
    countUnlisted(count)
    return finish(roomy(count), 0, count, slot)
  }

  /** An object of simple members, by way of JSON. */
  function parsed(count: number): object | undefined {
    const json = kernels?.json(at, count, end)
    if (json === undefined) return undefined
    at = wideTexts[0] as number
    depth--
    return JSON.parse(json) as object
  }

  /** Of the first eight bytes of the key that comes next. */
  function hashOfKey(): number {
    const length = (bytes[at] as number) - 0xa0
    const known = length >= 0 && length <= MAX_CACHED_KEY ? length : MAX_CACHED_KEY
    const w0 = view.getInt32(at + 1, true) & (KEY_MASKS[known] as number)
    const w1 = view.getInt32(at + 5, true) & (KEY_MASKS[known + 17] as number)
    const hash = Math.imul(Math.imul(w0 ^ length, 0x2c1b3c6d) ^ w1, 0x297a2d39)
    return (hash ^ (hash >>> 16)) >>> 2
  }

  /** Reads members as long as their keys are the ones listed, and answers how many. */
  function listedMembers(result: Record<string, unknown>, { keys, words }: KeyList, other: Slot): number {
    const { length } = keys
    const expected = listed
    let word = words
    for (let i = 0; i < length; i++) {
      const size = expected[word++] as number
      const stop = at + size
      let difference = 0
      if (size < 4) {
        difference = (view.getInt32(at, true) & (TAIL_MASK[size] as number)) ^ (expected[word++] as number)
      } else {
        const last = stop - 4
        difference = view.getInt32(last, true) ^ (expected[word++] as number)
        if (size > 4) {
          difference |= view.getInt32(at, true) ^ (expected[word++] as number)
          if (size > 8) {
            difference |= view.getInt32(at + 4, true) ^ (expected[word++] as number)
            for (let from = at + 8; from < last; from += 4) {
              difference |= view.getInt32(from, true) ^ (expected[word++] as number)
            }
          }
        }
      }
      if (difference !== 0) return i
      // Counts and numbers are most of what dictionaries hold: read here, one of 30 keys is decoded 1.2 times as fast.
      const tag = bytes[stop] as number
      let member: unknown
      if (tag < 0x80) {
        at = stop + 1
        member = tag
      } else if (tag === 0xcd) {
        at = stop + 3
        member = view.getUint16(stop + 1)
      } else if (tag === 0xcc) {
        at = stop + 2
        member = bytes[stop + 1]
      } else {
        at = stop
        member = value(other)
      }
      result[keys[i] as string] = member
    }
    return length
  }

  /** As finish, but lists the keys, unless assigning one of them would set a prototype. */
  function listing(count: number, slot: Slot, hash: number): object {
    const other = slot.others ?? NOWHERE
    const result = roomy(count)
    const keys: string[] = []
    const places: number[] = []
    for (let i = 0; i < count; i++) {
      places.push(at)
      const name = key()
      keys.push(name)
      places.push(at)
      if (name.length === 9 && name === '__proto__') setOwn(result, name, value(other))
      else result[name] = value(other)
    }
    depth--
    if (count > MAX_ROOM) Object.setPrototypeOf(result, Object.prototype)
    if (!keys.includes('__proto__')) list(keys, places, hash)
    learn(result, count, slot)
    return result
  }

  /** Lists keys that begin and end at these places. */
  function list(keys: readonly string[], places: readonly number[], hash: number): void {
    let needed = 0
    for (let i = 0; i < places.length; i += 2) {
      needed += 1 + (((places[i + 1] as number) - (places[i] as number) + 3) >>> 2)
    }
    if (listedUsed + needed > MAX_LISTED_WORDS || lists.size === MAX_LISTS) {
      listsAreFull = true
      return
    }
    lists.set(hash, { keys, words: listedUsed })
    for (let i = 0; i < places.length; i += 2) {
      const start = places[i] as number
      const stop = places[i + 1] as number
      const size = stop - start
      listed[listedUsed++] = size
      if (size < 4) {
        listed[listedUsed++] = view.getInt32(start, true) & (TAIL_MASK[size] as number)
        continue
      }
      listed[listedUsed++] = view.getInt32(stop - 4, true)
      for (let from = start; from < stop - 4; from += 4) listed[listedUsed++] = view.getInt32(from, true)
    }
  }

  function countUnlisted(count: number): void {
    unlisted += count
    if (unlisted <= maxUnlisted) return
    maxUnlisted = found * 4 > unlisted ? MAX_UNLISTED : Math.min(maxUnlisted * 2, MAX_UNLISTED * 16)
    found = 0
    lists.clear()
    firstKeys.clear()
    // The words of an object that is being read around this one stay as they are.
    listed = new Int32Array(MAX_LISTED_WORDS)
    listedUsed = 0
    listsAreFull = false
    unlisted = 0
  }

  /** V8 has a hash table for what has no prototype, and still does when it is given one. */
  function hashTable(count: number, slot: Slot): object {
    const other = slot.others ?? NOWHERE
    const result: Record<string, unknown> = Object.create(null)
    for (let i = 0; i < count; i++) {
      const name = otherKey()
      result[name] = value(other)
    }
    Object.setPrototypeOf(result, Object.prototype)
    depth--
    learn(result, count, slot)
    return result
  }

  /** Reads the members, from the one given, of an object that none of the slot's shapes fits. */
  function finish(result: Record<string, unknown>, from: number, count: number, slot: Slot): object {
    const other = slot.others ?? NOWHERE
    for (let i = from; i < count; i++) {
      const name = key()
      if (name.length === 9 && name === '__proto__') setOwn(result, name, value(other))
      else result[name] = value(other)
    }
    if (count > MAX_ROOM) Object.setPrototypeOf(result, Object.prototype)
    depth--
    learn(result, count, slot)
    return result
  }

  function targetObject(target: object): boolean {
    const tag = bytes[0] as number
    let count = tag & 0x0f
    let start = 1
    if (tag === 0xde) {
      count = view.getUint16(1)
      start = 3
    } else if (tag < 0x80 || tag > 0x8f) return false
    enter(start, count * 2)
    const slot = targetRoot(target)
    for (let shape = slot.shapes; shape !== null; shape = shape.next) {
      if (shape.count !== count || (shape.next !== null && !beginsLike(shape))) continue
      shape.make(shape, shape.keys, target)
      if (made === count) return true
      // A part of it is there now; setting it again changes nothing.
      if (made > 0) return false
    }
    const data = finish({}, 0, count, NOWHERE) as Record<string, unknown>
    if (at !== end) return false
    learn(data, count, slot, target)
    for (const name of Object.keys(data)) {
      if (name !== 'cookie') setOwn(target, name, data[name])
    }
    return true
  }

  function targetRoot(target: object): Slot {
    if (target.constructor !== lastClass) {
      lastClass = target.constructor
      let known = targetRoots.get(target.constructor)
      if (known === undefined) {
        known = new Slot(0)
        targetRoots.set(target.constructor, known)
      }
      lastTargetRoot = known
    }
    return lastTargetRoot
  }

  function key(): string {
    const start = at
    const length = (bytes[start] as number) - 0xa0
    if (length < 0 || length > MAX_CACHED_KEY || start + 1 + length > end) return otherKey()
    // Words beyond the key count as zero.
    const w0 = view.getInt32(start + 1, true) & (KEY_MASKS[length] as number)
    const w1 = view.getInt32(start + 5, true) & (KEY_MASKS[length + 17] as number)
    const w2 = view.getInt32(start + 9, true) & (KEY_MASKS[length + 34] as number)
    const w3 = view.getInt32(start + 13, true) & (KEY_MASKS[length + 51] as number)
    const hash = Math.imul(Math.imul(Math.imul(w0 ^ w3, 0x2c1b3c6d) ^ w1, 0x297a2d39) ^ w2, 0x1b873593)
    const entry = (hash ^ length) >>> (32 - CACHED_KEYS_LOG2)
    const i = entry * 4
    const known = cachedKeys[entry]
    if (
      known !== undefined &&
      cachedWords[i] === w0 &&
      cachedWords[i + 1] === w1 &&
      cachedWords[i + 2] === w2 &&
      cachedWords[i + 3] === w3 &&
      known.length === length
    ) {
      at = start + 1 + length
      return known
    }
    const name = otherKey()
    if (name.length === length) {
      cachedKeys[entry] = name
      cachedWords[i] = w0
      cachedWords[i + 1] = w1
      cachedWords[i + 2] = w2
      cachedWords[i + 3] = w3
    }
    return name
  }

  function otherKey(): string {
    const name = value(NOWHERE)
    if (typeof name !== 'string' && typeof name !== 'number' && typeof name !== 'bigint') throw IRREGULAR
    return typeof name === 'string' ? name : String(name)
  }

  /** Enters a container of so many values, each of which takes a byte or more. */
  function enter(start: number, values: number): void {
    at = start
    if (values > end - start || ++depth > MAX_DEPTH) throw IRREGULAR
  }

  /** Learns the shape of an object, unless a key of it means something else to `prototypical`. */
  function learn(result: object, count: number, slot: Slot, prototypical: object = Object.prototype): void {
    if (slot === NOWHERE || count === 0) return
    slot.misses++
    if (slot.misses > DICTIONARY) {
      if (slot.misses % SAMPLE !== 0) return
      slot.others ??= new Slot(0)
    }
    if (credit === 0 || count > MAX_KEYS) return
    credit--
    const keys = Object.keys(result)
    if (keys.length !== count || keys.some((name) => name in prototypical || name === 'cookie')) return
    const slots = keys.map((name) => new Slot(wordsOf(name)))
    if (wordsUsed > MAX_WORDS) {
      forget()
      return
    }
    const shape = new Shape(
      keys,
      slots,
      prototypical === Object.prototype
        ? (ownMakers.get(signature(keys)) ?? makeAny)
        : (ownFillers.get(signature(keys)) ?? fillAny),
    )
    shape.next = slot.shapes
    slot.shapes = shape
    let last = shape
    for (let i = 1; i < MAX_CANDIDATES && last.next !== null; i++) last = last.next
    last.next = null
  }

  /** Where the words of a key begin: its size in bytes, then pairs of a word and the mask of what counts in it. */
  function wordsOf(key: string): number {
    const known = keyWords.get(key)
    if (known !== undefined) return known
    const place = wordsUsed
    const encoded = encodePlain(key, Number.MAX_SAFE_INTEGER)
    const pairs = Math.max(2, Math.ceil(encoded.length / 4))
    wordsUsed += 1 + pairs * 2
    if (wordsUsed > MAX_WORDS) return place
    const padded = new DataView(new ArrayBuffer(pairs * 4))
    new Uint8Array(padded.buffer).set(encoded)
    words[place] = encoded.length
    for (let i = 0; i < pairs; i++) {
      const left = encoded.length - i * 4
      words[place + 1 + i * 2] = padded.getInt32(i * 4, true)
      words[place + 2 + i * 2] = left >= 4 ? -1 : left > 0 ? (TAIL_MASK[left] as number) : 0
    }
    keyWords.set(key, place)
    return place
  }

  /** Starts learning anew when there is no room for more. What lives on is learned again at once. */
  function forget(): void {
    root.shapes = null
    root.others = null
    targetRoots = new WeakMap()
    lastClass = undefined
    keyWords.clear()
    wordsUsed = 0
  }
}

/** A maker of their own for these keys: the one that they had before, or one that is free, if there is one. */
function own(
  taken: Map<string, Maker<Shape>>,
  free: Array<Maker<Shape>>,
  keys: readonly string[],
): Maker<Shape> | undefined {
  const known = taken.get(signature(keys))
  if (known !== undefined) return known
  const maker = free.pop()
  if (maker !== undefined) taken.set(signature(keys), maker)
  return maker
}

const signature = (keys: readonly string[]): string => JSON.stringify(keys)

/** The arguments are written out because that is the cheapest way to a short string. */
function fromUnits(units: Int32Array, count: number): string {
  let result = ''
  let i = 0
  for (; i + 8 <= count; i += 8) {
    result += String.fromCharCode(
      units[i] as number,
      units[i + 1] as number,
      units[i + 2] as number,
      units[i + 3] as number,
      units[i + 4] as number,
      units[i + 5] as number,
      units[i + 6] as number,
      units[i + 7] as number,
    )
  }
  if (i + 4 <= count) {
    result += String.fromCharCode(
      units[i] as number,
      units[i + 1] as number,
      units[i + 2] as number,
      units[i + 3] as number,
    )
    i += 4
  }
  for (; i < count; i++) result += String.fromCharCode(units[i] as number)
  return result
}
