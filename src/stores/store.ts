/** The contract of a store: bytes under an id, with an expiry and compare-and-set. It knows nothing of sessions. */

/** An answer that a store may give at once or later; one that answers at once costs no turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>

/**
 * What compare-and-set compares. Opaque to the caller, and never the same for two different contents of one id,
 * not even after a delete: so it starts at a random number or comes from a counter that never goes back.
 */
export type RecordVersion = string | number | bigint

export interface StoredRecord {
  /** The bytes that were written. The caller may keep them; the store never changes them afterwards. */
  readonly payload: Uint8Array
  readonly version: RecordVersion
  /** When the record ends, in ms since the epoch. Always finite. */
  readonly expires: number
}

export interface WriteOptions {
  /** When the record ends, in ms since the epoch: a whole number. One in the past ends the record at once. */
  readonly expires: number
  /** The version that was read, or `null` for "there must be no such record". */
  readonly ifVersion: RecordVersion | null
  /** Whom the record belongs to, for `readOwned` and `deleteOwned`. Undefined: nobody, also if it was somebody's. */
  readonly owner?: string | undefined
}

export type WriteResult =
  | { readonly ok: true; readonly version: RecordVersion }
  /** Nothing was written. `current` is what is there now; undefined means that the record is gone. */
  | { readonly ok: false; readonly current: StoredRecord | undefined }

/**
 * A store of records. Ids and owners are strings of 1 to 256 UTF-16 units without control characters, of which no
 * two are alike; by default ids are the SHA-256 of a session id (see `hashIds`). A method that fails throws or
 * rejects with the client's own error.
 */
export interface RecordStore {
  /** A short word for messages and diagnostics: `memory`, `redis`, … */
  readonly name: string

  /**
   * What answers at once, never with a promise. `reads`: `read` and `touch`, so that they can wait until somebody
   * looks at the session. `all`: every method, so that no response is held back. Default: nothing.
   */
  readonly synchronous?: 'reads' | 'all'

  /** False: ids reach the store as they stand in the cookie, to share it with express-session. Default true. */
  readonly hashIds?: boolean

  /**
   * The record, or undefined when there is none. A record whose time is up counts as none, even when it is still
   * on disk. With `touchTo` (ms since the epoch) the store moves the expiry there in the same round trip; it may
   * leave that out when the stored expiry is less than `touchAfter` away from it. `expires` in the answer is what
   * holds after the call.
   */
  read(id: string, touchTo?: number): MaybePromise<StoredRecord | undefined>

  /**
   * Compare-and-set, atomic against every other client of the store. With `ifVersion: null` the record is made,
   * unless a live one exists (an expired one counts as none and is replaced). With a version, the record is
   * replaced if its version is still that; a record that is gone or expired answers `current: undefined` and is
   * never made anew, so a destroyed session is not brought back by a slower request. The bytes of `payload` are the
   * store's until it has answered, and the caller's again afterwards.
   */
  write(id: string, payload: Uint8Array, options: WriteOptions): MaybePromise<WriteResult>

  /**
   * Moves the expiry (ms since the epoch), keeps payload and version. Touching what is gone is not an error. A moved
   * expiry, here and by `touchTo`, holds for this client at once; the store may write it in the background, so that
   * other clients see it a little later and a crash in between loses the move (never the record).
   */
  touch(id: string, expires: number): MaybePromise<void>

  /** Deletes the record. Deleting what is gone is not an error. */
  delete(id: string): MaybePromise<void>

  /** Releases timers and whatever the store itself opened; a client that the user passed in stays open. */
  close(): MaybePromise<void>

  /** The ids of all live records, in no order. Never blocks the server for others. */
  list?(): MaybePromise<string[]>

  /** How many live records there are. */
  count?(): MaybePromise<number>

  /** Deletes all records of this store (its prefix, its table), and nothing else. */
  clear?(): MaybePromise<void>

  /** The live records of an owner, found by index, in no order. */
  readOwned?(owner: string): MaybePromise<Array<{ readonly id: string; readonly record: StoredRecord }>>

  /** Deletes the records of an owner, but for the id `except`; answers how many it deleted. */
  deleteOwned?(owner: string, except?: string): MaybePromise<number>
}
