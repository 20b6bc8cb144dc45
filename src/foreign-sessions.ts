/** Sessions in a store that was made for express-session, with the semantics it was made for. */
import type { Channel } from 'node:diagnostics_channel'
import type { Codec } from './codec/codec.ts'
import { commitChannel, loadChannel, publish, touchChannel } from './diagnostics.ts'
import type { Engine } from './engine/engine.ts'
import { SessionError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { andThen } from './maybe-promise.ts'
import type { Merger } from './merge.ts'
import type { Persistence } from './persistence.ts'
import { RecentlySeen } from './recently-seen.ts'
import { copyData, originOf, type Session, setOrigin } from './session.ts'
import { storedCookie } from './store.ts'
import type { StoreCalls } from './store-calls.ts'
import { type ExpressStore, getSession } from './stores/express-store.ts'
import type { MaybePromise } from './stores/store.ts'
import { patiently, Turns } from './turns.ts'

export interface ForeignSessionsOptions {
  readonly codec: Codec
  readonly engine: Engine
  readonly calls: StoreCalls
  readonly merger: Merger
  /** How long a session that was touched is left alone, ms. */
  readonly touchAfter: number
}

export class ForeignSessions implements Persistence {
  // Such a store may answer at once, but does not say so before it is asked.
  readonly readsAtOnce = false
  readonly writesAtOnce = false
  readonly #store: ExpressStore
  readonly #codec: Codec
  readonly #engine: Engine
  readonly #calls: StoreCalls
  readonly #merger: Merger
  /** By session id. */
  readonly #recentlyTouched = new RecentlySeen<{ due: number }>()
  readonly #touchAfter: number
  readonly #turns = new Turns()
  readonly #name: string

  constructor(store: ExpressStore, options: ForeignSessionsOptions) {
    this.#store = store
    this.#name = store.constructor.name
    this.#codec = options.codec
    this.#engine = options.engine
    this.#calls = options.calls
    this.#merger = options.merger
    this.#touchAfter = options.touchAfter
  }

  fetch(_exchange: Exchange, id: string): MaybePromise<object | undefined> {
    return this.#calls.ask<object | undefined>((done) => getSession(this.#store, id, done))
  }

  open(exchange: Exchange, id: string, data: object | undefined): Session | undefined {
    this.#tell(loadChannel, id, { found: data !== undefined })
    if (data === undefined) return undefined
    exchange.remember()
    return this.#inflate(exchange, id, data)
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
    const { id } = session
    // Counts as stored from here on: whether it failed is told once, to whoever asked for it.
    originOf(session).saved = data
    exchange.resave = false
    const stored = this.#calls.ask((done) => this.#store.set(id, session, done))
    if (!commitChannel.hasSubscribers) return stored
    return andThen(stored, () => this.#tell(commitChannel, id, { attempts: 1, bytes: data.length }))
  }

  touch(_exchange: Exchange, session: Session): MaybePromise<void> {
    const { id } = session
    if (typeof this.#store.touch !== 'function') return undefined
    if (this.#touchAfter > 0) {
      const now = Date.now()
      const touched = this.#recentlyTouched.find(id)
      if (touched !== undefined && touched.due > now) return undefined
      this.#recentlyTouched.keep(id, { due: now + this.#touchAfter })
    }
    this.#tell(touchChannel, id, { expires: session.cookie.expiresAt })
    return this.#calls.ask((done) => this.#store.touch?.(id, session, done))
  }

  async update<T>(
    exchange: Exchange,
    session: Session,
    change: (session: Session) => T | Promise<T>,
  ): Promise<T> {
    // Such a store has no compare-and-set. Within this process, at least, updates follow one another.
    return this.#turns.take(session.id, async (leave) => {
      const origin = originOf(session)
      const stored = await this.#calls.ask<object | undefined>((done) =>
        getSession(this.#store, session.id, done),
      )
      if (stored === undefined && origin.saved !== undefined) {
        throw new SessionError('SESSION_GONE', 'The session was destroyed or expired elsewhere.')
      }
      if (stored !== undefined) {
        const theirs = this.#codec.encodeData(stored)
        const mine = this.#codec.encodeData(session)
        this.#merger.mergeInto(session, origin.saved ?? origin.original, mine, theirs)
      }
      const result = await patiently(() => change(session), leave)
      await this.save(exchange, session, this.#codec.encodeData(session))
      return result
    })
  }

  retire(): never {
    throw new SessionError(
      'ERR_SESSION_OPTION',
      'regenerate({ grace }) needs a store of this package; stores made for express-session cannot end a session later.',
    )
  }

  destroy(id: string): MaybePromise<void> {
    return this.#calls.ask((done) => this.#store.destroy(id, done))
  }

  #tell(channel: Channel, id: string, message: object): void {
    if (channel.hasSubscribers)
      publish(channel, { id: this.#engine.hashId(id), store: this.#name, ...message })
  }
}
