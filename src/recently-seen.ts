/**
 * Which session cookies came by a short while ago. A session lives on with every request, also with one that never
 * looks at it; this spares all but the first of them the way to the store, tells the way there how long it lives, and
 * that its signature was verified.
 */
import type { Keyring } from './engine/engine.ts'

/**
 * What is known by a text: a cache of a fixed size, in which a text has two places, and the one that was kept last is
 * there for sure.
 *
 * Hot: a Map hashes all 85 characters of a cookie that was just cut out of its header, which takes as long as the rest of
 * the look-up together. Comparing is cheap, and a signature is random enough at its end.
 */
export class RecentlySeen<Seen> {
  /** Not made before there is something to keep. */
  #texts: Array<string | undefined> = []
  #seen: Array<Seen | undefined> = []

  find(text: string): Seen | undefined {
    const place = placeOf(text)
    if (this.#texts[place] === text) return this.#seen[place]
    return this.#texts[place + PLACES] === text ? this.#seen[place + PLACES] : undefined
  }

  /** Keeps what is known of a text. What is there already leaves nothing to the garbage collector. */
  keep(text: string, seen: Seen): void {
    if (this.find(text) === seen) return
    if (this.#texts.length === 0) {
      this.#texts = new Array<string | undefined>(PLACES * 2).fill(undefined)
      this.#seen = new Array<Seen | undefined>(PLACES * 2).fill(undefined)
    }
    const place = placeOf(text)
    // The older of two makes room; what is known of this text anew is not in both places.
    if (this.#texts[place] !== text) {
      this.#texts[place + PLACES] = this.#texts[place]
      this.#seen[place + PLACES] = this.#seen[place]
    }
    this.#texts[place] = flat(text)
    this.#seen[place] = seen
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

/** At about 300 bytes a text, twice as many take 5 MB. */
const PLACES = 8192

/** How many characters, from the last one back, tell texts apart. */
const TELLING = 8

function placeOf(text: string): number {
  let hash = text.length
  for (let at = Math.max(0, text.length - TELLING); at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x9e3779b1)
  }
  return (hash ^ (hash >>> 15)) & (PLACES - 1)
}
