/** What has to be written when a response is about to leave: nothing, a touch, the session, or its end. */
import { Cookie } from './cookie.ts'
import { equalBytes } from './equal-bytes.ts'
import { isGone } from './errors.ts'
import { type Exchange, kExchange } from './exchange.ts'
import { isPromise } from './maybe-promise.ts'
import { originOf, type Session } from './session.ts'
import type { MaybePromise } from './stores/store.ts'

/**
 * Stores what the request did to its session. When it is done, `sessionCookie` knows whether a cookie goes out.
 * Called when the response's headers are due, and again at its end if those are two moments.
 */
export function commit(exchange: Exchange): MaybePromise<void> {
  if (exchange.pending !== undefined) return commitAfter(exchange.pending, exchange)
  const { persistence, options, eager } = exchange.setup
  if (!exchange.resolved && eager) resolveUnseen(exchange)
  if (!exchange.resolved || exchange.lost || exchange.gone) return
  const session = currentSession(exchange)
  const id = exchange.sessionID
  if (!session) {
    const unset = session === undefined || session === null
    if (!unset || options.unset !== 'destroy' || exchange.destroyed || typeof id !== 'string') return
    exchange.destroyed = true
    return persistence.destroy(id)
  }
  if (!exchange.touched) {
    exchange.touched = true
    session.touch()
  }
  const origin = originOf(session)
  const known = origin.saved ?? origin.original
  const changed = exchange.setup.codec.encodeDataIfChanged(session, known)
  const data = changed ?? known
  if (exchange.committed && changed === undefined) return
  exchange.committed = true
  const isNewId = exchange.cookieId !== id
  exchange.modified = exchange.originalId !== session.id || differs(data, known, origin.original)
  // A cookie can't carry any other id, so nobody could come back to this session.
  if (typeof id !== 'string') return
  if (exchange.refused !== undefined && equalBytes(data, exchange.refused)) return
  const isNew = isNewId && origin.saved === undefined
  const isToBeSaved =
    isNew && !options.saveUninitialized
      ? exchange.modified
      : changed !== undefined || origin.saved === undefined || exchange.resave
  if (!isToBeSaved && isNewId) return undefined
  try {
    const pending = isToBeSaved
      ? persistence.save(exchange, session, data)
      : persistence.touch(exchange, session)
    return isPromise(pending) ? orDrop(exchange, pending) : undefined
  } catch (error) {
    return drop(exchange, error)
  }
}

// Closures of their own functions: V8 makes what they hold at the start of a function, needed or not.

function commitAfter(pending: Promise<void>, exchange: Exchange): Promise<void> {
  return pending.then(() => commit(exchange))
}

function orDrop(exchange: Exchange, pending: Promise<void>): Promise<void> {
  return pending.catch((error) => drop(exchange, error))
}

/** Whether the data is another than the original, when it is known whether it is `known` itself. */
function differs(data: Uint8Array, known: Uint8Array, original: Uint8Array): boolean {
  return known === original ? data !== known : !equalBytes(data, original)
}

/** Lets the response go on without what was to be stored, where that is right; else passes the error on. */
function drop(exchange: Exchange, error: unknown): void {
  // A session that ended elsewhere is not brought back.
  exchange.gone = isGone(error)
  exchange.lost = !exchange.gone && exchange.setup.options.ifStoreFails === 'no-session'
  if (!exchange.gone && !exchange.lost) throw error
  exchange.report(error)
}

/** Some options need the session at the end of a request that never looked at it. */
function resolveUnseen(exchange: Exchange): void {
  const { resave, rolling, saveUninitialized } = exchange.setup.options
  if (!Object.hasOwn(exchange.req, 'session')) {
    // `delete req.session` without a look at it: the id is all that is needed.
    exchange.sessionID = exchange.readCookie()
    exchange.resolved = true
  } else if (saveUninitialized || ((resave || rolling) && exchange.readCookie() !== undefined)) {
    exchange.resolve()
  }
}

/** What `req.session` is now: handlers may have deleted it, or put an object of their own in its place. */
function currentSession(exchange: Exchange): Session | null | undefined {
  const { req } = exchange
  // Another session middleware may have taken the request over since.
  if (req[kExchange] === exchange) {
    if (!Object.hasOwn(req, 'session')) exchange.session = undefined
    else if (req.session !== exchange.session) exchange.assign(req.session)
  }
  const { session } = exchange
  if (!session) return session
  if (originOf(session) === undefined) exchange.adoptForeign(session)
  if (!(session.cookie instanceof Cookie)) session.cookie = new Cookie(session.cookie)
  return session
}
