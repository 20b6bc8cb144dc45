/** The two session middlewares behind one face, and the loose types that scenarios are written against. */
import './quiet.ts'
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import expressSession from 'express-session'
import fastSession from 'fast-session'

export interface Contender {
  readonly name: string
  /** The package's function as it is, for packages that are handed it. */
  readonly session: unknown
  readonly middleware: (options: Options) => Middleware
  readonly Store: StoreConstructor
  readonly MemoryStore: StoreConstructor
  /** How long a visitor waits where a scenario knows that express-session hangs, in ms. */
  readonly patience: number
}

export type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void

/** The options of express-session that scenarios set. */
export interface Options {
  secret?: string | string[] | undefined
  name?: string
  key?: string
  cookie?: CookieOptions | ((req: SessionRequest) => CookieOptions)
  genid?: (req: SessionRequest) => string
  proxy?: boolean | undefined
  resave?: boolean
  rolling?: boolean
  saveUninitialized?: boolean
  store?: BaseStore
  unset?: 'destroy' | 'keep'
}

export interface CookieOptions {
  domain?: string
  expires?: Date | null
  httpOnly?: boolean
  maxAge?: number | null
  partitioned?: boolean
  path?: string
  priority?: 'low' | 'medium' | 'high'
  sameSite?: boolean | 'lax' | 'strict' | 'none' | 'auto'
  secure?: boolean | 'auto'
}

export type StoreConstructor = new () => BaseStore

/** What express-session's stores have to offer. */
export interface BaseStore extends EventEmitter {
  get(sid: string, callback: (error?: unknown, session?: StoredSession | null) => void): void
  set(sid: string, session: unknown, callback?: (error?: unknown) => void): void
  destroy(sid: string, callback?: (error?: unknown) => void): void
  touch?(sid: string, session: unknown, callback?: (error?: unknown) => void): void
  load(sid: string, callback: (error?: unknown, session?: Session) => void): void
  regenerate(req: SessionRequest, callback: (error?: unknown) => void): void
  createSession(req: SessionRequest, session: StoredSession): Session
  generate(req: SessionRequest): void
}

export interface StoredSession {
  cookie: object
  [field: string]: unknown
}

export type SessionRequest = Omit<IncomingMessage, 'url'> & {
  url: string
  originalUrl?: string
  session: Session
  sessionID: string
  sessionStore: BaseStore
  secret?: string
  cookies?: Record<string, unknown>
  signedCookies?: Record<string, unknown>
}

export interface Session {
  readonly id: string
  cookie: SessionCookie
  save(callback?: Callback): unknown
  reload(callback: Callback): unknown
  regenerate(callback: Callback): unknown
  destroy(callback?: Callback): unknown
  touch(): unknown
  resetMaxAge(): unknown
  [field: string]: unknown
}

export interface SessionCookie {
  domain?: string | undefined
  expires: Date | null | undefined | false
  httpOnly: boolean | undefined
  maxAge: number | null | undefined
  originalMaxAge: number | null | undefined
  partitioned?: boolean | undefined
  path: string | undefined
  priority?: string | undefined
  sameSite?: boolean | string | undefined
  secure?: boolean | string | undefined
  readonly data: Record<string, unknown>
  serialize(name: string, value: string): string
  toJSON(): unknown
}

type Callback = (error?: unknown) => void

export const express = contender('express-session', expressSession, 300)
export const fast = contender('fast-session', fastSession, 10_000)

/** Either package's function is one structure to a scenario; the types differ in what each promises beyond it. */
function contender(name: string, session: unknown, patience: number): Contender {
  const { Store, MemoryStore } = session as Pick<Contender, 'Store' | 'MemoryStore'>
  return { name, session, middleware: session as Contender['middleware'], Store, MemoryStore, patience }
}
