/** The record store on LMDB: embedded, crash-safe, shared by all processes of one machine, read synchronously. */

import { mkdirSync } from 'node:fs'
import nodeModule from 'node:module'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database, RootDatabase } from 'lmdb'
import { SessionError } from '../errors.ts'
import { LmdbGate } from './lmdb-gate.ts'
import { PRUNE_BATCH, Pruning, type PruningOptions } from './pruning.ts'
import { newVersion } from './record-version.ts'
import type { RecordStore, StoredRecord, WriteOptions, WriteResult } from './store.ts'
import { checkedTouchAfter, type TouchOptions, touchSlack } from './touch-slack.ts'

export interface LmdbRecordsOptions extends TouchOptions, PruningOptions {
  /** The directory of the database; made, for its user only (0700), when it does not exist. */
  readonly path: string
}

/**
 * Three tables, which change together in one transaction:
 *
 * | table | key | value | version |
 * |---|---|---|---|
 * | records | id | the entry: see below | what compare-and-set compares |
 * | owners | [owner, id] | nothing | |
 * | expiries | [due, id] | nothing | |
 *
 * A record is due at or before its end: touching it later leaves it where it is filed, and the pruner files it anew.
 * So the common touch and write change one table.
 *
 * Durability: `write` and `delete` answer when their transaction is on disk (LMDB's own full sync, not the
 * library's overlappingSync, under which a commit that was answered may be lost with the machine's power). Those that
 * come while a transaction is being synced share the next one. A moved expiry is no news worth waiting for: this
 * client sees it at once, the others when the next transaction is on disk, and a crash in between loses the move.
 */
export class LmdbRecords implements RecordStore {
  readonly name = 'lmdb'
  readonly synchronous = 'reads'

  readonly #lastVersion: () => number
  readonly #root: Tables['root']
  readonly #records: Tables['records']
  readonly #owners: Tables['owners']
  readonly #expiries: Tables['expiries']
  readonly #gate: LmdbGate
  readonly #touches = new Map<string, Touch>()
  readonly #touchAfter: number
  readonly #pruning: Pruning
  #closing: Promise<void> | undefined

  /** Throws SessionError `ERR_SESSION_OPTION`, also when the package `lmdb` is missing. */
  constructor(options: LmdbRecordsOptions) {
    if (typeof options?.path !== 'string' || options.path === '') {
      throw new SessionError(
        'ERR_SESSION_OPTION',
        'The LMDB store has no option path: give the directory that is to hold the database.',
      )
    }
    this.#touchAfter = checkedTouchAfter(options)
    const lmdb = requireLmdb()
    this.#lastVersion = lmdb.getLastVersion
    mkdirSync(options.path, { recursive: true, mode: 0o700 })
    this.#pruning = new Pruning(options, () => this.#pruneBatch())
    try {
      const [tables, gate] = LmdbGate.openAlone(options.path, () => openTables(lmdb, options.path))
      this.#root = tables.root
      this.#records = tables.records
      this.#owners = tables.owners
      this.#expiries = tables.expiries
      this.#gate = gate
    } catch (error) {
      this.#pruning.stop()
      throw error
    }
  }

