/** What a session holds, and what a request has of it: the types that users extend. */
import type { RequestSession, RequestStore } from './beside-express-session.ts'
import type { fastSession } from './middleware.ts'

/**
 * The data of a session. Declare your own fields by merging into it:
 *
 *     declare module 'fast-session' { interface SessionData { user?: string } }
 */
export interface SessionData extends fastSession.SessionData {}

declare global {
  namespace Express {
    interface Request {
      /** The session. After `destroy` it is undefined; the type says otherwise, as express-session's does. */
      session: RequestSession
      /** The session's id. */
      sessionID: string
      /** The store that keeps it. */
      sessionStore: RequestStore
    }
  }
}
