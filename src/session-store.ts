/** A store as `req.sessionStore`: a record store behind express-session's protocol, for code that speaks it. */
import { answer, type Callback } from './callback.ts'
import type { Codec } from './codec/codec.ts'
import { decodeRecord, encodeRecord, type RecordHeader } from './codec/record.ts'
import { createCodec } from './codec/select.ts'
import { Cookie, type CookieAttributes, type CookieData, lifetimeOf, type StoredCookie } from './cookie.ts'
import { selectEngine } from './engine/select.ts'
import { Lifetime, untilOf } from './lifetime.ts'
import { andThen } from './maybe-promise.ts'
import { checkOwner, ownerOf } from './owner.ts'
import { Store } from './store.ts'
import { StoreCalls } from './store-calls.ts'
import type { ExpressStore } from './stores/express-store.ts'
import type { MaybePromise, RecordStore, StoredRecord } from './stores/store.ts'

/** A stored session as plain data. */
export interface StoredSession {
  cookie: CookieData
  [key: string]: unknown
}

/** A session as `sessionsOf` lists it. */
export interface OwnedSession {
  /** Names the session, for `revoke`. It is the SHA-256 of the session id, as base64url, and opens nothing. */
  readonly key: string
  /** When the session began. */
  readonly created: Date
  /** When it was used last, within the `touchAfter` option. */
  readonly lastSeen: Date
  /** What the application put into the session's field `label`, such as the name of the device. */
  readonly label: string | undefined
}

export class SessionStore extends Store {
  /** The store behind it. */
  readonly records: RecordStore
  /** How long sessions last, and how long a call may take; the middleware that uses the store says so. */
  lifetime = new Lifetime()
  calls: StoreCalls
  readonly #engine = selectEngine('auto')
  readonly #codec: Codec = createCodec(this.#engine.name)

  constructor(records: RecordStore) {
    super()
    this.records = records
    this.calls = new StoreCalls(records.name, 0)
  }

