/** The wire form of a signed value, `value.signature`, which all engines share. */
import { SessionError } from '../errors.ts'

/** 32 bytes as base64 without padding. */
export const SIGNATURE_LENGTH = 43

export function disposedError(): SessionError {
  return new SessionError(
    'ERR_SESSION_ENGINE',
    'sign() was called after dispose(): make a new core for new signatures.',
  )
}
