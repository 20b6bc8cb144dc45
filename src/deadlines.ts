/**
 * A time limit for answers that may never come. All answers have the same limit, so the oldest is always the next
 * one due: one timer serves them all, where a timer for each would cost about 1 us.
 */
import { SessionError } from './errors.ts'

export class Deadlines {
  readonly #limit: number
  readonly #onError: (error: unknown) => void
  /** The first and the last of a circle of all that are waited for, the oldest first. */
  readonly #ends = new Pending(Number.POSITIVE_INFINITY, () => {})
  #timer: NodeJS.Timeout | undefined

  /** `limit` in ms; 0: none. `onError` is told of errors before those are who wait. */
  constructor(limit: number, onError: (error: unknown) => void) {
    this.#limit = limit
    this.#onError = onError
  }

  /** An answer that is waited for from now on; one that takes longer than the limit fails with SESSION_STORE_TIMEOUT. */
  wait(): Pending {
    if (this.#limit === 0) return new Pending(0, this.#onError)
    const pending = new Pending(performance.now() + this.#limit, this.#onError)
    pending.joinBefore(this.#ends)
    this.#timer ??= this.#arm(this.#limit)
    return pending
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
export class Pending {
  /** By the clock that nobody sets, in ms. */
  readonly due: number
  readonly promise: Promise<unknown>
  before: Pending = this
  after: Pending = this
  readonly #onError: (error: unknown) => void
  #resolve: ((value: unknown) => void) | undefined = undefined
  #reject: ((error: unknown) => void) | undefined = undefined

  constructor(due: number, onError: (error: unknown) => void) {
    this.due = due
    this.#onError = onError
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  joinBefore(other: Pending): void {
    this.after = other
    this.before = other.before
    this.before.after = this
    other.before = this
  }

  /** The first answer counts. */
  resolve(value: unknown): void {
    const resolve = this.#resolve
    if (resolve === undefined) return
    this.#leave()
    resolve(value)
  }

  reject(error: unknown): void {
    const reject = this.#reject
    // It may have been given up already, and that been told.
    if (reject === undefined) return
    this.#leave()
    this.#onError(error)
    reject(error)
  }

  #leave(): void {
    this.#resolve = undefined
    this.#reject = undefined
    this.before.after = this.after
    this.after.before = this.before
    // What is in the old generation already must not keep others.
    this.before = this
    this.after = this
  }
}
