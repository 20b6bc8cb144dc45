/**
 * Which session cookies came by a short while ago. A session lives on with every request, also with one that never
 * looks at it; this spares all but the first of them the way to the store, tells the way there how long it lives, and
 * that its signature was verified.
 */
import type { Keyring } from './engine/engine.ts'

export class RecentlySeen<Seen> {
  // Two generations: when the young one is full, the old one is forgotten at once, without a walk through it.
  #young = new Map<string, Seen>()
  #old = new Map<string, Seen>()

  find(cookie: string): Seen | undefined {
    return this.#young.get(cookie) ?? this.#old.get(cookie)
  }

  /** Keeps what is known of a cookie among the young. What is there already leaves nothing to the garbage collector. */
  keep(cookie: string, seen: Seen): void {
    if (this.#young.get(cookie) === seen) return
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(flat(cookie), seen)
  }
}

/** What is known of a session cookie. */
export interface SeenCookie {
  /** When the store has to hear of its session again, ms since the epoch. */
  due: number
  /** How long its session is kept after its last use, ms; undefined where nobody knows. */
  idle: number | undefined
  /** What verified it; for others it is a cookie like any. */
  readonly keyring: Keyring
  /** The session id that it holds; undefined when it is not signed, and the id came otherwise. */
  readonly id: string | undefined
  /** By what the store knows that id, once somebody had to know. */
  key: string | undefined
}

/** A copy on its own: a slice would keep the whole Cookie header in memory, and be slower to read. */
export function flat(text: string): string {
  const copy = Buffer.from(text, 'latin1').toString('latin1')
  return copy === text ? copy : text
}

/** At about 300 bytes an entry, two generations hold 5 MB. */
const GENERATION = 8192
