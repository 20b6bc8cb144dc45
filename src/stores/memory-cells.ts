/** Many small records in few large buffers: what a garbage collector has to look at stays the same at any number. */

/**
 * A log of cells in segments. A cell is written once and never moves under a reader: what was released is reclaimed
 * by copying the live cells of a segment to the end of the log and dropping the segment. So a view of a cell stays
 * what it was for as long as somebody keeps it; it keeps its segment, hence the modest size of one. A segment of which
 * nobody was given a view is written anew: V8 counts the memory of buffers that are thrown away, and collects all of
 * its heap every few megabytes, 5 to 10 ms at a time.
 *
 * A cell starts with two words, its length in bytes and its tag (what the user of the log calls it by; 0: released).
 * Addresses are segment * SEGMENT_WORDS + word.
 */
export class Cells {
  /** Told when a cell has moved. */
  readonly #onMove: (tag: number, address: number) => void
  readonly #segments: Int32Array<ArrayBuffer>[] = []
  /** The same memory: asking a typed array for its buffer costs a view 15 ns. */
  readonly #buffers: ArrayBuffer[] = []
  readonly #bytes: Uint8Array[] = []
  /** Words that are taken, and words of those that are live, by segment. */
  readonly #taken: number[] = []
  readonly #live: number[] = []
  /** Which segments somebody may have a view of. */
  readonly #lent: boolean[] = []
  /** Segments to be written anew. */
  readonly #spare: Int32Array<ArrayBuffer>[] = []
  /** Numbers of segments that are gone. */
  readonly #unused: number[] = []
  #current = NONE
  /** The segment that was last looked at as one to reclaim. */
  #cursor = 0
  #liveWords = 0
  #deadWords = 0

  constructor(onMove: (tag: number, address: number) => void) {
    this.#onMove = onMove
  }

  /** Bytes in live cells. */
  get liveBytes(): number {
    return this.#liveWords * 4
  }