  read(id: string, touchTo?: number): StoredRecord | undefined {
    const entry = this.#live(id)
    if (entry === undefined) return undefined
    if (touchTo === undefined || this.#isCloseTo(touchTo, entry.expires))
      return recordOf(entry, entry.expires)
    this.#touch(id, entry, touchTo)
    return recordOf(entry, touchTo)
  }

  async write(id: string, payload: Uint8Array, options: WriteOptions): Promise<WriteResult> {
    for (;;) {
      const entry = this.#load(id)
      const live = entry !== undefined && entry.expires > Date.now()
      if (live ? options.ifVersion !== entry.version : options.ifVersion !== null) {
        return { ok: false, current: live ? recordOf(entry, entry.expires) : undefined }
      }
      const version = newVersion()
      if (await this.#replace(id, entry, live, payload, version, options)) return { ok: true, version }
    }
  }

  touch(id: string, expires: number): void {
    const entry = this.#live(id)
    if (entry !== undefined) this.#touch(id, entry, expires)
  }

  async delete(id: string): Promise<void> {
    for (;;) {
      const entry = this.#load(id)
      if (entry === undefined || (await this.#remove(id, entry))) return
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async list(): Promise<string[]> {
    const ids: string[] = []
    for await (const some of this.#slices<string>(this.#records)) ids.push(...some)
    const expired = await this.#expired()
    return expired.size === 0 ? ids : ids.filter((id) => !expired.has(id))
  }

  async count(): Promise<number> {
    const expired = await this.#expired()
    this.#root.resetReadTxn()
    const { entryCount } = this.#records.getStats() as { entryCount: number }
    return entryCount - expired.size
  }

  async clear(): Promise<void> {
    const tables = [this.#records, this.#owners, this.#expiries]
    await this.#commit(() =>
      this.#root.batch(() => {
        for (const table of tables) table.clearAsync()
      }),
    )
  }

  readOwned(owner: string): Array<{ id: string; record: StoredRecord }> {
    const owned = []
    for (const id of this.#ownedBy(owner)) {
      const record = this.read(id)
      if (record !== undefined) owned.push({ id, record })
    }
    return owned
  }

  async deleteOwned(owner: string, except?: string): Promise<number> {
    const ids = this.#ownedBy(owner).filter((id) => id !== except)
    const deleted = await Promise.all(ids.map((id) => this.#deleteOwn(id, owner)))
    return deleted.filter(Boolean).length
  }

  /** Removes from disk what has expired, as happens by itself every `pruneInterval`. */
  async prune(): Promise<void> {
    await this.#pruning.run()
  }

  #live(id: string): Entry | undefined {
    const entry = this.#load(id)
    return entry !== undefined && entry.expires > Date.now() ? entry : undefined
  }

  /** A copy of what is stored, expired or not, with the expiry that this client has moved it to. */
  #load(id: string): Entry | undefined {
    // The library keeps a snapshot until the next timer; another process may have answered a login since.
    this.#root.resetReadTxn()
    const stored = this.#records.getBinaryFast(id)
    if (stored === undefined) return undefined
    const version = this.#lastVersion()
    const bytes = Buffer.allocUnsafe(stored.length)
    bytes.set(Uint8Array.prototype.subarray.call(stored, 0, stored.length))
    const touch = this.#touches.size === 0 ? undefined : this.#touches.get(id)
    return {
      bytes,
      version,
      expires: touch?.version === version ? touch.expires : bytes.readDoubleBE(EXPIRES),
      due: bytes.readDoubleBE(DUE),
    }
  }

  async #replace(
    id: string,
    entry: Entry | undefined,
    live: boolean,
    payload: Uint8Array,
    version: number,
    { expires, owner }: WriteOptions,
  ): Promise<boolean> {
    const due = live ? Math.min(entry!.due, expires) : expires
    const bytes = entryBytes(expires, due, owner, payload)
    const formerOwner = entry && ownerOf(entry)
    return this.#ifStill(id, entry, () => {
      this.#records.put(id, bytes, version)
      if (due !== entry?.due) {
        if (entry !== undefined) this.#expiries.remove([entry.due, id])
        this.#expiries.put([due, id], NOTHING)
      }
      if (owner !== formerOwner) {
        if (formerOwner !== undefined) this.#owners.remove([formerOwner, id])
        if (owner !== undefined) this.#owners.put([owner, id], NOTHING)
      }
    })
  }

  async #remove(id: string, entry: Entry): Promise<boolean> {
    const owner = ownerOf(entry)
    return this.#ifStill(id, entry, () => {
      this.#records.remove(id)
      this.#expiries.remove([entry.due, id])
      if (owner !== undefined) this.#owners.remove([owner, id])
    })
  }

  async #deleteOwn(id: string, owner: string): Promise<boolean> {
    for (;;) {
      const entry = this.#load(id)
      if (entry === undefined || ownerOf(entry) !== owner) return false
      if (await this.#remove(id, entry)) return entry.expires > Date.now()
    }
  }

  /**
   * Runs `changes` in one transaction if the record is still the one that was loaded. The condition is checked by
   * the thread that writes: no transaction waits for this event loop while other processes wait for its lock.
   */
  #ifStill(id: string, entry: Entry | undefined, changes: () => void): Promise<boolean> {
    return this.#commit(() =>
      entry === undefined
        ? this.#records.ifNoExists(id, changes)
        : this.#records.ifVersion(id, entry.version, changes),
    )
  }

  async #commit(transaction: () => Promise<boolean>): Promise<boolean> {
    try {
      return await this.#gate.run(transaction)
    } catch (error) {
      // The library rejects with a stand-in and keeps the cause in a promise that nobody else would handle.
      const { commitError } = error as { commitError?: Promise<never> }
      throw await (commitError ?? Promise.reject(error)).catch((cause: unknown) => cause)
    }
  }

  #isCloseTo(touchTo: number, expires: number): boolean {
    return Math.abs(expires - touchTo) < touchSlack(this.#touchAfter, touchTo, Date.now())
  }

  #touch(id: string, { version }: Entry, expires: number): void {
    const pending = this.#touches.get(id)
    if (pending?.version === version) {
      pending.expires = expires
      return
    }
    const touch: Touch = { version, expires, stored: undefined }
    this.#touches.set(id, touch)
    touch.stored = this.#storeTouch(id, touch)
  }

  /** Touches that come while one is being stored are stored together; one that fails is made up for by the next. */
  async #storeTouch(id: string, touch: Touch): Promise<void> {
    try {
      for (let expires = Number.NaN; expires !== touch.expires; ) {
        expires = touch.expires
        const entry = this.#load(id)
        if (entry?.version !== touch.version) break
        const { bytes } = entry
        const due = Math.min(entry.due, expires)
        bytes.writeDoubleBE(expires, EXPIRES)
        bytes.writeDoubleBE(due, DUE)
        await this.#ifStill(id, entry, () => {
          this.#records.put(id, bytes, entry.version)
          if (due !== entry.due) {
            this.#expiries.remove([entry.due, id])
            this.#expiries.put([due, id], NOTHING)
          }
        })
      }
    } catch {
      // A disk that takes no touch takes no write either, and that is reported.
    } finally {
      if (this.#touches.get(id) === touch) this.#touches.delete(id)
    }
  }

  #ownedBy(owner: string): string[] {
    this.#root.resetReadTxn()
    const ids: string[] = []
    for (const [whose, id] of this.#owners.getKeys({ start: [owner] as never })) {
      if (whose !== owner) break
      ids.push(id)
    }
    return ids
  }

  /** The ids of the records whose time is up but that are still on disk. */
  async #expired(): Promise<Set<string>> {
    const now = Date.now()
    const ids = new Set<string>()
    for await (const some of this.#slices<Filed>(this.#expiries, [now + 1])) {
      for (const [, id] of some) {
        const entry = this.#load(id)
        if (entry !== undefined && entry.expires <= now) ids.add(id)
      }
    }
    return ids
  }

  /** Safe in many processes at once: each change holds only if the record is still as it was found. */
  async #pruneBatch(): Promise<number> {
    this.#root.resetReadTxn()
    const until = Date.now() - TOUCHES_UNDER_WAY
    const due = [...this.#expiries.getKeys({ end: [until] as never, limit: PRUNE_BATCH })]
    await Promise.all(due.map((filed) => this.#removeIfExpired(filed, until)))
    return due.length
  }

  async #removeIfExpired([due, id]: Filed, until: number): Promise<unknown> {
    const entry = this.#load(id)
    if (entry === undefined) return this.#commit(() => this.#expiries.remove([due, id]))
    if (entry.expires <= until) return this.#remove(id, { ...entry, due })
    return this.#ifStill(id, entry, () => {
      this.#expiries.remove([due, id])
      this.#expiries.put([entry.expires, id], NOTHING)
    })
  }

  async #close(): Promise<void> {
    await this.#pruning.stop()
    await Promise.all(Array.from(this.#touches.values(), ({ stored }) => stored))
    await this.#root.close()
    this.#gate.close()
  }

  /** All keys below `end`, in slices between which the event loop turns and writers may free pages. */
  async *#slices<K>(table: Database, end?: unknown): AsyncGenerator<K[]> {
    let from: object = {}
    for (;;) {
      this.#root.resetReadTxn()
      const keys = [
        ...table.getKeys({ ...from, ...(end === undefined ? {} : { end: end as never }), limit: SLICE }),
      ]
      if (keys.length > 0) yield keys as K[]
      if (keys.length < SLICE) return
      from = { start: keys.at(-1), exclusiveStart: true }
      await nextTurn()
    }
  }
}

