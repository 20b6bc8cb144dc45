/**
 * Every intended difference between express-session and fast-session that the scenarios show, with its reason. The
 * comparison fails on a difference that no row covers, and on a row that no longer occurs.
 */
export interface IntendedDifference {
  readonly id: string
  /** What differs, in a sentence for somebody who moves from express-session. */
  readonly what: string
  readonly reason: string
  /** The scenarios that show it, by name. */
  readonly scenarios: readonly (string | RegExp)[]
  /** Where it shows. */
  readonly shows: readonly Showing[]
}

export interface Showing {
  /** A path as the comparison names it. */
  readonly at: string | RegExp
  /** What each side has there; left out: anything. */
  readonly express?: unknown
  readonly fast?: unknown
}

export const intendedDifferences: readonly IntendedDifference[] = []
