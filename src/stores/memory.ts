/** The record store of a single process: bounded, least recently used out first, expired records leave by themselves. */

import { SessionError } from '../errors.ts'
import { Cells } from './memory-cells.ts'
import { Phrases } from './memory-phrases.ts'
import { Slots } from './memory-slots.ts'
import { hashOf, PackedText, unpack, wordsOf } from './memory-text.ts'
import type { RecordStore, StoredRecord, WriteOptions, WriteResult } from './store.ts'

export interface MemoryRecordsOptions {
  /** How many records are kept, up to 2^27; past it the least recently used leave. Default 100,000. */
  readonly maxEntries?: number | undefined
  /**
   * How many bytes of payloads (past 10,000 records packed), ids and owners are kept, up to 8 GiB; past it the least
   * recently used leave. What the process needs for them is up to a quarter more, and 40 bytes a record. Default
   * 256 MiB.
   */
  readonly maxBytes?: number | undefined
}

/**
 * A million records as objects of the heap are a million things for the garbage collector to visit. These are kept
 * beside it: each has a slot (times, version, links) and a cell (its bytes), found through a table of buckets.
 *
 * The contents of a cell, in words of 32 bits:
 *
 * | words | what |
 * |---|---|
 * | 1 | shape of the id, and in the upper half that of the owner (0: nobody's) |
 * | 2 | if owned: the slots before and after it in the bucket of the owner |
 * | n | the id |
 * | n | if owned: the owner |
 * | | the payload; packed, if the cell's tag says so |
 */
export class MemoryRecords implements RecordStore {
  readonly name = 'memory'
  readonly synchronous = 'all'
  /** The heap is no database that leaks, so ids are kept as they come: hashing them would cost every request. */
  readonly hashIds = false

  readonly #maxEntries: number
  readonly #maxBytes: number
  readonly #packFrom: number
  #sweeper: NodeJS.Timeout | undefined
  readonly #id = new PackedText()
  readonly #owner = new PackedText()
  #slots = new Slots()
  #cells = this.#newCells()
  #phrases: Phrases | undefined
  /** The first slot of each bucket, by the hash of the id and of the owner. */
  #ids: Int32Array
  #owners: Int32Array | undefined
  #lastVersion = 0
  #swept = 0

  /** `packFrom`: how many records are kept as they come before the next ones are packed. */
  constructor(options: MemoryRecordsOptions = {}, packFrom = PACK_FROM) {
    this.#packFrom = packFrom
    this.#maxEntries = checked('maxEntries', options.maxEntries ?? 100_000, 2 ** 27)
    this.#maxBytes = checked('maxBytes', options.maxBytes ?? 256 * 1024 * 1024, 2 ** 33)
    this.#ids = this.#newBuckets()
  }

  /** How many bytes the records take, of those that `maxBytes` counts. */
  get bytes(): number {
    return this.#cells.liveBytes
  }

  /** How many bytes are set aside for them. */
  get reserved(): number {
    return this.#cells.reservedBytes
  }

  /** 0.15 us for a record of 200 bytes, of which the clock takes a quarter. */
  read(id: string, touchTo?: number): StoredRecord | undefined {
    const slot = this.#findLive(id)
    if (slot === NONE) return undefined
    this.#slots.use(slot)
    if (touchTo !== undefined) this.#slots.setExpires(slot, touchTo)
    return this.#record(slot)
  }

  write(id: string, payload: Uint8Array, { expires, ifVersion, owner }: WriteOptions): WriteResult {
    let slot = this.#findLive(id)
    if (slot === NONE ? ifVersion !== null : ifVersion !== this.#slots.version(slot)) {
      return { ok: false, current: slot === NONE ? undefined : this.#record(slot) }
    }
    const packed = this.#slots.size < this.#packFrom ? undefined : this.#pack(payload)
    const length = this.#lengthOf(packed ?? payload, owner)
    if (slot === NONE) slot = this.#begin()
    else {
      this.#slots.use(slot)
      this.#dropCell(slot)
    }
    this.#writeCell(
      slot,
      packed === undefined ? slot : slot | PACKED,
      length,
      packed ?? payload,
      owner !== undefined,
    )
    const version = ++this.#lastVersion
    this.#slots.setVersion(slot, version)
    this.#slots.setExpires(slot, expires)
    this.#evict()
    return { ok: true, version }
  }

  touch(id: string, expires: number): void {
    const slot = this.#findLive(id)
    if (slot === NONE) return
    this.#slots.use(slot)
    this.#slots.setExpires(slot, expires)
  }

  delete(id: string): void {
    const slot = this.#find(id)
    if (slot !== NONE) this.#remove(slot)
  }

