/**
 * An artificial store for the stock package and ours: a Map of JSON text that answers in a later turn of the event
 * loop, as a store across a network does, and costs next to nothing itself.
 */
import type { Store } from 'express-session'

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
