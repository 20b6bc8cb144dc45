/**
 * What the records of one application have in common, kept once: LZ77 (Ziv and Lempel, 1977) against a few records as
 * a dictionary. Keys and structure are most of a small session; two bytes stand for a phrase.
 *
 * A packed record starts with its length (16 bits, little-endian), then literals and phrases in turn:
 *
 * | first byte | what |
 * |---|---|
 * | `0nnnnnnn` | n + 1 literal bytes follow |
 * | `1lllaaaa` | the phrase at a (12 bits, the lower 8 in the next byte), l + 4 bytes long; l = 7: 11 and the byte after that |
 */
import { createSlab } from '../slab.ts'

export class Phrases {
  readonly #text = new Uint8Array(DICTIONARY)
  #length = 0
  #learned = 0
  /** Where the four bytes of a hash were last seen, plus one. */
  readonly #heads = new Uint16Array(1 << HASH_BITS)
  readonly #packed = new Uint8Array(LONGEST_RECORD * 2)

  /**
   * The record packed, until the next call; or undefined if that is not worth it. 1.1 us for 220 bytes.
   * `npm run bench:scale` shows the memory.
   */
  pack(bytes: Uint8Array): Uint8Array | undefined {
    if (bytes.length > LONGEST_RECORD) return undefined
    const length = this.#encode(bytes)
    if (this.#learned < SAMPLES || length > bytes.length * POOR) this.#learn(bytes)
    return length > bytes.length * WORTH_IT ? undefined : this.#packed.subarray(0, length)
  }

  /** What was packed, in memory of its own. 0.5 us for 220 bytes. */
  unpack(packed: Uint8Array): Uint8Array {
    const text = this.#text
    const bytes = room(packed[0]! | (packed[1]! << 8))
    let at = 2
    let to = 0
    while (to < bytes.length) {
      const first = packed[at++]!
      if (first < PHRASE) {
        for (const end = to + first + 1; to < end; ) bytes[to++] = packed[at++]!
      } else {
        let from = ((first & 0xf) << 8) | packed[at++]!
        let length = (first >>> 4) & 7
        if (length === LONG) length += packed[at++]!
        for (const end = to + length + SHORTEST; to < end; ) bytes[to++] = text[from++]!
      }
    }
    return bytes
  }

  #encode(bytes: Uint8Array): number {
    const text = this.#text
    const packed = this.#packed
    const { length } = bytes
    packed[0] = length
    packed[1] = length >>> 8
    let to = 2
    let literals = 0
    let at = 0
    while (at + SHORTEST <= length) {
      const found = this.#heads[hashAt(bytes, at)]! - 1
      const longest = found < 0 ? 0 : Math.min(length - at, this.#length - found, LONGEST_PHRASE)
      let same = 0
      while (same < longest && bytes[at + same] === text[found + same]) same++
      if (same < SHORTEST) {
        at++
        continue
      }
      to = this.#literals(bytes, literals, at, to)
      const short = Math.min(same - SHORTEST, LONG)
      packed[to++] = PHRASE | (short << 4) | (found >>> 8)
      packed[to++] = found
      if (short === LONG) packed[to++] = same - SHORTEST - LONG
      at += same
      literals = at
    }
    return this.#literals(bytes, literals, length, to)
  }

  #literals(bytes: Uint8Array, from: number, end: number, to: number): number {
    const packed = this.#packed
    let at = from
    while (at < end) {
      const count = Math.min(end - at, PHRASE)
      packed[to++] = count - 1
      for (const stop = at + count; at < stop; ) packed[to++] = bytes[at++]!
    }
    return to
  }

  /** The dictionary only grows: what was packed before stays readable. */
  #learn(bytes: Uint8Array): void {
    const from = this.#length
    const count = Math.min(bytes.length, DICTIONARY - from)
    if (count < SHORTEST) return
    this.#learned++
    this.#text.set(bytes.subarray(0, count), from)
    this.#length += count
    for (let at = from; at + SHORTEST <= this.#length; at++) this.#heads[hashAt(this.#text, at)] = at + 1
  }
}

const DICTIONARY = 1 << 12
const HASH_BITS = 12
/** In bytes. Longer records are more data than structure, and would take long. */
const LONGEST_RECORD = 4096

/** How many records are learned whatever they are; after that those which pack poorly. */
const SAMPLES = 4
const POOR = 0.75
const WORTH_IT = 0.9

const PHRASE = 0x80
const SHORTEST = 4
const LONG = 7
const LONGEST_PHRASE = SHORTEST + LONG + 255

function hashAt(bytes: Uint8Array, at: number): number {
  const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
  return Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS)
}

const room = createSlab()
