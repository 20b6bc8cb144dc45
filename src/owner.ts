/** Whom a session belongs to, for signing out everywhere: its field `owner`. */
import { SessionError } from './errors.ts'

/** The owner of a session, as stores know it; undefined for nobody, and for what can't name an owner. */
export function ownerOf(session: object): string | undefined {
  return nameOf((session as { owner?: unknown }).owner)
}

/** An owner whose sessions are asked for. Throws SessionError (ERR_SESSION_OPTION) on what no session can belong to. */
export function checkOwner(owner: unknown): string {
  const name = nameOf(owner)
  if (name !== undefined) return name
  throw new SessionError(
    'ERR_SESSION_OPTION',
    `No session can belong to ${typeof owner === 'string' ? 'this owner' : `an owner of type ${typeof owner}`}: give a number or a string of 1 to 256 characters without control characters.`,
  )
}

/** Ids of databases are objects now and then; by their toJSON they are what the session is stored with. */
function nameOf(owner: unknown): string | undefined {
  if (typeof owner === 'string') return NAME.test(owner) && owner.isWellFormed() ? owner : undefined
  if (typeof owner === 'number' || typeof owner === 'bigint') return String(owner)
  const { toJSON } = (owner ?? {}) as { toJSON?: unknown }
  return typeof toJSON === 'function' ? nameOf(toJSON.call(owner)) : undefined
}

/** As RecordStore has it: no control characters, 256 UTF-16 units. */
const NAME = /^[^\p{Cc}]{1,256}$/u
