/** What a session holds, and what a request has of it: the types that users extend. */
import type { Cookie } from './cookie.ts'
import type { Session } from './session.ts'
import type { SessionStore } from './session-store.ts'
import type { ExpressStore } from './stores/express-store.ts'

/**
 * The data of a session. Declare your own fields by merging into it:
 *
 *     declare module 'fast-session' { interface SessionData { user?: string } }
 */
export interface SessionData {
  cookie: Cookie
}

/** Any store; those of this package can end the sessions of an owner, too. */
type RequestStore = ExpressStore & Partial<Pick<SessionStore, 'revoke' | 'revokeOwner' | 'sessionsOf'>>

declare global {
  namespace Express {
    interface Request {
      /** The session. After `destroy` it is undefined; the type says otherwise, as express-session's does. */
      session: Session & Partial<SessionData>
      /** The session's id. */
      sessionID: string
      /** The store that keeps it. */
      sessionStore: RequestStore
    }
  }
}
