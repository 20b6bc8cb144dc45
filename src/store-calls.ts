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
    return isPromise(answer) ? this.#deadlines.limit(answer, this.#tell) : answer
  }

  readonly #tell = (error: unknown): void => publish(storeErrorChannel, { error, store: this.#store })
}
