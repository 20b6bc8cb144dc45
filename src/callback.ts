/** Methods that take a callback, and answer with a promise when called without one. */
import { attempt } from './maybe-promise.ts'
import type { MaybePromise } from './stores/store.ts'

/** A Node.js callback: the error, or null or undefined and the value. */
export type Callback<T = void> = (error?: unknown, value?: T) => void

/**
 * Runs `action` and tells `callback`, never before the caller has returned; without a callback the answer is a
 * promise. Nobody is made to await it: a rejection that nobody handles does not end the process.
 */
export function answer<T>(
  action: () => MaybePromise<T>,
  callback: Callback<T> | undefined,
): Promise<T> | undefined {
  if (typeof callback === 'function') {
    attempt(
      action,
      (value) => queueMicrotask(() => (value === undefined ? callback() : callback(null, value))),
      (error) => queueMicrotask(() => callback(error)),
    )
    return undefined
  }
  const promise = new Promise<T>((resolve, reject) => {
    attempt(action, resolve, reject)
  })
  promise.catch(() => {})
  return promise
}
