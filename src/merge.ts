/** Three-way merge of session data: what was read, what this request made of it, and what others made of it. */
import type { Codec } from './codec/codec.ts'
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
 * Merges by key, recursively through plain objects. A key that only one side changed takes that side's value. Lists
 * to which both sides only added keep all additions, theirs first. Where both sides changed the same value, `decide`
 * has the say; without it, mine wins.
 */
export class Merger {
  readonly #codec: Codec
  readonly #decide: MergeConflict

  constructor(codec: Codec, decide: MergeConflict = (_base, mine) => mine) {
    this.#codec = codec
    this.#decide = decide
  }

  /** Merges three sessions, each as its encoded data. */
  merge(base: Uint8Array, mine: Uint8Array, theirs: Uint8Array): SessionValues {
    return this.#objects(this.#decode(base), this.#decode(mine), this.#decode(theirs), [])
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
      if (value !== undefined) {
        Object.defineProperty(merged, key, { value, configurable: true, enumerable: true, writable: true })
      }
    }
    return merged
  }

  #values(base: unknown, mine: unknown, theirs: unknown, path: readonly string[]): unknown {
    if (this.#same(mine, base)) return theirs
    if (this.#same(theirs, base) || this.#same(mine, theirs)) return mine
    if (isPlain(mine) && isPlain(theirs)) return this.#objects(isPlain(base) ? base : {}, mine, theirs, path)
    if (Array.isArray(mine) && Array.isArray(theirs)) {
      const common = Array.isArray(base) ? base : []
      if (this.#startsWith(mine, common) && this.#startsWith(theirs, common)) {
        return [...theirs, ...mine.slice(common.length)]
      }
    }
    return this.#decide(base, mine, theirs, path)
  }

  #startsWith(list: unknown[], beginning: unknown[]): boolean {
    return list.length >= beginning.length && beginning.every((value, at) => this.#same(value, list[at]))
  }

  #same(a: unknown, b: unknown): boolean {
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b)
    return equalBytes(this.#codec.encode(a), this.#codec.encode(b))
  }
}

function own(data: SessionValues, key: string): unknown {
  return Object.hasOwn(data, key) ? data[key] : undefined
}

function isPlain(value: unknown): value is SessionValues {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
