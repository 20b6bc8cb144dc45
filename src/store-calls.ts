/** Calls to a store, which may be down or slow: each within the time limit, each failure made known. */
import { Deadlines } from './deadlines.ts'
import { publish, storeErrorChannel } from './diagnostics.ts'
import { isPromise } from './maybe-promise.ts'
import type { MaybePromise } from './stores/store.ts'

export class StoreCalls {
  readonly #store: string
  readonly #deadlines: Deadlines

  /** `timeout` in ms; 0: none. */
  constructor(store: string, timeout: number) {
    this.#store = store
    this.#deadlines = new Deadlines(timeout)
  }

  make<T>(call: () => MaybePromise<T>): MaybePromise<T> {
    let answer: MaybePromise<T>
    try {
      answer = call()
    } catch (error) {
      this.#tell(error)
      throw error
    }
    if (!isPromise(answer)) return answer
    const promise = answer
    return this.#deadlines.limit<T>((resolve, reject) => promise.then(resolve, reject), this.#tell)
  }

  /** A call that answers by a callback: at once if it is called at once. It counts once. */
  ask<T = void>(call: (done: (error?: unknown, value?: T) => void) => void): MaybePromise<T> {
    let settled = false
    let failed: unknown
    let result: T | undefined
    let resolve: ((value: T) => void) | undefined
    let reject: ((error: unknown) => void) | undefined
    const done = (error?: unknown, value?: T) => {
      if (settled) return
      settled = true
      failed = error
      result = value
      if (error) reject?.(error)
      else resolve?.(value as T)
    }
    try {
      call(done)
      if (failed) throw failed
    } catch (error) {
      this.#tell(error)
      throw error
    }
    if (settled) return result as T
    return this.#deadlines.limit<T>((onValue, onError) => {
      resolve = onValue
      reject = onError
    }, this.#tell)
  }

  readonly #tell = (error: unknown): void => publish(storeErrorChannel, { error, store: this.#store })
}
