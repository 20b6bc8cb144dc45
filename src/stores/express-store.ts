/** Any store that was made for express-session. */

/** The part of express-session's store protocol that is used: callbacks, and the events of an EventEmitter. */
export interface ExpressStore {
  get(id: string, callback: (error: unknown, session?: unknown) => void): unknown
  set(id: string, session: object, callback?: (error?: unknown) => void): unknown
  destroy(id: string, callback?: (error?: unknown) => void): unknown
  touch?(id: string, session: object, callback?: (error?: unknown) => void): unknown
  on(event: string, listener: (...args: unknown[]) => void): unknown
}

/** Told what a store answers: an error, or a value. */
export type Done<T = void> = (error?: unknown, value?: T) => void

/** Asks for the stored session; undefined when there is none, which some stores say with an ENOENT error. */
export function getSession(store: ExpressStore, id: string, done: Done<object | undefined>): void {
  store.get(id, (error, session) => {
    if ((error as NodeJS.ErrnoException | null)?.code === 'ENOENT') done()
    else done(error, (session as object) || undefined)
  })
}
