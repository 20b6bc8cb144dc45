/** A scenario: an app with sessions, and the steps of its visitors. It says nothing of what should come out. */
import type { Application, Response } from 'express'
import type { Browser } from './browser.ts'
import type { Middleware, Options, SessionRequest } from './contender.ts'
import type { RecordingStore, StoreSetup } from './recording-store.ts'

export interface Scenario {
  readonly name: string
  /** Laid over the options that all scenarios share (`sharedOptions`). `cookie` objects are merged. */
  readonly options?: Options | ((world: World) => Options)
  /** Gives the middleware nothing but a store, a secret and these options, so that its defaults show. */
  readonly bare?: boolean
  readonly store?: StoreSetup
  /** What the app runs on; Express 5 by default. */
  readonly on?: Frame
  /** Serves HTTPS. */
  readonly tls?: boolean
  /** Answers every request behind the session middleware, or the paths that are listed. */
  readonly handler?: Handler | Readonly<Record<string, Handler>>
  /** Builds the app in place of `app.use(session); app.use(handler)`. For Express only. */
  readonly app?: (app: Application, world: World) => void
  /** What Express's error handler does in place of answering 500 with the error's message. */
  readonly onError?: (
    error: unknown,
    req: SessionRequest,
    res: Response,
    next: (error?: unknown) => void,
  ) => void
  readonly steps: (browser: Browser, world: World) => Promise<void>
  /** The visitor goes from one contender's app to the other's, with one store: run in both directions. */
  readonly relay?: boolean
  /** The path at which express-session never answers: nobody waits there longer than a contender is worth it. */
  readonly hangsAt?: string
}

export type Frame = 'express' | 'express4' | 'connect' | 'node'

export type Handler = (req: SessionRequest, res: Response, world: World & Next) => unknown

export interface Next {
  readonly next: (error?: unknown) => void
}

/** What a scenario can reach on the server's side. */
export interface World {
  readonly store: RecordingStore
  /** The session middleware under test, with the scenario's options and these on top. */
  session(options?: Options): Middleware
  /** Puts a value among what is compared. */
  note(label: string, value: unknown): void
  /** A store of the contender's own `Store` class, or of its MemoryStore. */
  readonly contender: { newStore(setup?: StoreSetup): RecordingStore; newMemoryStore(): Options['store'] }
}

export const SECRET = 'the differential suite signs with this one'
export const OLD_SECRET = 'the secret that was used before the rotation'
export const FOREIGN_SECRET = 'a secret that no app of this suite ever used'

/** Where fast-session's defaults differ on purpose, scenarios say explicitly what they mean. */
export const sharedOptions: Options = {
  secret: SECRET,
  resave: false,
  saveUninitialized: false,
  cookie: { secure: false, sameSite: false },
}

/** Answers with JSON and a Content-Length, the same way on every frame. */
export function reply(res: Response, value: unknown): void {
  const body = JSON.stringify(value) ?? ''
  res.setHeader('Content-Type', 'application/json')
  res.setHeader('Content-Length', Buffer.byteLength(body))
  res.end(body)
}

/** Counts visits in the session and answers with the count: the session that is changed by every request. */
export const countVisits: Handler = (req, res) => {
  const views = Number(req.session['views'] ?? 0) + 1
  req.session['views'] = views
  reply(res, { views })
}

/** Answers with what the session holds, changing nothing. */
export const showSession: Handler = (req, res) => reply(res, { session: req.session })

/** Answers without a look at the session. */
export const ignoreSession: Handler = (_req, res) => reply(res, 'hello')

/** Starts a session at /login and shows it everywhere else. */
export const loginOrShow: Handler = (req, res) => {
  if (req.url === '/login') req.session['user'] = 'ada'
  reply(res, { session: req.session })
}
