/** Going on with an answer that may be there already: without a turn of the event loop when it is. */
import type { MaybePromise } from './stores/store.ts'

/** Calls `onValue` with the answer, now or when it comes; a promise's rejection passes through, or to `onError`. */
export function andThen<T, R>(
  answer: MaybePromise<T>,
  onValue: (value: T) => MaybePromise<R>,
  onError?: (error: unknown) => MaybePromise<R>,
): MaybePromise<R> {
  return isPromise(answer) ? answer.then(onValue, onError) : onValue(answer)
}

/** Whether an answer is still to come. */
export function isPromise<T>(answer: MaybePromise<T>): answer is Promise<T> {
  return typeof answer === 'object' && answer !== null && typeof (answer as Promise<T>).then === 'function'
}

/** Runs `action`, so that what it throws at once and what it rejects with later reach the same `onError`. */
export function attempt<T, R>(
  action: () => MaybePromise<T>,
  onValue: (value: T) => MaybePromise<R>,
  onError: (error: unknown) => MaybePromise<R>,
): MaybePromise<R> {
  let answer: MaybePromise<T>
  try {
    answer = action()
  } catch (error) {
    return onError(error)
  }
  return andThen(answer, onValue, onError)
}
