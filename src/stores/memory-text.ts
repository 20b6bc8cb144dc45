/** Strings as 32-bit words: hashed, compared and stored four characters at a time. */

/** A string packed for a look-up. One is reused for many: packing allocates nothing. */
export class PackedText {
  /** Four Latin-1 characters in each word; if the text has others, two characters in each. */
  words: Int32Array = new Int32Array(64)
  /** How many words are in use. */
  count = 0
  /** The length in UTF-16 units, doubled, plus one if there are two in a word: tells texts of equal words apart. */
  shape = 0
  hash = 0
  #text = ''

  /** About 1 ns a character, most of it for reading it. Whoever writes has just read: the last text stays packed. */
  pack(text: string): this {
    if (text === this.#text && text !== '') return this
    this.#text = text
    const { length } = text
    if (length > this.words.length * 2) this.words = new Int32Array(length)
    const { words } = this
    let seen = 0
    let count = 0
    let at = 0
    for (; at + 3 < length; at += 4) {
      const a = text.charCodeAt(at)
      const b = text.charCodeAt(at + 1)
      const c = text.charCodeAt(at + 2)
      const d = text.charCodeAt(at + 3)
      seen |= a | b | c | d
      words[count++] = a | (b << 8) | (c << 16) | (d << 24)
    }
    if (at < length) {
      let word = 0
      for (let shift = 0; at < length; at++, shift += 8) {
        const unit = text.charCodeAt(at)
        seen |= unit
        word |= unit << shift
      }
      words[count++] = word
    }
    if (seen > 255) {
      count = 0
      for (at = 0; at < length; at += 2) {
        words[count++] = text.charCodeAt(at) | (at + 1 < length ? text.charCodeAt(at + 1) << 16 : 0)
      }
    }
    this.count = count
    this.shape = length * 2 + (seen > 255 ? 1 : 0)
    this.hash = hashOf(words, 0, count)
    return this
  }

  writeTo(segment: Int32Array, at: number): void {
    for (let n = 0; n < this.count; n++) segment[at + n] = this.words[n]!
  }

  /** Whether the words from `at` on are these. */
  equals(segment: Int32Array, at: number): boolean {
    const { words, count } = this
    for (let n = 0; n < count; n++) {
      if (segment[at + n] !== words[n]) return false
    }
    return true
  }
}

/** How many words a text of this shape takes. */
export function wordsOf(shape: number): number {
  const units = shape >>> 1
  return (shape & 1) === 0 ? (units + 3) >>> 2 : (units + 1) >>> 1
}

/** The text of this shape whose words start at `at`. */
export function unpack(segment: Int32Array, at: number, shape: number): string {
  const units = shape >>> 1
  let text = ''
  for (let n = 0; n < units; n++) {
    const unit =
      (shape & 1) === 0
        ? (segment[at + (n >>> 2)]! >>> ((n & 3) << 3)) & 0xff
        : (segment[at + (n >>> 1)]! >>> ((n & 1) << 4)) & 0xffff
    text += String.fromCharCode(unit)
  }
  return text
}

export function hashOf(words: Int32Array, from: number, count: number): number {
  let hash = seed || drawSeed()
  for (let n = 0; n < count; n++) {
    hash = Math.imul(hash ^ words[from + n]!, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash, 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** Random, so that nobody can know which ids share a bucket. 0: not drawn yet, which Workers refuse at their start. */
let seed = 0

function drawSeed(): number {
  seed = crypto.getRandomValues(new Int32Array(1))[0]! | 1
  return seed
}
