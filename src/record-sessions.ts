/**
 * Sessions in a record store: encoded by the codec, written by compare-and-set.
 *
 * A write names the version that was read. If another request has written since, the two are merged, by key, and
 * the merged session is written; if the session has ended since, it stays so.
 */
import type { Channel } from 'node:diagnostics_channel'
import type { Codec } from './codec/codec.ts'
import { decodeRecord, encodeRecord, type RecordHeader } from './codec/record.ts'
import { type Cookie, type CookieAttributes, lifetimeOf } from './cookie.ts'
import { commitChannel, conflictChannel, loadChannel, publish, touchChannel } from './diagnostics.ts'
import type { Engine } from './engine/engine.ts'
import { SessionError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { type Lifetime, untilOf } from './lifetime.ts'
import { andThen, attempt, isPromise } from './maybe-promise.ts'
import type { Merger } from './merge.ts'
import { ownerOf } from './owner.ts'
import type { Persistence } from './persistence.ts'
import { copyData, type Origin, originOf, type Session, setOrigin } from './session.ts'
import { RecordCalls, type StoreCalls } from './store-calls.ts'
import type { MaybePromise, RecordStore, StoredRecord, WriteResult } from './stores/store.ts'
import { patiently, Turns } from './turns.ts'

/** How often one commit may lose against other writers. Each time another one has won, so there is progress. */
const MAX_ATTEMPTS = 1000

/** From this attempt on, a writer pauses a little, so that those of other processes get through. */
const POLITE_FROM = 8
/** In ms. */
const LONGEST_PAUSE = 20

export interface RecordSessionsOptions {
  readonly codec: Codec
  readonly engine: Engine
  readonly lifetime: Lifetime
  readonly calls: StoreCalls
  readonly merger: Merger
}

/** A write, and what goes on with its answer. */
interface Write {
  readonly answer: MaybePromise<WriteResult>
  readonly exchange: Exchange
  readonly session: Session
  readonly data: Uint8Array
  readonly key: string
  readonly expires: number
  readonly originalMaxAge: number | null
  readonly overrides: CookieAttributes | undefined
  readonly attempts: number
  readonly bytes: number
}

/** What stands in the way of a write. */
interface Lost {
  readonly current: StoredRecord | undefined
}

export class RecordSessions implements Persistence {
  readonly readsAtOnce: boolean
  readonly writesAtOnce: boolean
  readonly #kept: RecordStore
  readonly #records: RecordCalls
  readonly #codec: Codec
  readonly #engine: Engine
  readonly #lifetime: Lifetime
  readonly #merger: Merger
  readonly #turns = new Turns()

  constructor(records: RecordStore, options: RecordSessionsOptions) {
    this.#kept = records
    this.#records = new RecordCalls(records, options.calls)
    this.#codec = options.codec
    this.#engine = options.engine
    this.#lifetime = options.lifetime
    this.#merger = options.merger
    this.readsAtOnce = records.synchronous !== undefined
    this.writesAtOnce = records.synchronous === 'all'
  }

  fetch(exchange: Exchange, id: string): MaybePromise<StoredRecord | undefined> {
    // A store that answers at once is told the exact expiry below; for one at a distance it rides along, by what is
    // known of the session before it is read.
    exchange.touchedTo =
      !this.readsAtOnce && this.#isDue(exchange)
        ? Date.now() + (exchange.knownIdle() ?? this.#lifetime.idle(exchange.cookieTemplate()))
        : undefined
    return this.#records.read(this.#keyOf(exchange, id), exchange.touchedTo)
  }

  open(exchange: Exchange, id: string, record: StoredRecord | undefined): Session | undefined {
    const session = record && this.#inflate(exchange, id, record)
    if (loadChannel.hasSubscribers) {
      this.#tell(loadChannel, this.#keyOf(exchange, id), { found: session !== undefined })
    }
    if (session !== undefined && this.#isDue(exchange)) this.#use(exchange, session)
    return session
  }

  /** Whether the store has to hear that the session is used. */
  #isDue(exchange: Exchange): boolean {
    return exchange.isDue() || !(this.readsAtOnce || this.#lifetime.isLax)
  }

  /** A session that is used lives on, also if the request should never come to its end. */
  #use(exchange: Exchange, session: Session): void {
    const { cookie } = session
    const origin = originOf(session)
    if (exchange.touchedTo !== undefined && origin.expires === exchange.touchedTo) this.#tellTouch(session)
    const moved = this.#moveExpiry(exchange, session)
    if (isPromise(moved)) exchange.awaitBeside(moved)
    const idle = this.#lifetime.idle(cookie)
    if (!exchange.isDue() && exchange.knownIdle() === idle) return
    // What the expiry is behind by now counts against how far it may be.
    const behind = Math.max(0, this.#expires(origin, cookie) - origin.expires)
    exchange.leaveAlone(this.#lifetime.lag(idle) - behind, idle)
  }

  #inflate(exchange: Exchange, id: string, record: StoredRecord): Session | undefined {
    const decoded = decodeRecord(record.payload)
    const { header } = decoded
    if (this.#lifetime.isOver(header)) {
      this.#discard(exchange, id)
      return undefined
    }
    const overrides = header.extras?.['cookie'] as CookieAttributes | undefined
    const cookie = exchange.cookieTemplate().copy()
    const session = exchange.createSession(id, cookie)
    let data: Uint8Array
    if (decoded.kind === 'record') {
      this.#codec.decodeInto(decoded.payload, session)
      data = decoded.payload
    } else {
      copyData(decoded.data, session)
      data = this.#codec.encodeData(session)
    }
    if (overrides !== undefined) cookie.override(overrides)
    cookie.restore(header.expires, header.originalMaxAge)
    setOrigin(session, {
      host: exchange,
      original: data,
      saved: data,
      version: record.version,
      expires: record.expires,
      created: Number.isNaN(header.created) ? Date.now() : header.created,
      until: untilOf(header.extras),
      originalMaxAge: header.originalMaxAge,
      // As this version would keep them: an express-session record has all attributes, differing or not.
      overrides: exchange.cookieTemplate().overrides(cookie),
    })
    return session
  }

  /** A session whose time is up although its record lives on is deleted behind the request's back. */
  #discard(exchange: Exchange, id: string): void {
    attempt(
      () => this.destroy(id),
      () => {},
      (error) => exchange.report(error),
    )
  }

  save(exchange: Exchange, session: Session, data: Uint8Array): MaybePromise<void> {
    return this.#store(exchange, session, data, 1)
  }

  #store(exchange: Exchange, session: Session, data: Uint8Array, attempts: number): MaybePromise<void> {
    const write = this.#write(exchange, session, data, attempts)
    const { answer } = write
    return isPromise(answer) ? this.#storedLater(answer, write) : this.#stored(answer, write)
  }

  /** Apart, since V8 makes what a closure holds before it is known whether one is needed. */
  #storedLater(answer: Promise<WriteResult>, write: Write): Promise<void> {
    return answer.then((answer) => this.#stored(answer, write))
  }

  #stored(answer: WriteResult, write: Write): MaybePromise<void> {
    const lost = this.#written(answer, write)
    return lost === undefined ? undefined : this.#retry(write, lost)
  }

  #retry({ exchange, session, attempts }: Write, lost: Lost): MaybePromise<void> {
    const again = () =>
      andThen(this.#latest(session, lost.current, attempts), (current) => {
        const merged = this.#merge(exchange, session, this.#codec.encodeData(session), current)
        return this.#store(exchange, session, merged, attempts + 1)
      })
    // Those of this process queue up, so that each of them loses only to other processes.
    if (attempts > 1 || this.writesAtOnce) return again()
    return this.#turns.take(this.#key(session.id), async () => again())
  }

  update<T>(exchange: Exchange, session: Session, change: (session: Session) => T | Promise<T>): Promise<T> {
    return this.#turns.take(this.#key(session.id), async (leave) => {
      // What the request had changed before the update stays, on top of what others have stored meanwhile.
      let before = this.#codec.encodeData(session)
      try {
        for (let attempts = 1; ; attempts++) {
          const result = await patiently(() => change(session), leave)
          const write = this.#write(exchange, session, this.#codec.encodeData(session), attempts)
          const lost = this.#written(await write.answer, write)
          if (lost === undefined) return result
          const current = await this.#latest(session, lost.current, attempts)
          before = this.#merge(exchange, session, before, current)
        }
      } catch (error) {
        this.#merger.replace(session, before)
        throw error
      }
    })
  }

  /** One compare-and-set. */
  #write(exchange: Exchange, session: Session, data: Uint8Array, attempts: number): Write {
    const origin = originOf(session)
    const { cookie } = session
    const originalMaxAge = lifetimeOf(cookie)
    const overrides = exchange.cookieTemplate().overrides(cookie)
    const expires = this.#expires(origin, cookie)
    const header = {
      created: origin.created,
      expires: cookie.expiresAt,
      originalMaxAge,
      extras: extrasOf(overrides, origin.until),
    }
    const record = encodeRecord(header, data)
    const key = this.#keyOf(exchange, session.id)
    const options = { expires, ifVersion: origin.version, owner: ownerOf(session) }
    return {
      answer: this.#records.write(key, record, options),
      exchange,
      session,
      data,
      key,
      expires,
      originalMaxAge,
      overrides,
      attempts,
      bytes: record.length,
    }
  }

  /** Answers what stands in the way, or undefined when the session is stored. */
  #written(answer: WriteResult, write: Write): Lost | undefined {
    const { exchange, key, attempts, bytes } = write
    if (!answer.ok) {
      if (answer.current !== undefined) this.#tell(conflictChannel, key, { attempts })
      return { current: answer.current }
    }
    const origin = originOf(write.session)
    origin.saved = write.data
    origin.version = answer.version
    origin.expires = write.expires
    origin.originalMaxAge = write.originalMaxAge
    origin.overrides = write.overrides
    exchange.resave = false
    this.#tell(commitChannel, key, { attempts, bytes })
    return undefined
  }

  /**
   * Puts what others have stored since under `mine`, this side's encoded data; the session becomes the two of them
   * merged. Answers its encoded data.
   */
  #merge(
    exchange: Exchange,
    session: Session,
    mine: Uint8Array,
    current: StoredRecord | undefined,
  ): Uint8Array {
    if (current === undefined) {
      throw new SessionError(
        'SESSION_GONE',
        'The session was destroyed or expired elsewhere; its changes are dropped.',
      )
    }
    const origin = originOf(session)
    const decoded = decodeRecord(current.payload)
    const theirs = decoded.kind === 'record' ? decoded.payload : this.#codec.encodeData(decoded.data)
    this.#merger.mergeInto(session, origin.saved ?? origin.original, mine, theirs)
    this.#mergeCookie(exchange, session, decoded.header)
    origin.version = current.version
    origin.saved = theirs
    origin.until = earlier(origin.until, untilOf(decoded.header.extras))
    return this.#codec.encodeData(session)
  }

  /** What others have made of the cookie holds, unless this request has changed it as well. */
  #mergeCookie(
    exchange: Exchange,
    session: Session,
    { expires, originalMaxAge, extras }: RecordHeader,
  ): void {
    const { cookie } = session
    const origin = originOf(session)
    const template = exchange.cookieTemplate()
    if (this.#hasChangedCookie(exchange, session)) return
    const theirs = template.copy()
    theirs.override((extras?.['cookie'] ?? {}) as CookieAttributes)
    cookie.override(theirs.overrides(cookie) ?? {})
    cookie.restore(expires, originalMaxAge)
    cookie.renew()
    origin.originalMaxAge = originalMaxAge
    origin.overrides = template.overrides(cookie)
  }

  /** What to merge with after a lost attempt: what was in its way, or, after many, what is there a little later. */
  #latest(
    session: Session,
    current: StoredRecord | undefined,
    attempts: number,
  ): MaybePromise<StoredRecord | undefined> {
    if (attempts < POLITE_FROM || current === undefined) return current
    if (attempts >= MAX_ATTEMPTS) {
      throw new SessionError(
        'SESSION_CONFLICT',
        `The session could not be stored: ${attempts} times, others were faster.`,
      )
    }
    const pause = new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_PAUSE))
    return pause.then(() => this.#records.read(this.#key(session.id)))
  }

  touch(exchange: Exchange, session: Session): MaybePromise<void> {
    if (this.#hasChangedCookie(exchange, session)) {
      const origin = originOf(session)
      return this.save(exchange, session, origin.saved ?? origin.original)
    }
    return this.#moveExpiry(exchange, session)
  }

  /** Whether a handler has changed what is stored of the cookie. */
  #hasChangedCookie(exchange: Exchange, session: Session): boolean {
    const { cookie } = session
    const { originalMaxAge, overrides } = originOf(session)
    return (
      lifetimeOf(cookie) !== originalMaxAge ||
      !equalOverrides(exchange.cookieTemplate().overrides(cookie), overrides)
    )
  }

  /** Moves the stored expiry to where it should be, unless it is near enough. */
  #moveExpiry(exchange: Exchange, session: Session): MaybePromise<void> {
    const origin = originOf(session)
    const { cookie } = session
    const expires = this.#expires(origin, cookie)
    if (Math.abs(expires - origin.expires) <= this.#lifetime.lag(this.#lifetime.idle(cookie)))
      return undefined
    origin.expires = expires
    this.#tellTouch(session)
    const key = this.#keyOf(exchange, session.id)
    return this.#records.touch(key, expires)
  }

  /** Where the stored expiry belongs, ms since the epoch. */
  #expires({ until }: Origin, cookie: Cookie): number {
    const expires = Date.now() + this.#lifetime.idle(cookie)
    return earlier(expires, until) as number
  }

  destroy(id: string, origin?: Origin): MaybePromise<void> {
    // A session that was never stored needs no deleting.
    if (origin !== undefined && origin.version === null) return undefined
    return this.#records.delete(this.#key(id))
  }

  retire(exchange: Exchange, session: Session, grace: number): MaybePromise<void> {
    const origin = originOf(session)
    if (origin.saved === undefined) return undefined
    origin.until = earlier(Date.now() + grace, origin.until)
    return this.save(exchange, session, origin.saved)
  }

  #tellTouch(session: Session): void {
    if (!touchChannel.hasSubscribers) return
    this.#tell(touchChannel, this.#key(session.id), { expires: originOf(session).expires })
  }

  #tell(channel: Channel, key: string, message: object): void {
    if (!channel.hasSubscribers) return
    const id = this.#kept.hashIds === false ? this.#engine.hashId(key) : key
    publish(channel, { id, store: this.#kept.name, ...message })
  }

  #key(id: string): string {
    return this.#kept.hashIds === false ? id : this.#engine.hashId(id)
  }

  /** The same, computed once for requests with the same cookie. */
  #keyOf({ known }: Exchange, id: string): string {
    if (known === undefined || known.id !== id) return this.#key(id)
    known.key ??= this.#key(id)
    return known.key
  }
}

function extrasOf(
  overrides: CookieAttributes | undefined,
  until: number | undefined,
): RecordHeader['extras'] {
  if (overrides === undefined && until === undefined) return null
  return { ...(overrides && { cookie: overrides }), ...(until !== undefined && { until }) }
}

/** The earlier of two times; undefined stands for never. */
function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a
}

function equalOverrides(a: CookieAttributes | undefined, b: CookieAttributes | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
