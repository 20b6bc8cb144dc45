/** Packages that tests use and that come without types: as much of them as the tests need. */
declare module 'express4' {
  import express from 'express'
  export default express
}

declare module 'cookie-parser' {
  import type { RequestHandler } from 'express'
  export default function cookieParser(secret?: string | string[]): RequestHandler
}

declare module 'connect-flash' {
  import type { RequestHandler } from 'express'
  export default function flash(): RequestHandler
}

declare module 'passport' {
  import type { Request, RequestHandler } from 'express'

  export interface Strategy {
    name: string
    authenticate(this: Strategy & StrategyActions, req: Request): void
  }

  export interface StrategyActions {
    success(user: unknown): void
    fail(challenge?: unknown): void
  }

  /** What passport puts onto a request. */
  export interface PassportRequest {
    user?: unknown
    isAuthenticated(): boolean
    login(user: unknown, done: (error?: unknown) => void): void
    login(user: unknown, options: object, done: (error?: unknown) => void): void
    logout(done: (error?: unknown) => void): void
    logout(options: object, done: (error?: unknown) => void): void
  }

  class Passport {
    use(strategy: Strategy): this
    serializeUser<User>(serialize: (user: User, done: (error: unknown, id: unknown) => void) => void): void
    deserializeUser<Id>(deserialize: (id: Id, done: (error: unknown, user: unknown) => void) => void): void
    authenticate(name: string, options?: object): RequestHandler
    initialize(): RequestHandler
    session(): RequestHandler
  }

  const passport: { Passport: typeof Passport }
  export default passport
}

declare module 'memorystore' {
  import type { EventEmitter } from 'node:events'
  export default function memorystore(session: unknown): new (options: object) => EventEmitter
}

declare module 'session-file-store' {
  import type { EventEmitter } from 'node:events'
  export default function sessionFileStore(session: unknown): new (options: object) => EventEmitter
}

declare module 'express-mysql-session' {
  /** `connection` is a Pool of mysql2/promise. */
  export default function mysqlSession(session: unknown): new (options: object, connection: unknown) => object
}
