/** How stale a stored expiry may get: what lets most reads of an active session be reads only. */

import { SessionError } from '../errors.ts'

export interface TouchOptions {
  /**
   * How far, in ms, the stored expiry may be from the one that a read asks for before the read moves it. A tenth
   * of the lifetime asked for is never exceeded, so that a short-lived session can't end while it is in use.
   * Default 60,000; 0 moves it with every read.
   */
  readonly touchAfter?: number | undefined
}

/** The distance, in ms and at least 1, from which on an expiry has to be moved to `touchTo`. */
export function touchSlack(touchAfter: number, touchTo: number, now: number): number {
  return Math.max(1, Math.floor(Math.min(touchAfter, (touchTo - now) / 10)))
}

export function checkedTouchAfter({ touchAfter = 60_000 }: TouchOptions): number {
  if (Number.isFinite(touchAfter) && touchAfter >= 0) return touchAfter
  throw new SessionError(
    'ERR_SESSION_OPTION',
    `The option touchAfter is ${String(touchAfter)}; give a number of milliseconds, 0 or more.`,
  )
}