  close(): void {
    clearInterval(this.#sweeper)
    this.clear()
  }

  list(): string[] {
    this.#sweep(1, this.#slots.highest)
    const ids: string[] = []
    for (let slot = 1; slot <= this.#slots.highest; slot++) {
      if (!Number.isNaN(this.#slots.expires(slot))) ids.push(this.#idOf(slot))
    }
    return ids
  }

  count(): number {
    this.#sweep(1, this.#slots.highest)
    return this.#slots.size
  }

  clear(): void {
    this.#slots = new Slots()
    this.#cells = this.#newCells()
    this.#phrases = undefined
    this.#ids.fill(NONE)
    this.#owners = undefined
  }

  readOwned(owner: string): Array<{ id: string; record: StoredRecord }> {
    return this.#ownedBy(owner).map((slot) => ({ id: this.#idOf(slot), record: this.#record(slot) }))
  }

  deleteOwned(owner: string, except?: string): number {
    const spared = except === undefined ? NONE : this.#find(except)
    const slots = this.#ownedBy(owner).filter((slot) => slot !== spared)
    for (const slot of slots) this.#remove(slot)
    return slots.length
  }

  #findLive(id: string): number {
    const slot = this.#find(id)
    if (slot === NONE || this.#slots.expires(slot) > Date.now()) return slot
    this.#remove(slot)
    return NONE
  }

  /** Leaves the id packed. */
  #find(id: string): number {
    const packed = this.#id.pack(id)
    let slot = this.#ids[packed.hash & (this.#ids.length - 1)]!
    while (slot !== NONE) {
      const address = this.#slots.address(slot)
      const words = this.#cells.segment(address)
      const at = this.#cells.contents(address)
      const shapes = words[at]!
      if ((shapes & 0xffff) === packed.shape && packed.equals(words, at + idOffset(shapes))) return slot
      slot = this.#slots.next(slot)
    }
    return NONE
  }

  #record(slot: number): StoredRecord {
    const address = this.#slots.address(slot)
    const shapes = this.#cells.segment(address)[this.#cells.contents(address)]!
    const offset = payloadOffset(shapes)
    const isPacked = (this.#cells.tag(address) & PACKED) !== 0
    return {
      payload: isPacked
        ? this.#phrases!.unpack(this.#cells.bytes(address, offset))
        : this.#cells.lend(address, offset),
      version: this.#slots.version(slot),
      expires: this.#slots.expires(slot),
    }
  }

  #pack(payload: Uint8Array): Uint8Array | undefined {
    this.#phrases ??= new Phrases()
    return this.#phrases.pack(payload)
  }

  #lengthOf(payload: Uint8Array, owner: string | undefined): number {
    const longest = Math.max(this.#id.shape, owner === undefined ? 0 : this.#owner.pack(owner).shape)
    if (longest > 0xffff) {
      throw new SessionError('ERR_SESSION_OPTION', 'A session id or owner has more than 32,767 characters.')
    }
    const length = payloadOffset(this.#shapes(owner !== undefined)) * 4 + payload.length
    if (length > this.#maxBytes) {
      throw new SessionError(
        'ERR_SESSION_OPTION',
        `A session of ${length} bytes does not fit into the memory store: raise maxBytes (${this.#maxBytes}) or keep less in it.`,
      )
    }
    return length
  }

  #shapes(owned: boolean): number {
    return this.#id.shape | (owned ? this.#owner.shape << 16 : 0)
  }

  /** A slot in the bucket of the packed id. */
  #begin(): number {
    // Not before there is something to sweep: Workers refuse timers at their start.
    this.#sweeper ??= setInterval(() => this.#sweepSome(), SWEEP_INTERVAL).unref()
    const slot = this.#slots.take()
    const bucket = this.#id.hash & (this.#ids.length - 1)
    this.#slots.setNext(slot, this.#ids[bucket]!)
    this.#ids[bucket] = slot
    return slot
  }

