/**
 * One after the other: work on the same key that waits for its turn, within this process. A courtesy, which spares
 * the store conflicts, not a lock.
 */
import { isPromise } from './maybe-promise.ts'
import type { MaybePromise } from './stores/store.ts'

export class Turns {
  /** Fulfilled when the last turn that was taken for a key is over. */
  readonly #last = new Map<string, Promise<void>>()

  /**
   * Runs `work` when the turns that were taken for `key` before are over, and answers what it answers. Its own turn is
   * over when it has settled, or has called `leave` before.
   */
  take<T>(key: string, work: (leave: () => void) => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    let leave = () => {}
    const over = new Promise<void>((resolve) => {
      leave = () => {
        if (this.#last.get(key) === over) this.#last.delete(key)
        resolve()
      }
    })
    this.#last.set(key, over)
    const mine = before.then(() => work(leave))
    mine.then(leave, leave)
    return mine
  }
}

/** Runs `action`; when it has not settled after a second, calls `leave`. It may never, or wait for a later turn. */
export function patiently<T>(action: () => MaybePromise<T>, leave: () => void): MaybePromise<T> {
  const answer = action()
  if (!isPromise(answer)) return answer
  const timer = setTimeout(leave, LONGEST_TURN)
  const settled = () => clearTimeout(timer)
  answer.then(settled, settled)
  return answer
}

/** In ms. */
const LONGEST_TURN = 1000
