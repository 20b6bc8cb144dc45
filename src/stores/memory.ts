/** The record store of a single process: bounded, least recently used out first, expired records leave by themselves. */

import { LRUCache } from 'lru-cache'
import { SessionError } from '../errors.ts'
import type { RecordStore, StoredRecord, WriteOptions, WriteResult } from './store.ts'

export interface MemoryRecordsOptions {
  /** How many records are kept; past it the least recently used leave. Default 100,000. */
  readonly maxEntries?: number | undefined
  /** How many bytes of payloads and ids are kept; past it the least recently used leave. Default 256 MiB. */
  readonly maxBytes?: number | undefined
  /** How far off the stored expiry may be, in ms, before `read` moves it. Default 0: every `touchTo` is stored. */
  readonly touchAfter?: number | undefined
}

export class MemoryRecords implements RecordStore {
  readonly name = 'memory'
  readonly synchronous = 'all'
  /** The heap is no database that leaks, so ids are kept as they come: hashing them would cost every request. */
  readonly hashIds = false

  readonly #records: LRUCache<string, Entry>
  readonly #owned = new Map<string, Set<string>>()
  readonly #maxBytes: number
  readonly #touchAfter: number
  readonly #sweeper: NodeJS.Timeout
  #lastVersion = 0

  constructor(options: MemoryRecordsOptions = {}) {
    const maxEntries = positiveInteger('maxEntries', options.maxEntries ?? 100_000)
    this.#maxBytes = positiveInteger('maxBytes', options.maxBytes ?? 256 * 1024 * 1024)
    this.#touchAfter = options.touchAfter ?? 0
    this.#records = new LRUCache({
      max: maxEntries,
      maxSize: this.#maxBytes,
      dispose: (entry, id) => this.#disown(id, entry),
    })
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_INTERVAL)
    this.#sweeper.unref()
  }

  read(id: string, touchTo?: number): StoredRecord | undefined {
    const entry = this.#live(id)
    if (entry === undefined) return undefined
    if (touchTo !== undefined && Math.abs(touchTo - entry.expires) >= this.#touchAfter)
      entry.expires = touchTo
    return { payload: entry.payload, version: entry.version, expires: entry.expires }
  }

  write(id: string, payload: Uint8Array, { expires, ifVersion, owner }: WriteOptions): WriteResult {
    const entry = this.#live(id)
    if (entry === undefined ? ifVersion !== null : ifVersion !== entry.version) {
      return { ok: false, current: entry && { ...entry } }
    }
    const size = id.length + payload.byteLength
    if (size > this.#maxBytes) {
      throw new SessionError(
        'ERR_SESSION_OPTION',
        `A session of ${size} bytes does not fit into the memory store: raise maxBytes (${this.#maxBytes}) or store less in it.`,
      )
    }
    const version = ++this.#lastVersion
    this.#records.set(id, { payload: new Uint8Array(payload), version, expires, owner }, { size })
    if (owner !== undefined) {
      const ids = this.#owned.get(owner)
      if (ids === undefined) this.#owned.set(owner, new Set([id]))
      else ids.add(id)
    }
    return { ok: true, version }
  }

  touch(id: string, expires: number): void {
    const entry = this.#live(id)
    if (entry !== undefined) entry.expires = expires
  }

  delete(id: string): void {
    this.#records.delete(id)
  }

  close(): void {
    clearInterval(this.#sweeper)
    this.clear()
  }

  list(): string[] {
    this.#sweep()
    return [...this.#records.keys()]
  }

  count(): number {
    this.#sweep()
    return this.#records.size
  }

  clear(): void {
    this.#records.clear()
    this.#owned.clear()
  }

  readOwned(owner: string): Array<{ id: string; record: StoredRecord }> {
    const owned = []
    for (const id of this.#owned.get(owner) ?? []) {
      const record = this.read(id)
      if (record !== undefined) owned.push({ id, record })
    }
    return owned
  }

  deleteOwned(owner: string, except?: string): number {
    let deleted = 0
    for (const id of this.#owned.get(owner) ?? []) {
      if (id !== except && this.#live(id) !== undefined && this.#records.delete(id)) deleted++
    }
    return deleted
  }

  #live(id: string): Entry | undefined {
    const entry = this.#records.get(id)
    if (entry === undefined || entry.expires > Date.now()) return entry
    this.#records.delete(id)
    return undefined
  }

  #disown(id: string, { owner }: Entry): void {
    if (owner === undefined) return
    const ids = this.#owned.get(owner)
    if (ids?.delete(id) && ids.size === 0) this.#owned.delete(owner)
  }

  #sweep(): void {
    const now = Date.now()
    for (const [id, entry] of this.#records.entries()) {
      if (entry.expires <= now) this.#records.delete(id)
    }
  }
}

const SWEEP_INTERVAL = 10_000

interface Entry {
  readonly payload: Uint8Array
  readonly version: number
  expires: number
  readonly owner: string | undefined
}

function positiveInteger(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new SessionError(
    'ERR_SESSION_OPTION',
    `The option ${name} of the memory store is ${String(value)}; give a positive integer.`,
  )
}
