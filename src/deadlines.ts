/**
 * A time limit for answers that may never come. All answers have the same limit, so the oldest is always the next
 * one due: one timer serves them all, where a timer for each would cost about 1 us.
 */
import { SessionError } from './errors.ts'

export class Deadlines {
  readonly #limit: number
  readonly #pending = new Set<Pending>()
  #timer: NodeJS.Timeout | undefined

  /** `limit` in ms; 0: none. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** The answer, or a rejection with SESSION_STORE_TIMEOUT when it takes longer than the limit. */
  limit<T>(answer: Promise<T>): Promise<T> {
    if (this.#limit === 0) return answer
    return new Promise<T>((resolve, reject) => {
      const pending: Pending = { due: performance.now() + this.#limit, reject }
      this.#pending.add(pending)
      answer.then(
        (value) => {
          this.#pending.delete(pending)
          resolve(value)
        },
        (error) => {
          this.#pending.delete(pending)
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
    for (const pending of this.#pending) {
      if (pending.due > now) {
        this.#timer = this.#arm(pending.due - now)
        return
      }
      this.#pending.delete(pending)
      pending.reject(
        new SessionError(
          'SESSION_STORE_TIMEOUT',
          `The session store did not answer within ${this.#limit} ms.`,
        ),
      )
    }
  }
}

interface Pending {
  /** By the clock that nobody sets, in ms. */
  readonly due: number
  readonly reject: (error: unknown) => void
}
