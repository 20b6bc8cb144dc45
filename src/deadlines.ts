/**
 * A time limit for answers that may never come. All answers have the same limit, so the oldest is always the next
 * one due: one timer serves them all, where a timer for each would cost about 1 us.
 */
import { SessionError } from './errors.ts'

export class Deadlines {
  readonly #limit: number
  /** The first and the last of a circle of all that are pending, the oldest first. */
  readonly #ends = new Pending(Number.POSITIVE_INFINITY, () => {})
  #timer: NodeJS.Timeout | undefined

  /** `limit` in ms; 0: none. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * What `answer` is told to resolve or reject with, or a rejection with SESSION_STORE_TIMEOUT when that takes longer
   * than the limit. `onError` is told of errors before the promise's reader is.
   */
  limit<T>(
    answer: (resolve: (value: T) => void, reject: (error: unknown) => void) => unknown,
    onError: (error: unknown) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, refuse) => {
      const reject = (error: unknown) => {
        onError(error)
        refuse(error)
      }
      if (this.#limit === 0) {
        answer(resolve, reject)
        return
      }
      const pending = new Pending(performance.now() + this.#limit, reject)
      pending.joinBefore(this.#ends)
      answer(
        (value) => {
          pending.leave()
          resolve(value)
        },
        (error) => {
          // It may have been given up already, and that been told.
          if (!pending.isWaiting) return
          pending.leave()
          reject(error)
        },
      )
      this.#timer ??= this.#arm(this.#limit)
    })
  }

  #arm(delay: number): NodeJS.Timeout {
    // Where this process itself was busy for long, the answers are there, unread: they come before what is overdue.
    const timer = setTimeout(() => setImmediate(() => this.#expire()), delay)
    timer.unref?.()
    return timer
  }

  #expire(): void {
    const now = performance.now()
    this.#timer = undefined
    while (this.#ends.after !== this.#ends) {
      const oldest = this.#ends.after
      if (oldest.due > now) {
        this.#timer = this.#arm(oldest.due - now)
        return
      }
      oldest.leave()
      oldest.reject(
        new SessionError(
          'SESSION_STORE_TIMEOUT',
          `The session store did not answer within ${this.#limit} ms.`,
        ),
      )
    }
  }
}

/**
 * An answer that is still to come, in a linked list. Not in a Set: its tables, each of which refers to the next, keep
 * what they held alive until the next full garbage collection, and scavenges took 7 times as long (Node 24).
 */
class Pending {
  /** By the clock that nobody sets, in ms. */
  readonly due: number
  readonly reject: (error: unknown) => void
  before: Pending = this
  after: Pending = this

  constructor(due: number, reject: (error: unknown) => void) {
    this.due = due
    this.reject = reject
  }

  get isWaiting(): boolean {
    return this.after !== this
  }

  joinBefore(other: Pending): void {
    this.after = other
    this.before = other.before
    this.before.after = this
    other.before = this
  }

  /** May be called again. */
  leave(): void {
    this.before.after = this.after
    this.after.before = this.before
    this.before = this
    this.after = this
  }
}
