/** Any store that was made for express-session: its callbacks answered as values or promises. */
import type { MaybePromise } from './store.ts'

/** The part of express-session's store protocol that is used: callbacks, and the events of an EventEmitter. */
export interface ExpressStore {
  get(id: string, callback: (error: unknown, session?: unknown) => void): unknown
  set(id: string, session: object, callback?: (error?: unknown) => void): unknown
  destroy(id: string, callback?: (error?: unknown) => void): unknown
  touch?(id: string, session: object, callback?: (error?: unknown) => void): unknown
  on(event: string, listener: (...args: unknown[]) => void): unknown
}

/** The stored session; undefined when there is none, which some stores say with an ENOENT error. */
export function getSession(store: ExpressStore, id: string): MaybePromise<object | undefined> {
  return called<object | undefined>((done) =>
    store.get(id, (error, session) => {
      if ((error as NodeJS.ErrnoException | null)?.code === 'ENOENT') done()
      else done(error, (session as object) || undefined)
    }),
  )
}

export function setSession(store: ExpressStore, id: string, session: object): MaybePromise<void> {
  return called((done) => store.set(id, session, done))
}

export function touchSession(store: ExpressStore, id: string, session: object): MaybePromise<void> {
  return called((done) => store.touch?.(id, session, done))
}

export function destroySession(store: ExpressStore, id: string): MaybePromise<void> {
  return called((done) => store.destroy(id, done))
}

/** What a callback was told: at once when it was called at once, else a promise. It may be called only once. */
function called<T = void>(call: (done: (error?: unknown, value?: T) => void) => void): MaybePromise<T> {
  let settled = false
  let failed: unknown
  let result: T | undefined
  let resolve: ((value: T) => void) | undefined
  let reject: ((error: unknown) => void) | undefined
  call((error, value) => {
    if (settled) return
    settled = true
    failed = error
    result = value
    if (error) reject?.(error)
    else resolve?.(value as T)
  })
  if (settled) {
    if (failed) throw failed
    return result as T
  }
  return new Promise<T>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
}
