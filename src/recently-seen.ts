/**
 * Which session cookies came by a short while ago. A session lives on with every request, also with one that never
 * looks at it; this spares all but the first of them the way to the store.
 */
export class RecentlySeen {
  // Two generations: when the young one is full, the old one is forgotten at once, without a walk through it.
  #young = new Map<string, number>()
  #old = new Map<string, number>()

  /** Whether it is time, at `now` (ms since the epoch), to go to the store for a cookie. */
  isDue(cookie: string, now: number): boolean {
    const due = this.#young.get(cookie) ?? this.#old.get(cookie)
    return due === undefined || due <= now
  }

  /** Leaves a cookie alone until `due`, ms since the epoch. */
  add(cookie: string, due: number): void {
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(flat(cookie), due)
  }
}

/** A copy on its own: a slice would keep the whole Cookie header in memory. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** At about 250 bytes an entry, two generations hold 4 MB. */
const GENERATION = 8192
