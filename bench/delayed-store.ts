/**
 * An artificial store for the stock package and ours: a Map that answers in a later turn of the event loop, as a store
 * across a network does, and costs next to nothing itself. Once behind the protocol of express-session, with JSON
 * text, for either package; once behind the contract of this package's own stores, as Redis and PostgreSQL are.
 */
import type { Store } from 'express-session'
import type { RecordStore, StoredRecord } from 'fast-session'

type Callback<T = void> = (error: unknown, value?: T) => void

export function delayedStore(Base: typeof Store): Store {
  // The two packages' base classes have the same interface; each needs its own.
  abstract class DelayedStore extends Base {
    readonly #sessions = new Map<string, string>()

    override get(id: string, callback: Callback<never>): void {
      const text = this.#sessions.get(id)
      setImmediate(callback, null, text === undefined ? undefined : JSON.parse(text))
    }

    override set(id: string, session: object, callback?: Callback): void {
      this.#sessions.set(id, JSON.stringify(session))
      if (callback) setImmediate(callback, null)
    }

    override touch(_id: string, _session: object, callback?: () => void): void {
      if (callback) setImmediate(callback)
    }

    override destroy(id: string, callback?: Callback): void {
      this.#sessions.delete(id)
      if (callback) setImmediate(callback, null)
    }

    override clear(callback?: Callback): void {
      this.#sessions.clear()
      if (callback) setImmediate(callback, null)
    }
  }
  return new (DelayedStore as unknown as new () => Store)()
}

export function delayedRecords(): RecordStore {
  const records = new Map<string, StoredRecord>()
  let version = 0
  const later = <T>(answer: T) => new Promise<T>((resolve) => setImmediate(resolve, answer))
  const move = (id: string, expires: number) => {
    const record = records.get(id)
    if (record !== undefined) records.set(id, { ...record, expires })
  }
  return {
    name: 'delayed',
    read(id, touchTo) {
      if (touchTo !== undefined) move(id, touchTo)
      return later(records.get(id))
    },
    write(id, payload, { expires, ifVersion }) {
      const current = records.get(id)
      if ((current?.version ?? null) !== ifVersion) return later({ ok: false, current })
      version++
      records.set(id, { payload, version, expires })
      return later({ ok: true, version })
    },
    touch(id, expires) {
      move(id, expires)
      return later(undefined)
    },
    delete(id) {
      records.delete(id)
      return later(undefined)
    },
    clear() {
      records.clear()
      return later(undefined)
    },
    close: () => Promise.resolve(),
  }
}
