/** Sessions in a store that was made for express-session, with the semantics it was made for. */
import type { Codec } from './codec/codec.ts'
import type { Exchange } from './exchange.ts'
import { andThen } from './maybe-promise.ts'
import type { Persistence } from './persistence.ts'
import { copyData, originOf, type Session, setOrigin } from './session.ts'
import { storedCookie } from './store.ts'
import {
  destroySession,
  type ExpressStore,
  getSession,
  setSession,
  touchSession,
} from './stores/express-store.ts'
import type { MaybePromise } from './stores/store.ts'

export class ForeignSessions implements Persistence {
  // Such a store may answer at once, but does not say so before it is asked.
  readonly synchronous = false
  readonly #store: ExpressStore
  readonly #codec: Codec

  constructor(store: ExpressStore, codec: Codec) {
    this.#store = store
    this.#codec = codec
  }

  load(exchange: Exchange, id: string): MaybePromise<Session | undefined> {
    return andThen(getSession(this.#store, id), (data) => data && this.#inflate(exchange, id, data))
  }

  #inflate(exchange: Exchange, id: string, data: object): Session {
    const session = exchange.createSession(id, storedCookie((data as Session).cookie))
    copyData(data as Record<string, unknown>, session)
    const original = this.#codec.encodeData(session)
    setOrigin(session, {
      host: exchange,
      original,
      saved: original,
      version: null,
      expires: 0,
      created: Number.NaN,
      originalMaxAge: null,
      overrides: undefined,
    })
    return session
  }

  save(exchange: Exchange, session: Session, data: Uint8Array): MaybePromise<void> {
    originOf(session).saved = data
    exchange.resave = false
    return setSession(this.#store, session.id, session)
  }

  touch(_exchange: Exchange, session: Session): MaybePromise<void> {
    if (typeof this.#store.touch === 'function') return touchSession(this.#store, session.id, session)
  }

  destroy(id: string): MaybePromise<void> {
    return destroySession(this.#store, id)
  }
}
