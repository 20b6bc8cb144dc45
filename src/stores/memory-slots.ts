/** The fixed part of every record, outside the heap: 32 bytes a slot, in order of use. Slot 0 stands for none. */

export class Slots {
  #words: Int32Array
  #floats: Float64Array
  #highest = 0
  #free = NONE
  /** How many slots are taken. */
  size = 0

  constructor() {
    const buffer = new ArrayBuffer(FIRST_CAPACITY * SLOT_BYTES)
    this.#words = new Int32Array(buffer)
    this.#floats = new Float64Array(buffer)
  }

  /** A slot that is the most recently used one. */
  take(): number {
    let slot = this.#free
    if (slot !== NONE) this.#free = this.next(slot)
    else {
      slot = ++this.#highest
      if (slot << 3 === this.#words.length) this.#grow()
    }
    this.size++
    link(this.#words, slot)
    return slot
  }

  release(slot: number): void {
    unlink(this.#words, slot)
    this.setExpires(slot, Number.NaN)
    this.setNext(slot, this.#free)
    this.#free = slot
    this.size--
  }

  /** Makes a slot the most recently used one. */
  use(slot: number): void {
    const words = this.#words
    if (words[OLDER] === slot) return
    unlink(words, slot)
    link(words, slot)
  }

  /** The least recently used slot. */
  get oldest(): number {
    return this.#words[NEWER]!
  }

  /** All slots ever taken are in 1..highest; those that are free have no number as `expires`. */
  get highest(): number {
    return this.#highest
  }

  address(slot: number): number {
    return this.#words[(slot << 3) + ADDRESS]! >>> 0
  }

  setAddress(slot: number, address: number): void {
    this.#words[(slot << 3) + ADDRESS] = address
  }

  /** The next slot in the same bucket. */
  next(slot: number): number {
    return this.#words[(slot << 3) + NEXT]!
  }

  setNext(slot: number, next: number): void {
    this.#words[(slot << 3) + NEXT] = next
  }

  expires(slot: number): number {
    return this.#floats[(slot << 2) + EXPIRES]!
  }

  setExpires(slot: number, expires: number): void {
    this.#floats[(slot << 2) + EXPIRES] = expires
  }

  version(slot: number): number {
    return this.#floats[(slot << 2) + VERSION]!
  }

  setVersion(slot: number, version: number): void {
    this.#floats[(slot << 2) + VERSION] = version
  }

  /** The upper half takes no memory until it is used. */
  #grow(): void {
    const words = new Int32Array(this.#words.length * 2)
    words.set(this.#words)
    this.#words = words
    this.#floats = new Float64Array(words.buffer)
  }
}

/** Slot 0 closes the ring: the newest slot is older than it, the oldest is newer. */
function link(words: Int32Array, slot: number): void {
  const newest = words[OLDER]!
  words[(slot << 3) + OLDER] = newest
  words[(slot << 3) + NEWER] = NONE
  words[(newest << 3) + NEWER] = slot
  words[OLDER] = slot
}

function unlink(words: Int32Array, slot: number): void {
  const older = words[(slot << 3) + OLDER]!
  const newer = words[(slot << 3) + NEWER]!
  words[(older << 3) + NEWER] = newer
  words[(newer << 3) + OLDER] = older
}

const NONE = 0

/** 256 KiB. */
const FIRST_CAPACITY = 2 ** 13
const SLOT_BYTES = 32

/** The fields of a slot: four words of 32 bits, then two floats of 64. */
const ADDRESS = 0
const NEXT = 1
const OLDER = 2
const NEWER = 3
const EXPIRES = 2
const VERSION = 3