  /** Writes the packed id and owner, and the payload. */
  #writeCell(slot: number, tag: number, length: number, payload: Uint8Array, owned: boolean): void {
    const address = this.#cells.allocate(tag, length)
    this.#slots.setAddress(slot, address)
    const words = this.#cells.segment(address)
    const at = this.#cells.contents(address)
    const shapes = this.#shapes(owned)
    words[at] = shapes
    this.#id.writeTo(words, at + idOffset(shapes))
    if (owned) {
      this.#owner.writeTo(words, at + ownerOffset(shapes))
      this.#joinOwner(slot, words, at)
    }
    this.#cells.fill(address, payloadOffset(shapes), payload)
  }

  #evict(): void {
    while (this.#slots.size > this.#maxEntries) this.#remove(this.#slots.oldest)
    while (this.#slots.size > 1 && this.#cells.liveBytes > this.#maxBytes) this.#remove(this.#slots.oldest)
  }

  #remove(slot: number): void {
    const address = this.#slots.address(slot)
    const words = this.#cells.segment(address)
    const at = this.#cells.contents(address)
    const shapes = words[at]!
    const bucket = hashOf(words, at + idOffset(shapes), wordsOf(shapes & 0xffff)) & (this.#ids.length - 1)
    const next = this.#slots.next(slot)
    let before = this.#ids[bucket]!
    if (before === slot) this.#ids[bucket] = next
    else {
      while (this.#slots.next(before) !== slot) before = this.#slots.next(before)
      this.#slots.setNext(before, next)
    }
    this.#dropCell(slot)
    this.#slots.release(slot)
  }

  #dropCell(slot: number): void {
    const address = this.#slots.address(slot)
    const words = this.#cells.segment(address)
    const at = this.#cells.contents(address)
    if (words[at]! >>> 16 !== 0) this.#leaveOwner(words, at)
    this.#cells.release(address)
  }

  /** Puts the slot of the cell at `at` first in the bucket of the packed owner. */
  #joinOwner(slot: number, words: Int32Array, at: number): void {
    this.#owners ??= this.#newBuckets()
    const bucket = this.#owner.hash & (this.#owners.length - 1)
    const first = this.#owners[bucket]!
    words[at + BEFORE] = NONE
    words[at + AFTER] = first
    if (first !== NONE) this.#setLink(first, BEFORE, slot)
    this.#owners[bucket] = slot
  }

  #leaveOwner(words: Int32Array, at: number): void {
    const shapes = words[at]!
    const before = words[at + BEFORE]!
    const after = words[at + AFTER]!
    if (after !== NONE) this.#setLink(after, BEFORE, before)
    if (before !== NONE) this.#setLink(before, AFTER, after)
    else {
      const owners = this.#owners!
      const hash = hashOf(words, at + ownerOffset(shapes), wordsOf(shapes >>> 16))
      owners[hash & (owners.length - 1)] = after
    }
  }

  #setLink(slot: number, link: typeof BEFORE | typeof AFTER, to: number): void {
    const address = this.#slots.address(slot)
    this.#cells.segment(address)[this.#cells.contents(address) + link] = to
  }

  #ownedBy(owner: string): number[] {
    const slots: number[] = []
    if (this.#owners === undefined) return slots
    const now = Date.now()
    const packed = this.#owner.pack(owner)
    let slot = this.#owners[packed.hash & (this.#owners.length - 1)]!
    while (slot !== NONE) {
      const address = this.#slots.address(slot)
      const words = this.#cells.segment(address)
      const at = this.#cells.contents(address)
      const shapes = words[at]!
      const isTheirs = shapes >>> 16 === packed.shape && packed.equals(words, at + ownerOffset(shapes))
      if (isTheirs && this.#slots.expires(slot) > now) slots.push(slot)
      slot = words[at + AFTER]!
    }
    return slots
  }

  #idOf(slot: number): string {
    const address = this.#slots.address(slot)
    const words = this.#cells.segment(address)
    const at = this.#cells.contents(address)
    return unpack(words, at + idOffset(words[at]!), words[at]! & 0xffff)
  }

  /** Comes round once a minute, at any size; a million slots are looked through in 10 ms altogether. */
  #sweepSome(): void {
    const { highest } = this.#slots
    if (this.#swept >= highest) this.#swept = 0
    const to = Math.min(highest, this.#swept + Math.max(SWEEP_LEAST, Math.ceil(highest / SWEEP_ROUND)))
    this.#sweep(this.#swept + 1, to)
    this.#swept = to
  }

  #sweep(from: number, to: number): void {
    const now = Date.now()
    for (let slot = from; slot <= to; slot++) {
      if (this.#slots.expires(slot) <= now) this.#remove(slot)
    }
  }

  #newCells(): Cells {
    return new Cells((tag, address) => this.#slots.setAddress(tag & ~PACKED, address))
  }

  /** As many as there may be records, so that the table never has to grow: what is not used takes no memory. */
  #newBuckets(): Int32Array {
    const bits = Math.ceil(Math.log2(this.#maxEntries))
    return new Int32Array(2 ** Math.min(Math.max(bits, 6), 24))
  }
}

const NONE = 0

/** In the tag of a cell, beside the slot: its payload is packed. */
const PACKED = 1 << 30

/** So many fit anywhere, and each read is spared 0.5 us. */
const PACK_FROM = 10_000

/** Where in an owned cell its neighbours in the bucket of the owner are. */
const BEFORE = 1
const AFTER = 2

/** In ms. */
const SWEEP_INTERVAL = 1000
const SWEEP_ROUND = 60
const SWEEP_LEAST = 1000

function idOffset(shapes: number): number {
  return shapes >>> 16 === 0 ? 1 : 3
}

function ownerOffset(shapes: number): number {
  return idOffset(shapes) + wordsOf(shapes & 0xffff)
}

function payloadOffset(shapes: number): number {
  return ownerOffset(shapes) + wordsOf(shapes >>> 16)
}

function checked(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value > 0 && value <= most) return value
  throw new SessionError(
    'ERR_SESSION_OPTION',
    `The option ${name} of the memory store is ${String(value)}; give a whole number from 1 to ${most}.`,
  )
}
