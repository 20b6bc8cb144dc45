/** Calls to a store, which may be down or slow: each within the time limit, each failure made known. */
import { Deadlines, type Pending } from './deadlines.ts'
import { publish, storeErrorChannel } from './diagnostics.ts'
import { isPromise } from './maybe-promise.ts'
import type { Done } from './stores/express-store.ts'
import type { MaybePromise, RecordStore, StoredRecord, WriteOptions, WriteResult } from './stores/store.ts'

export class StoreCalls {
  readonly #store: string
  readonly #deadlines: Deadlines

  /** `timeout` in ms; 0: none. */
  constructor(store: string, timeout: number) {
    this.#store = store
    this.#deadlines = new Deadlines(timeout, (error) => this.#tell(error))
  }

  make<T>(call: () => MaybePromise<T>): MaybePromise<T> {
    let answer: MaybePromise<T>
    try {
      answer = call()
    } catch (error) {
      throw this.told(error)
    }
    return isPromise(answer) ? this.limited(answer) : answer
  }

  /** An answer, within the time limit. */
  limited<T>(answer: Promise<T>): Promise<T> {
    const pending = this.#deadlines.wait()
    answer.then(
      (value) => pending.resolve(value),
      (error) => pending.reject(error),
    )
    return pending.promise as Promise<T>
  }

  /** An error, made known. */
  told(error: unknown): unknown {
    this.#tell(error)
    return error
  }

  /** A call that answers by a callback: at once if it is called at once. It counts once. */
  ask<T = void>(call: (done: Done<T>) => void): MaybePromise<T> {
    let settled = false
    let failed: unknown
    let result: T | undefined
    let pending: Pending | undefined
    const done: Done<T> = (error, value) => {
      if (pending === undefined) {
        if (settled) return
        settled = true
        failed = error
        result = value
      } else if (error) pending.reject(error)
      else pending.resolve(value)
    }
    try {
      call(done)
      if (failed) throw failed
    } catch (error) {
      throw this.told(error)
    }
    if (settled) return result as T
    pending = this.#deadlines.wait()
    return pending.promise as Promise<T>
  }

  #tell(error: unknown): void {
    publish(storeErrorChannel, { error, store: this.#store })
  }
}

/**
 * The calls of a request to a record store. Hot: as functions given to `make` they would be made anew for each request,
 * 250 bytes of closures and what these hold.
 */
export class RecordCalls {
  readonly #records: RecordStore
  readonly #calls: StoreCalls

  constructor(records: RecordStore, calls: StoreCalls) {
    this.#records = records
    this.#calls = calls
  }

  read(id: string, touchTo?: number): MaybePromise<StoredRecord | undefined> {
    let answer: MaybePromise<StoredRecord | undefined>
    try {
      answer = this.#records.read(id, touchTo)
    } catch (error) {
      throw this.#calls.told(error)
    }
    return isPromise(answer) ? this.#calls.limited(answer) : answer
  }

  write(id: string, payload: Uint8Array, options: WriteOptions): MaybePromise<WriteResult> {
    let answer: MaybePromise<WriteResult>
    try {
      answer = this.#records.write(id, payload, options)
    } catch (error) {
      throw this.#calls.told(error)
    }
    return isPromise(answer) ? this.#calls.limited(answer) : answer
  }

  touch(id: string, expires: number): MaybePromise<void> {
    return this.#calls.make(() => this.#records.touch(id, expires))
  }

  delete(id: string): MaybePromise<void> {
    return this.#calls.make(() => this.#records.delete(id))
  }
}
