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
import { Buffer } from 'node:buffer'
import { createMakers, type Maker, SLOTS } from '#codec-makers'
import { EXT_TIMESTAMP, MAX_DEPTH } from './format.ts'
import { decodeIntoPlain, decodePartPlain, decodePlain, setOwn } from './plain.ts'

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
const SAMPLE = 64
/** A shape gets a maker of its own when it was predicted so many times. */
const PROVEN = 8

const MISS = Symbol('miss')
const IRREGULAR = new Error('left to plain.ts')

/** The keys of an object, and what is expected in each of their slots. */
class Shape {
  readonly count: number
  readonly keys: readonly string[]
  /** Where the words of each key begin. */
  readonly words: readonly number[]
  /** The shapes that were seen in each slot, the first of a list. */
  readonly children: Array<Shape | null>
  /** How many objects no shape of the slot fitted. */
  readonly misses: number[]
  /** What stands in for the shape of an object in the slot that no shape fits. */
  readonly others: Shape[]
  make: Maker<Shape>
  hits = 0
  next: Shape | null = null

  constructor(keys: readonly string[], words: readonly number[], make: Maker<Shape>) {
    this.count = keys.length
    this.keys = keys
    this.words = words
    this.children = new Array(keys.length).fill(null)
    this.misses = new Array(keys.length).fill(0)
    this.others = new Array(keys.length).fill(NOWHERE)
    this.make = make
  }
}

/** Where nothing is learned: within objects whose own shape isn't known yet. */
let NOWHERE: Shape
NOWHERE = new Shape([''], [0], (_, __, target) => target as object)
NOWHERE.others[0] = NOWHERE

export function createDecoder(): Decoder {
  const bytes = new Uint8Array(CAPACITY + SLACK)
  const view = new DataView(bytes.buffer)
  const buffer = Buffer.from(bytes.buffer)
  const units = new Int32Array(MAX_UNITS)

  /** The payload being decoded: all of it, as if it were ISO 8859-1; where it is read; where it ends. */
  let input = bytes
  let text = ''
  let at = 0
  let end = 0
  let depth = 0
  let busy = false
  /** How many members the last maker made. */
  let made = 0

  const words = new Int32Array(MAX_WORDS)
  const wordsUsed = 0
  const keyWords = new Map<string, number>()
  const makers = new Map<string, Maker<Shape>>()
  const { make, fill } = createMakers<Shape>(member, MISS, rest)
  const root = new Shape([''], [0], makeAny)
  const targets = new WeakMap<object, Shape>()
  let lastTarget: unknown
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
    input = payload
    at = 0
    depth = 0
    end = payload.length
    text = buffer.latin1Slice(0, end)
  }

  function stop(): void {
    busy = false
    input = bytes
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

  /** Makes the members from the one that no maker has a slot for. */
  function rest(shape: Shape, keys: readonly string[], target: object): object {
    for (let slot = SLOTS; ; slot++) {
      const got = member(shape, slot)
      if (got === MISS) return target
      ;(target as Record<string, unknown>)[keys[slot] as string] = got
    }
  }

  /** The maker of all shapes that have none of their own. */
  function makeAny(shape: Shape, keys: readonly string[], target: object = {}): object {
    if (++shape.hits === PROVEN && shape !== root) shape.make = makerOf(keys, target)
    for (let slot = 0; ; slot++) {
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
    const { value, end: next } = decodePartPlain(input, start, depth)
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
      const decoded = buffer.utf8Slice(start, stop)
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
    const result: unknown[] = []
    for (let i = 0; i < length; i++) result.push(value(shape, slot))
    depth--
    return result
  }

  function object(start: number, count: number, parent: Shape, slot: number): object {
    enter(start, count * 2)
    for (let shape = parent.children[slot] as Shape | null; shape !== null; shape = shape.next) {
      if (shape.count !== count) continue
      at = start
      const result = shape.make(shape, shape.keys)
      if (made === count) {
        depth--
        return result
      }
      if (made > 0) return finish(result as Record<string, unknown>, made, count, parent, slot)
    }
    at = start
    return finish({}, 0, count, parent, slot)
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
      if (name === '__proto__') setOwn(result, name, value(other, 0))
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
      if (shape.count !== count) continue
      at = start
      shape.make(shape, shape.keys, target)
      if (made === count) return true
      // A part of it is there now; setting it again changes nothing.
      if (made > 0) return false
    }
    const data = finish({}, 0, count, parent, 0) as Record<string, unknown>
    if (at !== end) return false
    for (const name of Object.keys(data)) {
      if (name !== 'cookie') setOwn(target, name, data[name])
    }
    return true
  }

  /** The root for targets of one class, whose prototype has no key that the shapes have. */
  function targetRoot(target: object): Shape {
    const { constructor } = target
    if (constructor !== lastTarget) {
      let known = targets.get(constructor)
      if (known === undefined) {
        known = new Shape([''], [0], makeAny)
        targets.set(constructor, known)
      }
      lastTarget = constructor
      lastTargetRoot = known
    }
    return lastTargetRoot
  }

  function key(): string {
    const start = at
    const tag = bytes[start] as number
    if (tag >= 0xa0 && tag < 0xc0) return string(start + 1, tag & 0x1f)
    const name = value(NOWHERE, 0)
    if (typeof name !== 'string' && typeof name !== 'number' && typeof name !== 'bigint') throw IRREGULAR
    return String(name)
  }

  /** Enters a container of so many values, each of which takes a byte or more. */
  function enter(start: number, values: number): void {
    at = start
    if (values > end - start || ++depth > MAX_DEPTH) throw IRREGULAR
  }

  function learn(result: object, count: number, parent: Shape, slot: number): void {
    if (parent === NOWHERE || count > MAX_KEYS) return
    const misses = ++(parent.misses as number[])[slot]!
    if (misses > DICTIONARY) {
      if (misses % SAMPLE !== 0) return
      if (parent.others[slot] === NOWHERE) parent.others[slot] = new Shape([''], [0], makeAny)
    }
    const keys = Object.keys(result)
    if (keys.length !== count) return
    const places: number[] = []
    for (const name of keys) {
      const place = wordsOf(name)
      if (place < 0) {
        forget()
        return
      }
      places.push(place)
    }
    const shape = new Shape(keys, places, makers.get(keys.join('\n')) ?? makeAny)
    shape.next = parent.children[slot] as Shape | null
    parent.children[slot] = shape
    let last = shape
    for (let i = 1; i < MAX_CANDIDATES && last.next !== null; i++) last = last.next
    last.next = null
  }
}
