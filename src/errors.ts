/** The error that this package throws: a sentence that names what was wrong and the fix, under a stable `code`. */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  readonly code: SessionErrorCode

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Whether this error says that a session ended while a request was changing it. */
export function isGone(error: unknown): boolean {
  return error instanceof SessionError && error.code === 'SESSION_GONE'
}

/** Every code that an error or a process warning of this package can carry. */
export type SessionErrorCode =
  /** An option of the wrong type, out of range, or in conflict with another one. */
  | 'ERR_SESSION_OPTION'
  /** A signing secret shorter than 32 bytes. */
  | 'ERR_SESSION_WEAK_SECRET'
  /** A named engine that this runtime can't run. */
  | 'ERR_SESSION_ENGINE'
  /** A value that the codec can't encode. */
  | 'ERR_SESSION_ENCODE'
  /** Bytes that are no valid payload or record. */
  | 'ERR_SESSION_DECODE'
  /** The session was destroyed or expired elsewhere while this request changed it. */
  | 'SESSION_GONE'
  /** The compare-and-set of a commit lost against other writers more often than it may retry. */
  | 'SESSION_CONFLICT'
  /** A store that did not answer within its time limit. */
  | 'SESSION_STORE_TIMEOUT'
  /** A process warning: the client of a store reported an error, and the application listens to none of them. */
  | 'SESSION_STORE_ERROR'
