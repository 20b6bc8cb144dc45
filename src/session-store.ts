/** A store as `req.sessionStore`: a record store behind express-session's protocol, for code that speaks it. */
import { answer, type Callback } from './callback.ts'
import type { Codec } from './codec/codec.ts'
import { decodeRecord, encodeRecord } from './codec/record.ts'
import { createCodec } from './codec/select.ts'
import { Cookie, type CookieAttributes, type CookieData } from './cookie.ts'
import { selectEngine } from './engine/select.ts'
import { andThen } from './maybe-promise.ts'
import { lifetime } from './record-sessions.ts'
import { Store } from './store.ts'
import type { ExpressStore } from './stores/express-store.ts'
import type { MaybePromise, RecordStore } from './stores/store.ts'

/** A stored session as plain data. */
export interface StoredSession {
  cookie: CookieData
  [key: string]: unknown
}

export class SessionStore extends Store {
  /** The store behind it. */
  readonly records: RecordStore
  readonly #engine = selectEngine('auto')
  readonly #codec: Codec = createCodec(this.#engine.name)

  constructor(records: RecordStore) {
    super()
    this.records = records
  }

  /** The stored session of an id, undefined when there is none. */
  override get(id: string): Promise<StoredSession | undefined>
  override get(id: string, callback: (error: unknown, session?: StoredSession | null) => void): void
  override get(id: string, callback?: (error: unknown, session?: StoredSession | null) => void): unknown {
    return answer<StoredSession | undefined>(
      () => andThen(this.records.read(this.#key(id)), (record) => record && this.#decode(record.payload)),
      callback as Callback<StoredSession | undefined> | undefined,
    )
  }

  /** Stores a session, whatever is there. */
  override set(id: string, session: object): Promise<void>
  override set(id: string, session: object, callback: Callback): void
  override set(id: string, session: object, callback?: Callback): unknown {
    return answer(() => this.#overwrite(id, session), callback)
  }

  /** Deletes a session; one that is gone is no error. */
  override destroy(id: string): Promise<void>
  override destroy(id: string, callback: Callback): void
  override destroy(id: string, callback?: Callback): unknown {
    return answer(() => this.records.delete(this.#key(id)), callback)
  }

  /** Moves the expiry to where the session's cookie has it. */
  touch(id: string, session: object): Promise<void>
  touch(id: string, session: object, callback: Callback): void
  touch(id: string, session: object, callback?: Callback): unknown {
    const expires = Date.now() + lifetime(cookieOf(session))
    return answer(() => this.records.touch(this.#key(id), expires), callback)
  }

  /** All live sessions by their id; by its hash, in a store that keeps hashes. */
  all(): Promise<Record<string, StoredSession>>
  all(callback: Callback<Record<string, StoredSession>>): void
  all(callback?: Callback<Record<string, StoredSession>>): unknown {
    return answer(() => this.#all(), callback)
  }

  /** How many live sessions there are. */
  length(): Promise<number>
  length(callback: Callback<number>): void
  length(callback?: Callback<number>): unknown {
    return answer(() => this.#can('count'), callback)
  }

  /** Deletes all sessions. */
  clear(): Promise<void>
  clear(callback: Callback): void
  clear(callback?: Callback): unknown {
    return answer(() => this.#can('clear'), callback)
  }

  /** Releases timers and what the store itself opened. */
  close(): Promise<void>
  close(callback: Callback): void
  close(callback?: Callback): unknown {
    return answer(() => this.records.close(), callback)
  }

  #can<M extends 'count' | 'clear' | 'list'>(method: M): ReturnType<NonNullable<RecordStore[M]>> {
    const { records } = this
    if (records[method] === undefined) throw new TypeError(`The ${records.name} store has no ${method}().`)
    return records[method]() as ReturnType<NonNullable<RecordStore[M]>>
  }

  async #all(): Promise<Record<string, StoredSession>> {
    const sessions: Record<string, StoredSession> = Object.create(null)
    for (const key of await this.#can('list')) {
      const record = await this.records.read(key)
      if (record !== undefined) sessions[key] = this.#decode(record.payload)
    }
    return sessions
  }

  #overwrite(id: string, session: object): MaybePromise<void> {
    const cookie = cookieOf(session)
    const key = this.#key(id)
    const overrides = cookie.overrides(new Cookie())
    const payload = encodeRecord(
      {
        created: Date.now(),
        expires: cookie.expiresAt,
        originalMaxAge: cookie.originalMaxAge,
        extras: overrides === undefined ? null : { cookie: overrides },
      },
      this.#codec.encodeData(session),
    )
    const expires = Date.now() + lifetime(cookie)
    const write = (ifVersion: string | number | bigint | null): MaybePromise<void> =>
      andThen(this.records.write(key, payload, { expires, ifVersion }), (result) => {
        if (!result.ok) return write(result.current?.version ?? null)
      })
    return andThen(this.records.read(key), (record) => write(record?.version ?? null))
  }

  #decode(payload: Uint8Array): StoredSession {
    const decoded = decodeRecord(payload)
    const { header } = decoded
    const cookie = new Cookie()
    cookie.override((header.extras?.['cookie'] ?? {}) as CookieAttributes)
    cookie.restore(header.expires, header.originalMaxAge)
    const session: StoredSession = { cookie: cookie.toJSON() }
    if (decoded.kind === 'record') this.#codec.decodeInto(decoded.payload, session)
    else Object.assign(session, decoded.data)
    return session
  }

  #key(id: string): string {
    return this.records.hashIds === false ? id : this.#engine.hashId(id)
  }
}

/** The record store behind a store of ours, unless somebody has put other methods in the place of ours. */
export function recordsOf(store: ExpressStore): RecordStore | undefined {
  if (!(store instanceof SessionStore)) return undefined
  const ours = (['get', 'set', 'destroy', 'touch'] as const).every(
    (method) => store[method] === SessionStore.prototype[method],
  )
  return ours ? store.records : undefined
}

function cookieOf(session: object): Cookie {
  const { cookie } = session as { cookie?: unknown }
  return cookie instanceof Cookie ? cookie : new Cookie(cookie as CookieData)
}
