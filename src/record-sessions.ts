/** Sessions in a record store: encoded by the codec, written by compare-and-set. */
import type { Codec } from './codec/codec.ts'
import { decodeRecord, encodeRecord, type RecordHeader } from './codec/record.ts'
import type { Cookie, CookieAttributes } from './cookie.ts'
import type { Engine } from './engine/engine.ts'
import { SessionError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { andThen } from './maybe-promise.ts'
import type { Persistence } from './persistence.ts'
import { copyData, type Origin, originOf, type Session, setOrigin } from './session.ts'
import type { MaybePromise, RecordStore, StoredRecord, WriteResult } from './stores/store.ts'

/** How long a session without `maxAge` is kept after its last use: as long as connect-redis keeps it. */
const BROWSER_SESSION_TTL = 24 * 60 * 60 * 1000

export class RecordSessions implements Persistence {
  readonly synchronous: boolean
  readonly #records: RecordStore
  readonly #codec: Codec
  readonly #engine: Engine

  constructor(records: RecordStore, codec: Codec, engine: Engine) {
    this.#records = records
    this.#codec = codec
    this.#engine = engine
    this.synchronous = records.synchronous === true
  }

  load(exchange: Exchange, id: string): MaybePromise<Session | undefined> {
    const cookie = exchange.newCookie()
    const record = this.#records.read(this.#key(id), Date.now() + lifetime(cookie))
    return andThen(record, (found) => found && this.#inflate(exchange, id, cookie, found))
  }

  #inflate(exchange: Exchange, id: string, cookie: Cookie, record: StoredRecord): Session {
    const decoded = decodeRecord(record.payload)
    const { header } = decoded
    const overrides = header.extras?.['cookie'] as CookieAttributes | undefined
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
    const raw = exchange.rawCookie()
    if (this.synchronous && raw !== undefined)
      exchange.setup.recentlySeen.add(raw, Date.now() + lag(lifetime(cookie)))
    setOrigin(session, {
      host: exchange,
      original: data,
      saved: data,
      version: record.version,
      expires: record.expires,
      created: Number.isNaN(header.created) ? Date.now() : header.created,
      originalMaxAge: header.originalMaxAge,
      overrides,
    })
    return session
  }

  save(exchange: Exchange, session: Session, data: Uint8Array): MaybePromise<void> {
    const origin = originOf(session)
    const { cookie } = session
    const overrides = cookie.overrides(exchange.newCookie())
    const header: RecordHeader = {
      created: origin.created,
      expires: cookie.expiresAt,
      originalMaxAge: cookie.originalMaxAge,
      extras: overrides === undefined ? null : { cookie: overrides },
    }
    const expires = Date.now() + lifetime(cookie)
    const result = this.#records.write(this.#key(session.id), encodeRecord(header, data), {
      expires,
      ifVersion: origin.version,
    })
    return andThen(result, (written: WriteResult) => {
      if (!written.ok) return this.#lost(written.current)
      origin.saved = data
      origin.version = written.version
      origin.expires = expires
      origin.originalMaxAge = cookie.originalMaxAge
      origin.overrides = overrides
      exchange.resave = false
    })
  }

  #lost(current: StoredRecord | undefined): never {
    if (current === undefined) {
      throw new SessionError(
        'SESSION_GONE',
        'The session was destroyed or expired elsewhere; its changes are dropped.',
      )
    }
    throw new SessionError('SESSION_CONFLICT', 'The session was changed elsewhere at the same time.')
  }

  touch(exchange: Exchange, session: Session): MaybePromise<void> {
    const origin = originOf(session)
    const { cookie } = session
    const overrides = cookie.overrides(exchange.newCookie())
    if (
      cookie.originalMaxAge !== origin.originalMaxAge ||
      JSON.stringify(overrides) !== JSON.stringify(origin.overrides)
    ) {
      return this.save(exchange, session, origin.saved as Uint8Array)
    }
    const ttl = lifetime(cookie)
    const expires = Date.now() + ttl
    if (Math.abs(expires - origin.expires) <= lag(ttl)) return
    origin.expires = expires
    return this.#records.touch(this.#key(session.id), expires)
  }

  destroy(id: string, origin?: Origin): MaybePromise<void> {
    // A session that was never stored needs no deleting.
    if (origin !== undefined && origin.version === null) return
    return this.#records.delete(this.#key(id))
  }

  #key(id: string): string {
    return this.#records.hashIds === false ? id : this.#engine.hashId(id)
  }
}

/** How far a stored expiry may lag behind, in ms, before it is moved: a tenth of the lifetime, at most a minute. */
function lag(lifetime: number): number {
  return Math.min(lifetime / 10, 60_000)
}

/** How long a session is kept after its last use, in ms. */
export function lifetime(cookie: Cookie): number {
  const { originalMaxAge } = cookie
  return typeof originalMaxAge === 'number' ? Math.round(originalMaxAge) : BROWSER_SESSION_TTL
}
