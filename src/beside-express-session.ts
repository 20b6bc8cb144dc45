/**
 * `req.session` and `req.sessionStore` for programs that @types/express-session is part of, too: the types of some
 * stores bring it along. It declares the same two members, and TypeScript wants one type for both declarations. So
 * they have express-session's types then, which get what this package adds.
 */
// biome-ignore-all lint/suspicious/noTsIgnore: without those types the names below can't be found, which is no mistake
import type { Callback } from './callback.ts'
import type { RegenerateOptions, Session } from './session.ts'
import type { SessionData } from './session-data.ts'
import type { SessionStore } from './session-store.ts'
import type { ExpressStore } from './stores/express-store.ts'

export type RequestSession<Data = RequestData> = (Beside extends true ? TheirSession : Session) &
  Partial<Data>

type RequestData = Beside extends true ? TheirData : SessionData

/** Any store; those of this package can end the sessions of an owner, too. */
export type RequestStore = Beside extends true
  ? TheirStore & { generate: (req: Express.Request) => void }
  : ExpressStore & Partial<Pick<SessionStore, 'revoke' | 'revokeOwner' | 'sessionsOf'>>

/** False where the name is an alias of this package, and where it means nothing: whatever is a key then. */
type Beside = 'SessionError' extends keyof Theirs ? false : true

/** @ts-ignore */
type Theirs = typeof import('express-session')
/** @ts-ignore */
type TheirSession = import('express-session').Session
/** @ts-ignore */
type TheirData = import('express-session').SessionData
/** @ts-ignore */
type TheirStore = import('express-session').Store

type AddedData = Beside extends true ? Omit<SessionData, 'cookie'> : object

/** @ts-ignore */
declare module 'express-session' {
  interface SessionData extends AddedData {}
  interface Session {
    save(): Promise<void>
    reload(): Promise<this>
    update<T>(change: (session: this) => T | Promise<T>): Promise<T>
    regenerate(options?: RegenerateOptions): Promise<this>
    regenerate(options: RegenerateOptions, callback: Callback): this
    destroy(): Promise<void>
  }
}
