/** How sessions are kept: the one contract behind which both kinds of store stand. */
import type { Exchange } from './exchange.ts'
import type { Origin, Session } from './session.ts'
import type { MaybePromise } from './stores/store.ts'

export interface Persistence {
  /** Whether `load` answers at once, so that it can wait until somebody looks at the session. */
  readonly readsAtOnce: boolean
  /** Whether everything answers at once, so that no response is held back. */
  readonly writesAtOnce: boolean

  /** The stored session of an id, or undefined when there is none. */
  load(exchange: Exchange, id: string): MaybePromise<Session | undefined>

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