  /** Bytes in all segments. */
  get reservedBytes(): number {
    return [...this.#segments, ...this.#spare].reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  /** The segment of an address, as words. */
  segment(address: number): Int32Array {
    return this.#segments[address >>> SEGMENT_BITS]!
  }

  tag(address: number): number {
    return this.#segments[address >>> SEGMENT_BITS]![(address & (SEGMENT_WORDS - 1)) + 1]!
  }

  /** Where in its segment, in words, the contents of a cell begin. */
  contents(address: number): number {
    return (address & (SEGMENT_WORDS - 1)) + HEADER
  }

  /** The contents of a cell from the word `offset` on, as bytes, for as long as it takes. */
  lend(address: number, offset: number): Uint8Array {
    this.#lent[address >>> SEGMENT_BITS] = true
    return this.bytes(address, offset)
  }

  /** The same until anything is allocated or released. */
  bytes(address: number, offset: number): Uint8Array {
    const words = this.#segments[address >>> SEGMENT_BITS]!
    const at = address & (SEGMENT_WORDS - 1)
    const from = (at + HEADER + offset) * 4
    return new Uint8Array(this.#buffers[address >>> SEGMENT_BITS]!, from, words[at]! - offset * 4)
  }

  /** Puts bytes into a cell, from the word `offset` of its contents on. */
  fill(address: number, offset: number, bytes: Uint8Array): void {
    const at = (address & (SEGMENT_WORDS - 1)) + HEADER + offset
    this.#bytes[address >>> SEGMENT_BITS]!.set(bytes, at * 4)
  }

  /** Makes a cell for contents of `length` bytes and answers its address. */
  allocate(tag: number, length: number): number {
    const size = sizeOf(length)
    let segment = this.#current
    if (size > LARGE) segment = this.#open(size)
    else if (segment === NONE || this.#taken[segment]! + size > SEGMENT_WORDS) {
      segment = this.#open(SEGMENT_WORDS)
      this.#current = segment
    }
    const at = this.#taken[segment]!
    this.#taken[segment] = at + size
    this.#live[segment]! += size
    this.#liveWords += size
    const words = this.#segments[segment]!
    words[at] = length
    words[at + 1] = tag
    return (segment * SEGMENT_WORDS + at) >>> 0
  }

  release(address: number): void {
    const segment = address >>> SEGMENT_BITS
    const at = address & (SEGMENT_WORDS - 1)
    const words = this.#segments[segment]!
    const size = sizeOf(words[at]!)
    words[at + 1] = 0
    this.#live[segment]! -= size
    this.#liveWords -= size
    this.#deadWords += size
    if (this.#live[segment] === 0 && segment !== this.#current) this.#drop(segment)
    else if (this.#deadWords > this.#liveWords / 4 + SEGMENT_WORDS) this.#reclaim()
  }

  #open(words: number): number {
    const segment = this.#unused.pop() ?? this.#segments.length
    if (segment > LAST_SEGMENT) throw new RangeError('The memory store has run out of addresses.')
    const spare = words === SEGMENT_WORDS ? this.#spare.pop() : undefined
    const fresh = spare ?? new Int32Array(new ArrayBuffer(words * 4))
    this.#segments[segment] = fresh
    this.#buffers[segment] = fresh.buffer
    this.#bytes[segment] = new Uint8Array(fresh.buffer)
    this.#taken[segment] = 0
    this.#live[segment] = 0
    this.#lent[segment] = false
    return segment
  }

  #drop(segment: number): void {
    const words = this.#segments[segment]!
    if (words.length === SEGMENT_WORDS && !this.#lent[segment] && this.#spare.length < SPARE) {
      this.#spare.push(words)
    }
    this.#deadWords -= this.#taken[segment]!
    this.#segments[segment] = EMPTY
    this.#buffers[segment] = EMPTY.buffer
    this.#bytes[segment] = NO_BYTES
    this.#taken[segment] = 0
    this.#live[segment] = 0
    this.#unused.push(segment)
  }

  /** Copies what lives in the emptiest of a few segments: the cost of a release is the same at any size. */
  #reclaim(): void {
    let emptiest = NONE
    for (let looked = 0; looked < CANDIDATES; looked++) {
      this.#cursor = (this.#cursor + 1) % this.#segments.length
      const segment = this.#cursor
      if (segment === this.#current || this.#taken[segment] === this.#live[segment]) continue
      if (emptiest === NONE || this.#live[segment]! < this.#live[emptiest]!) emptiest = segment
    }
    if (emptiest === NONE) return
    const words = this.#segments[emptiest]!
    const end = this.#taken[emptiest]!
    for (let at = 0, size: number; at < end; at += size) {
      const length = words[at]!
      const tag = words[at + 1]!
      size = sizeOf(length)
      if (tag === 0) continue
      this.#liveWords -= size
      const address = this.allocate(tag, length)
      this.segment(address).set(words.subarray(at, at + size), address & (SEGMENT_WORDS - 1))
      this.#onMove(tag, address)
    }
    // What was copied is dead here, and goes with the segment.
    this.#deadWords += this.#live[emptiest]!
    this.#drop(emptiest)
  }
}

/**
 * A segment has 8192 words, 32 KiB; there may be 2^19 of them, 16 GiB. Smaller ones scatter over the allocator's heap
 * (16 KiB: a fifth more resident memory at a million sessions), larger ones are much to keep for one view.
 */
const SEGMENT_BITS = 13
const SEGMENT_WORDS = 1 << SEGMENT_BITS
const LAST_SEGMENT = 2 ** (32 - SEGMENT_BITS) - 1

/** Words before the contents of a cell. */
const HEADER = 2

/** In words. A cell above this has a segment of its own, so that no segment ends with much unused. */
const LARGE = SEGMENT_WORDS / 8

/** How many segments are kept to be written anew: one is dropped about as often as one is opened. */
const SPARE = 2

/** How many segments are looked at for the emptiest. */
const CANDIDATES = 16

const NONE = -1
const EMPTY = new Int32Array(0)
const NO_BYTES = new Uint8Array(0)

function sizeOf(length: number): number {
  return HEADER + ((length + 3) >>> 2)
}
