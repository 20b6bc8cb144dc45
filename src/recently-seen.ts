/**
 * Which session cookies came by a short while ago. A session lives on with every request, also with one that never
 * looks at it; this spares all but the first of them the way to the store, and tells the way there how long it lives.
 */
export class RecentlySeen {
  // Two generations: when the young one is full, the old one is forgotten at once, without a walk through it.
  #young = new Map<string, Seen>()
  #old = new Map<string, Seen>()

  /** Whether it is time, at `now` (ms since the epoch), to go to the store for a cookie. */
  isDue(cookie: string, now: number): boolean {
    const seen = this.#find(cookie)
    return seen === undefined || seen.due <= now
  }

  /** How long the session of a cookie was kept after its last use when it was seen, ms. */
  idleOf(cookie: string): number | undefined {
    return this.#find(cookie)?.idle
  }

  /** Leaves a cookie alone until `due`, ms since the epoch; its session is kept for `idle` ms after its last use. */
  add(cookie: string, due: number, idle?: number): void {
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(flat(cookie), { due, idle })
  }

  #find(cookie: string): Seen | undefined {
    return this.#young.get(cookie) ?? this.#old.get(cookie)
  }
}

interface Seen {
  readonly due: number
  readonly idle: number | undefined
}

/** A copy on its own: a slice would keep the whole Cookie header in memory. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** At about 300 bytes an entry, two generations hold 5 MB. */
const GENERATION = 8192
