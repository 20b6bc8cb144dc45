/** How sessions are kept: the one contract behind which both kinds of store stand. */
import type { Exchange } from './exchange.ts'
import type { Origin, Session } from './session.ts'
import type { MaybePromise } from './stores/store.ts'

/** A record, or what a store of express-session calls a session; undefined when there is none. */
export type Fetched = object | undefined

export interface Persistence {
  /** Whether `fetch` answers at once, so that it can wait until somebody looks at the session. */
  readonly readsAtOnce: boolean
  /** Whether everything answers at once, so that no response is held back. */
  readonly writesAtOnce: boolean

  /** What the store has under an id, as it keeps it. */
  fetch(exchange: Exchange, id: string): MaybePromise<Fetched>

  /** The session of what `fetch` answered, or undefined when there is none. */
  open(exchange: Exchange, id: string, fetched: Fetched): Session | undefined

  /**
   * Stores a session, whose data is encoded as `data`. Rejects with SESSION_GONE when it was destroyed or expired
   * meanwhile.
   */
  save(exchange: Exchange, session: Session, data: Uint8Array): MaybePromise<void>

  /** Stores that an unchanged session was used: its expiry, and its cookie where that changed. */
  touch(exchange: Exchange, session: Session): MaybePromise<void>

  /**
   * Changes a session atomically: `change` runs on the session and is stored; if another request has stored first,
   * it runs again on what that one has left.
   */
  update<T>(exchange: Exchange, session: Session, change: (session: Session) => T | Promise<T>): Promise<T>

  /** Lets a stored session, which another one replaces, go on for `grace` ms, and no longer. */
  retire(exchange: Exchange, session: Session, grace: number): MaybePromise<void>

  /** Deletes the stored session of an id; `origin` tells what is known of it. */
  destroy(id: string, origin?: Origin): MaybePromise<void>
}