  /** The stored session of an id, undefined when there is none. */
  override get(id: string, callback: (error: unknown, session?: StoredSession | null) => void): void
  override get(id: string): Promise<StoredSession | undefined>
  override get(id: string, callback?: (error: unknown, session?: StoredSession | null) => void): unknown {
    return answer<StoredSession | undefined>(
      () => andThen(this.#read(this.#key(id)), (found) => found?.session),
      callback as Callback<StoredSession | undefined> | undefined,
    )
  }

  /** Stores a session, whatever is there. */
  override set(id: string, session: object, callback: Callback): void
  override set(id: string, session: object): Promise<void>
  override set(id: string, session: object, callback?: Callback): unknown {
    return answer(() => this.#overwrite(id, session), callback)
  }

  /** Deletes a session; one that is gone is no error. */
  override destroy(id: string, callback: Callback): void
  override destroy(id: string): Promise<void>
  override destroy(id: string, callback?: Callback): unknown {
    return answer(() => this.calls.make(() => this.records.delete(this.#key(id))), callback)
  }

  /** Moves the expiry to where the session's cookie has it. */
  touch(id: string, session: object, callback: Callback): void
  touch(id: string, session: object): Promise<void>
  touch(id: string, session: object, callback?: Callback): unknown {
    const expires = Date.now() + this.lifetime.idle(cookieOf(session))
    return answer(() => this.calls.make(() => this.records.touch(this.#key(id), expires)), callback)
  }

  /** All live sessions by their id; by its hash, in a store that keeps hashes. */
  all(callback: Callback<Record<string, StoredSession>>): void
  all(): Promise<Record<string, StoredSession>>
  all(callback?: Callback<Record<string, StoredSession>>): unknown {
    return answer(() => this.#all(), callback)
  }

  /** How many live sessions there are. */
  length(callback: Callback<number>): void
  length(): Promise<number>
  length(callback?: Callback<number>): unknown {
    return answer(() => this.#can('count'), callback)
  }

  /** Deletes all sessions. */
  clear(callback: Callback): void
  clear(): Promise<void>
  clear(callback?: Callback): unknown {
    return answer(() => this.#can('clear'), callback)
  }

  /**
   * Where an owner is signed in: the sessions whose field `owner` is this, the last used first. They are found by
   * index, without a walk through the store.
   */
  sessionsOf(owner: string | number, callback: Callback<OwnedSession[]>): void
  sessionsOf(owner: string | number): Promise<OwnedSession[]>
  sessionsOf(owner: string | number, callback?: Callback<OwnedSession[]>): unknown {
    return answer(() => this.#sessionsOf(owner), callback)
  }

  /**
   * Signs an owner out everywhere: ends all sessions of the owner, but for the one whose id (`req.sessionID`) is
   * `except`. Answers how many it ended. A request that is under way in one of them can't bring it back.
   */
  revokeOwner(owner: string | number, options?: { readonly except?: string | undefined }): Promise<number> {
    const except = options?.except === undefined ? undefined : this.#key(options.except)
    return answer<number>(
      () => this.calls.make(() => this.#can('deleteOwned', checkOwner(owner), except)),
      undefined,
    ) as Promise<number>
  }

  /** Ends one session of an owner, by the `key` that `sessionsOf` gave; false when the owner has no such session. */
  revoke(owner: string | number, key: string): Promise<boolean> {
    return answer<boolean>(() => this.#revoke(owner, key), undefined) as Promise<boolean>
  }

  /** Releases timers and what the store itself opened. */
  close(callback: Callback): void
  close(): Promise<void>
  close(callback?: Callback): unknown {
    return answer(() => this.records.close(), callback)
  }

  #can<M extends 'count' | 'clear' | 'list' | 'readOwned' | 'deleteOwned'>(
    method: M,
    ...args: Parameters<NonNullable<RecordStore[M]>>
  ): ReturnType<NonNullable<RecordStore[M]>> {
    const call = this.records[method] as ((...args: unknown[]) => unknown) | undefined
    if (call === undefined) throw new TypeError(`The ${this.records.name} store has no ${method}().`)
    return call.apply(this.records, args) as ReturnType<NonNullable<RecordStore[M]>>
  }

  async #sessionsOf(owner: unknown): Promise<OwnedSession[]> {
    const sessions: OwnedSession[] = []
    for (const { id, record } of await this.#owned(owner)) {
      const found = this.#decode(record)
      // One that was replaced by regenerate({ grace }) is the same sign-in once more.
      if (found === undefined || untilOf(found.header.extras) !== undefined) continue
      const { label } = found.session
      sessions.push({
        key: this.#publicKey(id),
        created: new Date(found.header.created),
        lastSeen: new Date(record.expires - this.lifetime.idle(found.header)),
        label: typeof label === 'string' ? label : undefined,
      })
    }
    return sessions.sort((a, b) => b.lastSeen.valueOf() - a.lastSeen.valueOf())
  }

  #owned(owner: unknown): ReturnType<NonNullable<RecordStore['readOwned']>> {
    return this.calls.make(() => this.#can('readOwned', checkOwner(owner)))
  }

  async #all(): Promise<Record<string, StoredSession>> {
    const sessions: Record<string, StoredSession> = Object.create(null)
    for (const key of await this.#can('list')) {
      const found = await this.#read(key)
      if (found !== undefined) sessions[key] = found.session
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
        originalMaxAge: lifetimeOf(cookie),
        extras: overrides === undefined ? null : { cookie: overrides },
      },
      this.#codec.encodeData(session),
    )
    const owner = ownerOf(session)
    const expires = Date.now() + this.lifetime.idle(cookie)
    const write = (ifVersion: string | number | bigint | null): MaybePromise<void> =>
      andThen(
        this.calls.make(() => this.records.write(key, payload, { expires, ifVersion, owner })),
        (result) => {
          if (!result.ok) return write(result.current?.version ?? null)
        },
      )
    return andThen(
      this.calls.make(() => this.records.read(key)),
      (record) => write(record?.version ?? null),
    )
  }

  #read(key: string): MaybePromise<Found | undefined> {
    return andThen(
      this.calls.make(() => this.records.read(key)),
      (record) => record && this.#decode(record),
    )
  }

  /** Undefined when the session is over although its record is still there. */
  #decode({ payload }: StoredRecord): Found | undefined {
    const decoded = decodeRecord(payload)
    const { header } = decoded
    if (this.lifetime.isOver(header)) return undefined
    const cookie = new Cookie()
    cookie.override((header.extras?.['cookie'] ?? {}) as CookieAttributes)
    cookie.restore(header.expires, header.originalMaxAge)
    const session: StoredSession = { cookie: cookie.toJSON() }
    if (decoded.kind === 'record') this.#codec.decodeInto(decoded.payload, session)
    else Object.assign(session, decoded.data)
    return { header, session }
  }

  async #revoke(owner: unknown, key: string): Promise<boolean> {
    const found = (await this.#owned(owner)).find(({ id }) => this.#publicKey(id) === key)
    if (found !== undefined) await this.calls.make(() => this.records.delete(found.id))
    return found !== undefined
  }

  /** What may be shown of a record's id: never the session id itself. */
  #publicKey(id: string): string {
    return this.records.hashIds === false ? this.#engine.hashId(id) : id
  }

  #key(id: string): string {
    return this.records.hashIds === false ? id : this.#engine.hashId(id)
  }
}

interface Found {
  readonly header: RecordHeader
  readonly session: StoredSession
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
  const { cookie: data } = session as { cookie?: Cookie | StoredCookie | null }
  if (data instanceof Cookie) return data
  if (typeof data !== 'object' || data === null) return new Cookie(data as undefined)
  const cookie = Cookie.stored(data)
  cookie.originalMaxAge ??= cookie.maxAge
  return cookie
}