interface Tables {
  readonly root: RootDatabase
  readonly records: Database<Buffer, string>
  readonly owners: Database<Buffer, [owner: string, id: string]>
  readonly expiries: Database<Buffer, Filed>
}

function openTables(lmdb: typeof import('lmdb'), path: string): Tables {
  const root = lmdb.open({ ...ENVIRONMENT, path })
  return {
    root,
    records: root.openDB('records', { encoding: 'binary', useVersions: true }),
    owners: root.openDB('owners', { encoding: 'binary' }),
    expiries: root.openDB('expiries', { encoding: 'binary' }),
  }
}

const ENVIRONMENT = {
  noSubdir: false,
  maxDbs: 3,
  overlappingSync: false,
  // The promise of such a batch is nobody's: when the disk is full, its rejection would end the process.
  eventTurnBatching: false,
  permissionsMode: 0o600,
  // Address space, not memory or disk: a map that is large from the start is not moved under its readers.
  mapSize: 2 ** 36,
}

/** How many keys are looked at in one turn of the event loop. */
const SLICE = 1000

/** In ms. What ended less than this ago is not yet pruned: a touch from just before may still be on its way. */
const TOUCHES_UNDER_WAY = 60_000

const NOTHING = Buffer.alloc(1)

/** Under what a record is filed in `expiries`. */
type Filed = [due: number, id: string]

