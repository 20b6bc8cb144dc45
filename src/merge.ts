/** Three-way merge of session data: what was read, what this request made of it, and what others made of it. */
import type { Codec } from './codec/codec.ts'
import { setOwn } from './codec/plain.ts'
import { equalBytes } from './equal-bytes.ts'

/**
 * Decides about one value that both sides changed. Each of the three is undefined where the value is absent; an
 * undefined answer leaves it out. `path` is the way of keys to it.
 */
export type MergeConflict = (
  base: unknown,
  mine: unknown,
  theirs: unknown,
  path: readonly string[],
) => unknown

export type SessionValues = Record<string, unknown>

/**
 * Merges by key, recursively through plain objects. A key that only one side changed takes that side's value. What
 * was added to the end of a list stays, whatever the other side made of the list; additions of both stay, theirs
 * first. Where both sides changed the same value otherwise, `decide` has the say; without it, mine wins.
 */
export class Merger {
  readonly #codec: Codec
  readonly #decide: MergeConflict

  constructor(codec: Codec, decide: MergeConflict = (_base, mine) => mine) {
    this.#codec = codec
    this.#decide = decide
  }

  /** Makes a session what the merge of three is, each of them given as its encoded data. */
  mergeInto(session: object, base: Uint8Array, mine: Uint8Array, theirs: Uint8Array): void {
    this.#become(session, this.#objects(this.#decode(base), this.#decode(mine), this.#decode(theirs), []))
  }

  /** Makes a session what its encoded data was. */
  replace(session: object, data: Uint8Array): void {
    this.#become(session, this.#decode(data))
  }

  /** What is as it should be is left alone: a handler may hold on to it, and functions are none of our business. */
  #become(session: object, values: SessionValues): void {
    const held = session as SessionValues
    for (const key of Object.keys(held)) {
      if (key !== 'cookie' && typeof held[key] !== 'function' && !Object.hasOwn(values, key)) delete held[key]
    }
    for (const key of Object.keys(values)) {
      if (key !== 'cookie' && !this.#same(own(held, key), values[key])) setOwn(held, key, values[key])
    }
  }

  #decode(data: Uint8Array): SessionValues {
    return this.#codec.decode(data) as SessionValues
  }

  #objects(
    base: SessionValues,
    mine: SessionValues,
    theirs: SessionValues,
    path: readonly string[],
  ): SessionValues {
    const merged: SessionValues = {}
    for (const key of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
      const value = this.#values(own(base, key), own(mine, key), own(theirs, key), [...path, key])
      // Not by assignment: a key may be `__proto__`.
      if (value !== undefined) setOwn(merged, key, value)
    }
    return merged
  }

  #values(base: unknown, mine: unknown, theirs: unknown, path: readonly string[]): unknown {
    if (this.#same(mine, base)) return theirs
    if (this.#same(theirs, base) || this.#same(mine, theirs)) return mine
    if (isPlain(mine) && isPlain(theirs)) return this.#objects(isPlain(base) ? base : {}, mine, theirs, path)
    return this.#lists(base, mine, theirs) ?? this.#decide(base, mine, theirs, path)
  }

  /** Messages, say, of which one side has shown and removed those that there were, while the other side added one. */
  #lists(base: unknown, mine: unknown, theirs: unknown): unknown[] | undefined {
    const common = Array.isArray(base) ? base : []
    if (isListOrNone(theirs) && this.#startsWith(mine, common)) {
      return [...(theirs ?? []), ...mine.slice(common.length)]
    }
    if (isListOrNone(mine) && this.#startsWith(theirs, common)) {
      return [...(mine ?? []), ...theirs.slice(common.length)]
    }
    return undefined
  }

  #startsWith(list: unknown, beginning: readonly unknown[]): list is unknown[] {
    return (
      Array.isArray(list) &&
      list.length >= beginning.length &&
      beginning.every((value, at) => this.#same(value, list[at]))
    )
  }

  /** Whether two values are stored alike. */
  #same(a: unknown, b: unknown): boolean {
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b)
    return equalBytes(this.#codec.encode(a), this.#codec.encode(b))
  }
}

function own(data: SessionValues, key: string): unknown {
  return Object.hasOwn(data, key) ? data[key] : undefined
}

function isListOrNone(value: unknown): value is readonly unknown[] | undefined {
  return value === undefined || Array.isArray(value)
}

function isPlain(value: unknown): value is SessionValues {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
