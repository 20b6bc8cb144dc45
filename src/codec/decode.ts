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
import { createMakers, type Maker, Roomy, SLOTS } from '#codec-pools'
import { EXT_TIMESTAMP, MAX_DEPTH } from './format.ts'
import { nativeText } from './native-text.ts'
import { decodeIntoPlain, decodePartPlain, decodePlain, encodePlain, setOwn } from './plain.ts'

export interface Decoder {
  decode(input: Uint8Array): unknown
  decodeInto(input: Uint8Array, target: object): void
}

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

/** Text of more bytes than this is decoded natively, unless it is ASCII. */
const MAX_UNITS = 32
/** Masks the first bytes of a little-endian word: none, one, two or three. */
const TAIL_MASK = Int32Array.of(0, 0xff, 0xffff, 0xffffff)

/** The keys of an object, and what is expected in each of their slots. */
class Shape {
  readonly count: number
  readonly keys: readonly string[]
  /** Where the words of each key begin. */
  readonly words: readonly number[]
  /** The shapes that were seen in each slot, the first of a list. */
  readonly children: Array<Shape | null>
  /** How many objects in each slot no shape of it fitted. */
  readonly misses: number[]
  /** What stands in for the shape of an object in the slot that no shape fits. */
  readonly others: Shape[]
  make: Maker<Shape>
  /** How often `make` was called, as long as it is a shared one. */
  hits = 0
  /** The next shape of the same slot. */
  next: Shape | null = null

  constructor(keys: readonly string[], words: readonly number[], make: Maker<Shape>) {
    this.count = keys.length
    this.keys = keys
    this.words = words
    this.children = keys.map(() => null)
    this.misses = keys.map(() => 0)
    this.others = keys.map(() => NOWHERE)
    this.make = make
  }
}

/** Where nothing is learned: within objects whose own shape isn't known yet. */
const NOWHERE: Shape = new Shape([], [], () => ({}))
NOWHERE.children.push(null)
NOWHERE.others.push(NOWHERE)