/** A touch that is not on disk yet. */
interface Touch {
  readonly version: number
  expires: number
  stored: Promise<void> | undefined
}

interface Entry {
  /** The caller's own copy. */
  readonly bytes: Buffer
  readonly version: number
  readonly expires: number
  readonly due: number
}

/*
 * An entry, numbers big-endian:
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 8 | expires, ms since the epoch, float64 |
 * | 8 | 8 | due, ms since the epoch, float64 |
 * | 16 | 2 | length of the owner in bytes, 0 for nobody |
 * | 18 | n | the owner, UTF-8 |
 * | 18+n | | the payload |
 */
const EXPIRES = 0
const DUE = 8
const OWNER_LENGTH = 16
const OWNER = 18

function entryBytes(expires: number, due: number, owner: string | undefined, payload: Uint8Array): Buffer {
  const ownerLength = owner === undefined ? 0 : Buffer.byteLength(owner)
  const bytes = Buffer.allocUnsafe(OWNER + ownerLength + payload.byteLength)
  bytes.writeDoubleBE(expires, EXPIRES)
  bytes.writeDoubleBE(due, DUE)
  bytes.writeUInt16BE(ownerLength, OWNER_LENGTH)
  if (owner !== undefined) bytes.write(owner, OWNER)
  bytes.set(payload, OWNER + ownerLength)
  return bytes
}

function ownerOf({ bytes }: Entry): string | undefined {
  const length = bytes.readUInt16BE(OWNER_LENGTH)
  return length === 0 ? undefined : bytes.toString('utf8', OWNER, OWNER + length)
}

function recordOf({ bytes, version }: Entry, expires: number): StoredRecord {
  return { payload: bytes.subarray(OWNER + bytes.readUInt16BE(OWNER_LENGTH)), version, expires }
}

function requireLmdb(): typeof import('lmdb') {
  try {
    // esbuild leaves no URL in what it bundles as CommonJS. Not imported by name: what people put in front of their
    // bundles declares `createRequire`.
    return nodeModule.createRequire(import.meta.url ?? __filename)('lmdb')
  } catch (cause) {
    throw new SessionError(
      'ERR_SESSION_OPTION',
      'The LMDB store needs the package lmdb, which does not load: run npm install lmdb.',
      { cause },
    )
  }
}
