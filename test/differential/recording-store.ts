/** An express-session-protocol store in a Map that keeps a log of what it was asked, and can be late or fail. */
import type { BaseStore, StoreConstructor } from './contender.ts'

export interface StoreSetup {
  /** When the store calls back: within the call, by setImmediate (the default), or 15 ms later. */
  readonly answers?: 'at once' | 'soon' | 'late'
  /** Extends express-session's own Store class on both sides, as published stores do. */
  readonly madeForExpressSession?: boolean
  /** Leaves out the optional method `touch`. */
  readonly withoutTouch?: boolean
  /** Answers no session once its cookie has expired, as express-session's MemoryStore does. */
  readonly dropsExpired?: boolean
}

export type Method = 'get' | 'set' | 'destroy' | 'touch'

export interface Asked {
  readonly method: Method
  readonly sid: string
  /** What `set` and `touch` were handed, as JSON would keep it. */
  readonly data?: unknown
}

export interface RecordingStore extends BaseStore {
  readonly sessions: Map<string, string>
  readonly log: Asked[]
  /** Calls of these methods answer with this error. */
  failing: Partial<Record<Method, Error>>
  /** Calls of these methods throw this error instead of answering. */
  throwing: Partial<Record<Method, Error>>
  /** Keeps back the answers of a method until the function that it returns is called. */
  hold(method: Method): () => void
  /** Resolves once the method has been asked `times` times in all. */
  asked(method: Method, times?: number): Promise<void>
  /** Puts a session into the store, unlogged. */
  plant(sid: string, session: unknown): void
  /** Calls that the store hasn't answered yet. */
  readonly pending: number
}

type Callback = ((error?: unknown, session?: unknown) => void) | undefined

/** With `beside`, the store has the sessions and the log of that one: two processes with one database. */
export function recordingStore(
  Store: StoreConstructor,
  setup: StoreSetup = {},
  beside?: RecordingStore,
): RecordingStore {
  const sessions = beside?.sessions ?? new Map<string, string>()
  const log = beside?.log ?? []
  const held = new Map<Method, Array<() => void>>()
  const waiting: Array<() => void> = []
  let pending = 0

  const record = (asked: Asked): void => {
    log.push(asked)
    for (const wake of waiting.splice(0)) wake()
  }

  const answer = (method: Method, callback: Callback, result?: unknown): void => {
    if (store.throwing[method] !== undefined) throw store.throwing[method]
    const error = store.failing[method]
    pending++
    const call = (): void => {
      pending--
      if (error !== undefined) callback?.(error)
      else if (method === 'get') callback?.(null, result)
      else callback?.()
    }
    const kept = held.get(method)
    if (kept !== undefined) kept.push(call)
    else if (setup.answers === 'at once') call()
    else if (setup.answers === 'late') setTimeout(call, 15)
    else setImmediate(call)
  }

  const live = (sid: string): { cookie?: unknown } | undefined => {
    const text = sessions.get(sid)
    if (text === undefined) return undefined
    const session = JSON.parse(text) as { cookie?: { expires?: string | null } }
    const expires = session.cookie?.expires
    return setup.dropsExpired && expires && Date.parse(expires) <= Date.now() ? undefined : session
  }

  const store = Object.assign(new Store(), {
    sessions,
    log,
    failing: {},
    throwing: {},
    get(sid: string, callback: Callback) {
      record({ method: 'get', sid })
      answer('get', callback, live(sid))
    },
    set(sid: string, session: unknown, callback: Callback) {
      const text = JSON.stringify(session)
      record({ method: 'set', sid, data: JSON.parse(text) })
      if (store.failing.set === undefined) sessions.set(sid, text)
      answer('set', callback)
    },
    destroy(sid: string, callback: Callback) {
      record({ method: 'destroy', sid })
      if (store.failing.destroy === undefined) sessions.delete(sid)
      answer('destroy', callback)
    },
    touch(sid: string, session: { cookie?: unknown }, callback: Callback) {
      record({ method: 'touch', sid, data: JSON.parse(JSON.stringify(session)) })
      const current = live(sid)
      if (current !== undefined) {
        current.cookie = session.cookie
        sessions.set(sid, JSON.stringify(current))
      }
      answer('touch', callback)
    },
    hold(method: Method) {
      const kept: Array<() => void> = []
      held.set(method, kept)
      return () => {
        held.delete(method)
        for (const call of kept) call()
      }
    },
    async asked(method: Method, times = 1) {
      while (log.filter((asked) => asked.method === method).length < times) {
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
    plant(sid: string, session: unknown) {
      sessions.set(sid, JSON.stringify(session))
    },
  }) as unknown as RecordingStore
  Object.defineProperty(store, 'pending', { get: () => pending })
  if (setup.withoutTouch) delete (store as { touch?: unknown }).touch
  return store
}
