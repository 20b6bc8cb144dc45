/** How long sessions last: after their last use, at most, and how exactly that is kept. All times in ms. */
import type { Cookie } from './cookie.ts'

/** How long a session without `maxAge` is kept after its last use, as connect-redis does. */
const BROWSER_SESSION = 24 * 60 * 60 * 1000

export interface LifetimeOptions {
  /**
   * How long a session may stay unused before the store forgets it, ms. Default: the cookie's `maxAge`; without one,
   * 24 hours. The shorter of the two holds.
   */
  readonly idleTimeout?: number | undefined
  /** How long a session may last from its beginning, however much it is used, ms. Default: no limit. */
  readonly absoluteTimeout?: number | undefined
  /**
   * How stale a stored expiry may get before it is moved, ms. Default: a tenth of the lifetime, at most a minute; 0
   * for stores made for express-session, which expect to be told of every request.
   */
  readonly touchAfter?: number | undefined
}

export class Lifetime {
  readonly #idle: number
  readonly #absolute: number
  readonly #touchAfter: number | undefined

  constructor({ idleTimeout, absoluteTimeout, touchAfter }: LifetimeOptions = {}) {
    this.#idle = idleTimeout ?? Number.POSITIVE_INFINITY
    this.#absolute = absoluteTimeout ?? Number.POSITIVE_INFINITY
    this.#touchAfter = touchAfter
  }

  /** How long a session with this cookie is kept after its last use. */
  idle({ originalMaxAge }: Pick<Cookie, 'originalMaxAge'>): number {
    const maxAge = typeof originalMaxAge === 'number' ? Math.round(originalMaxAge) : undefined
    if (this.#idle === Number.POSITIVE_INFINITY) return maxAge ?? BROWSER_SESSION
    return Math.min(this.#idle, maxAge ?? this.#idle)
  }

  /** When a session that began at `created` ends in any case; `until` is an end of its own. ms since the epoch. */
  end(created: number, until: number | undefined): number {
    return Math.min(created + this.#absolute, until ?? Number.POSITIVE_INFINITY)
  }

  /** Whether the options say how stale a stored expiry may get; else a store decides that by what it costs there. */
  get isLax(): boolean {
    return this.#touchAfter !== undefined
  }

  /** How far a stored expiry may be off, for a session that is kept `idle` ms after its last use. */
  lag(idle: number): number {
    return this.#touchAfter ?? Math.min(Math.max(idle, 0) / 10, 60_000)
  }
}