export function createDecoder(): Decoder {
  const bytes = new Uint8Array(CAPACITY + SLACK)
  const view = new DataView(bytes.buffer)
  const native = nativeText(bytes)
  const units = new Int32Array(MAX_UNITS)

  /** The payload being decoded: all of it, as if it were ISO 8859-1; where it is read; where it ends. */
  let text = ''
  let at = 0
  let end = 0
  let depth = 0
  let busy = false
  /** How many members the last maker made. */
  let made = 0

  /** The first `wordsUsed` of them belong to keys: see wordsOf. */
  const words = new Int32Array(MAX_WORDS)
  let wordsUsed = 0
  const keyWords = new Map<string, number>()

  const cachedKeys: Array<string | undefined> = Array.from({ length: 1 << CACHED_KEYS_LOG2 }, () => undefined)
  const cachedWords = new Int32Array(4 << CACHED_KEYS_LOG2)

  /** The makers that are taken, by the keys that they make. They stay when shapes are forgotten. */
  const ownMakers = new Map<string, Maker<Shape>>()
  const ownFillers = new Map<string, Maker<Shape>>()
  const { make, fill } = createMakers<Shape>(member, MISS, rest)

  const root = slotOf(makeAny)
  /** For decodeInto, the same by the class of the target. */
  let targetRoots = new WeakMap<object, Shape>()
  let lastClass: unknown
  let lastTargetRoot = root

  return { decode, decodeInto }

  function decode(payload: Uint8Array): unknown {
    if (busy || payload.length > CAPACITY) return decodePlain(payload)
    try {
      start(payload)
      const result = value(root, 0)
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
    busy = true
    bytes.set(payload)
    at = 0
    depth = 0
    end = payload.length
    text = native.latin1Slice(0, end)
  }

  function stop(): void {
    busy = false
    text = ''
  }

  /** Reads the member of a slot, if its key is the expected one. */
  function member(shape: Shape, slot: number): unknown {
    if (slot !== shape.count) {
      const key = at
      const w = shape.words[slot] as number
      const size = words[w] as number
      let difference =
        ((view.getInt32(key, true) ^ (words[w + 1] as number)) & (words[w + 2] as number)) |
        ((view.getInt32(key + 4, true) ^ (words[w + 3] as number)) & (words[w + 4] as number))
      for (let i = 8, word = w + 5; i < size; i += 4, word += 2) {
        difference |= (view.getInt32(key + i, true) ^ (words[word] as number)) & (words[word + 1] as number)
      }
      if (difference === 0) {
        at = key + size
        return value(shape, slot)
      }
    }
    made = slot
    return MISS
  }

  /** Whether the first bytes of a key come next: enough to pass over most shapes that don't fit. */
  function beginsWith(w: number): boolean {
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
    for (let slot = from; ; slot++) {
      const got = member(shape, slot)
      if (got === MISS) return target
      ;(target as Record<string, unknown>)[keys[slot] as string] = got
    }
  }

  function value(shape: Shape, slot: number): unknown {
    const start = at
    const tag = bytes[start] as number
    if (tag < 0x80) {
      at = start + 1
      return tag
    }
    if (tag < 0xc0) {
      if (tag >= 0xa0) return string(start + 1, tag & 0x1f)
      if (tag >= 0x90) return array(start + 1, tag & 0x0f, shape, slot)
      return object(start + 1, tag & 0x0f, shape, slot)
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
        return array(start + 3, view.getUint16(start + 1), shape, slot)
      case 0xde:
        return object(start + 3, view.getUint16(start + 1), shape, slot)
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
    let i = start
    for (; i + 4 <= stop; i += 4) {
      if ((view.getInt32(i, true) & 0x80808080) !== 0) return unicode(start, stop)
    }
    if (i < stop && (view.getInt32(i, true) & 0x80808080 & (TAIL_MASK[stop - i] as number)) !== 0) {
      return unicode(start, stop)
    }
    return text.slice(start, stop)
  }

  /** Text that isn't ASCII. Up to 24 code units 50 ns, where the native call takes 100. */
  function unicode(start: number, stop: number): string {
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

  function array(start: number, length: number, shape: Shape, slot: number): unknown[] {
    enter(start, length)
    // An array of one or two is made in one piece, which growing by push is not.
    let result: unknown[]
    if (length === 1) result = [value(shape, slot)]
    else if (length === 2) result = [value(shape, slot), value(shape, slot)]
    else {
      result = []
      for (let i = 0; i < length; i++) result.push(value(shape, slot))
    }
    depth--
    return result
  }

  function object(start: number, count: number, parent: Shape, slot: number): object {
    enter(start, count * 2)
    if (count === 0) {
      depth--
      return {}
    }
    for (let shape = parent.children[slot] as Shape | null; shape !== null; shape = shape.next) {
      if (shape.count !== count || !beginsWith(shape.words[0] as number)) continue
      const result = shape.make(shape, shape.keys)
      if (made === count) {
        depth--
        return result
      }
      if (made > 0) return finish(result as Record<string, unknown>, made, count, parent, slot)
    }
    return finish(count > 8 ? new Roomy() : {}, 0, count, parent, slot)
  }

  /** Reads the members, from the one given, of an object that none of the slot's shapes fits. */
  function finish(
    result: Record<string, unknown>,
    from: number,
    count: number,
    parent: Shape,
    slot: number,
  ): object {
    const other = parent.others[slot] as Shape
    for (let i = from; i < count; i++) {
      const name = key()
      if (name.length === 9 && name === '__proto__') setOwn(result, name, value(other, 0))
      else result[name] = value(other, 0)
    }
    depth--
    learn(result, count, parent, slot)
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
    const parent = targetRoot(target)
    for (let shape = parent.children[0] as Shape | null; shape !== null; shape = shape.next) {
      if (shape.count !== count || !beginsWith(shape.words[0] as number)) continue
      shape.make(shape, shape.keys, target)
      if (made === count) return true
      // A part of it is there now; setting it again changes nothing.
      if (made > 0) return false
    }
    const data = finish({}, 0, count, NOWHERE, 0) as Record<string, unknown>
    if (at !== end) return false
    learn(data, count, parent, 0, target)
    for (const name of Object.keys(data)) {
      if (name !== 'cookie') setOwn(target, name, data[name])
    }
    return true
  }

  function targetRoot(target: object): Shape {
    if (target.constructor !== lastClass) {
      lastClass = target.constructor
      let known = targetRoots.get(target.constructor)
      if (known === undefined) {
        known = slotOf(fillAny)
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
    const name = value(NOWHERE, 0)
    if (typeof name !== 'string' && typeof name !== 'number' && typeof name !== 'bigint') throw IRREGULAR
    return typeof name === 'string' ? name : String(name)
  }

  /** Enters a container of so many values, each of which takes a byte or more. */
  function enter(start: number, values: number): void {
    at = start
    if (values > end - start || ++depth > MAX_DEPTH) throw IRREGULAR
  }

  /** Learns the shape of an object, unless a key of it means something else to `prototypical`. */
  function learn(
    result: object,
    count: number,
    parent: Shape,
    slot: number,
    prototypical: object = Object.prototype,
  ): void {
    if (parent === NOWHERE || count > MAX_KEYS) return
    const misses = (parent.misses[slot] as number) + 1
    parent.misses[slot] = misses
    if (misses > DICTIONARY) {
      if (misses % SAMPLE !== 0) return
      if (parent.others[slot] === NOWHERE) parent.others[slot] = slotOf(makeAny)
    }
    const keys = Object.keys(result)
    if (keys.length !== count || keys.some((name) => name in prototypical || name === 'cookie')) return
    const places = keys.map(wordsOf)
    if (wordsUsed > MAX_WORDS) {
      forget()
      return
    }
    const maker =
      prototypical === Object.prototype
        ? (ownMakers.get(signature(keys)) ?? makeAny)
        : (ownFillers.get(signature(keys)) ?? fillAny)
    const shape = new Shape(keys, places, maker)
    shape.next = parent.children[slot] as Shape | null
    parent.children[slot] = shape
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
    root.children[0] = null
    root.others[0] = NOWHERE
    targetRoots = new WeakMap()
    lastClass = undefined
    keyWords.clear()
    wordsUsed = 0
  }
}

function slotOf(make: Maker<Shape>): Shape {
  return new Shape([''], [0], make)
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
