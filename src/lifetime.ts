/** How long sessions last: after their last use, at most, and how exactly that is kept. All times in ms. */
import type { RecordHeader } from './codec/record.ts'
import { type Cookie, lifetimeOf } from './cookie.ts'

/** How long a session without `maxAge` is kept after its last use, as connect-redis does. */
const BROWSER_SESSION = 24 * 60 * 60 * 1000

/** 7,900 years: what ends then is a date that every store can keep, where a handler may have said Infinity. */
const LONGEST = 2.5e14

export interface LifetimeOptions {
  /**
   * How long a session may stay unused before the store forgets it, ms. Default: the cookie's `maxAge`; without one,
   * 24 hours. The shorter of the two holds.
   */
  readonly idleTimeout?: number | undefined
  /** How long a session may last from its beginning, however much it is used, ms. Default: no limit. */
  readonly absoluteTimeout?: number | undefined
  /**
   * How stale a stored expiry may get before it is moved, ms: from a second to half of the lifetime, whatever is
   * given. Default: a tenth of the lifetime, at most a minute; 0 for stores made for express-session, which expect
   * to be told of every request.
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
  idle(cookie: Pick<Cookie, 'originalMaxAge'>): number {
    const unlimited =
      lifetimeOf(cookie) ?? (this.#idle === Number.POSITIVE_INFINITY ? BROWSER_SESSION : this.#idle)
    return Math.max(Math.round(Math.min(unlimited, this.#idle, this.#absolute, LONGEST)), -LONGEST)
  }

  /**
   * Whether a session is over although its record is still there. The stored expiry leaves that aside: so it tells when
   * the session was used last, and a read can move it without knowing more.
   */
  isOver({ created, extras }: Pick<RecordHeader, 'created' | 'extras'>): boolean {
    const until = untilOf(extras)
    // Most sessions have no end, and a look at the clock takes 60 ns on some machines.
    if (this.#absolute === Number.POSITIVE_INFINITY && until === undefined) return false
    const now = Date.now()
    // Nobody may know when a session began: then `created` is NaN, and is never long ago.
    return created + this.#absolute <= now || (until !== undefined && until <= now)
  }

  /** Whether the options say how stale a stored expiry may get; else a store decides that by what it costs there. */
  get isLax(): boolean {
    return this.#touchAfter !== undefined
  }

  /** How far a stored expiry may be off, for a session that is kept `idle` ms after its last use. */
  lag(idle: number): number {
    const lifetime = Math.max(idle, 0)
    if (this.#touchAfter === undefined) return Math.min(lifetime / 10, 60_000)
    // Not more, or a session would end while it is in use; not less, or one request would move it several times.
    return Math.min(Math.max(this.#touchAfter, 1000), lifetime / 2)
  }
}

/** When a session ends that was replaced by `regenerate({ grace })`, ms since the epoch. */
export function untilOf(extras: RecordHeader['extras']): number | undefined {
  const until = extras?.['until']
  return typeof until === 'number' ? until : undefined
}
