/** Runs a scenario on a contender over real HTTP and gives back, in comparable form, all that could be seen. */
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import connect from 'connect'
import express, { type Application, type NextFunction, type Request, type Response } from 'express'
import express4 from 'express4'
import { certificate } from '../ecosystem/certificate.ts'
import { Browser, type Server } from './browser.ts'
import {
  type Contender,
  express as expressSession,
  type Middleware,
  type Options,
  type SessionRequest,
} from './contender.ts'
import { Normalizer } from './normalize.ts'
import { type Asked, type RecordingStore, recordingStore } from './recording-store.ts'
import {
  FOREIGN_SECRET,
  OLD_SECRET,
  reply,
  type Scenario,
  SECRET,
  sharedOptions,
  type World,
} from './scenario.ts'

/** All that a scenario brought to light. Comparable: whatever differs from run to run has been given a name. */
export interface Outcome {
  readonly responses: unknown[]
  /** What the store was asked, in order: method and session. */
  readonly asked: string[]
  /** The data that came with each of these. */
  readonly data: unknown[]
  /** What reached the app's error handler. */
  readonly errors: unknown[]
  readonly notes: Record<string, unknown[]>
}

/** Runs on one contender; in a relay scenario, `other` runs the second server on the same store. */
export async function run(scenario: Scenario, home: Contender, other = home): Promise<Outcome> {
  const normalizer = new Normalizer([SECRET, OLD_SECRET, FOREIGN_SECRET])
  const stores: RecordingStore[] = []
  const outcome = { responses: [] as unknown[], errors: [] as unknown[], notes: {} as Outcome['notes'] }
  const listening: http.Server[] = []

  const start = async (contender: Contender): Promise<Server> => {
    const { Store } = scenario.store?.madeForExpressSession ? expressSession : contender
    const store = recordingStore(Store, scenario.store, stores[0])
    stores.push(store)
    const world: World = {
      store,
      session: (options) => contender.middleware(merged(scenario, world, options)),
      note(label, value) {
        outcome.notes[label] ??= []
        outcome.notes[label].push(normalizer.value(value))
      },
      contender: {
        newStore: (setup) => recordingStore(contender.Store, setup),
        newMemoryStore: () => new contender.MemoryStore(),
      },
    }
    const failed = (error: unknown): void => {
      outcome.errors.push(normalizer.error(error))
    }
    const listener = listenerOf(scenario, world, failed)
    const server = scenario.tls ? https.createServer(certificate, listener) : http.createServer(listener)
    listening.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    worlds.push(world)
    return { port: (server.address() as AddressInfo).port, tls: scenario.tls ?? false }
  }

  const worlds: World[] = []
  const servers: [Server, ...Server[]] = [await start(home)]
  if (scenario.relay) servers.push(await start(other))
  const patience = (path: string): number => (path === scenario.hangsAt ? home.patience : 10_000)
  const browser = new Browser(servers, patience, (response) => {
    outcome.responses.push(normalizer.response(response))
  })
  try {
    await scenario.steps(browser, worlds[0]!)
    await settle(stores)
  } finally {
    for (const server of listening) {
      server.closeAllConnections()
      server.close()
    }
  }
  const { log } = stores[0]!
  const asked = log.map(({ method, sid }: Asked) => `${method} ${normalizer.text(sid)}`)
  const data = log.map((call: Asked) => normalizer.value(call.data ?? null))
  return { ...outcome, asked, data }
}

/** Lets errors that were deferred past the response reach the error handler, and the store answer what is open. */
async function settle(stores: readonly RecordingStore[]): Promise<void> {
  for (let turns = 0; turns < 5 || (stores.some(({ pending }) => pending > 0) && turns < 50); turns++) {
    await turn()
    if (turns >= 5) await wait(2)
  }
}

function merged(scenario: Scenario, world: World, more: Options = {}): Options {
  const own = typeof scenario.options === 'function' ? scenario.options(world) : (scenario.options ?? {})
  if (scenario.bare) return { store: world.store, secret: SECRET, ...own, ...more }
  const options: Options = { store: world.store, ...sharedOptions, ...own, ...more }
  if (options.cookie && typeof options.cookie === 'object')
    options.cookie = { ...sharedOptions.cookie, ...options.cookie }
  return options
}

function listenerOf(
  scenario: Scenario,
  world: World,
  failed: (error: unknown) => void,
): http.RequestListener {
  const handle = (req: SessionRequest, res: Response, next: (error?: unknown) => void): void => {
    const { handler } = scenario
    const chosen =
      typeof handler === 'object' ? handler[new URL(req.url, 'http://localhost').pathname] : handler
    if (chosen === undefined) next()
    else chosen(req, res, { ...world, next })
  }
  const answerError = (
    error: unknown,
    req: SessionRequest,
    res: Response,
    next: (error?: unknown) => void,
  ): void => {
    failed(error)
    if (scenario.onError !== undefined) {
      scenario.onError(error, req, res, next)
    } else if (!res.headersSent) {
      res.statusCode = 500
      reply(res, { error: error instanceof Error ? error.message : String(error) })
    }
  }

  switch (scenario.on ?? 'express') {
    case 'express':
    case 'express4': {
      const app: Application = scenario.on === 'express4' ? express4() : express()
      app.disable('x-powered-by').disable('etag')
      if (scenario.app === undefined) {
        app.use(world.session())
        app.use((req, res, next) => handle(req as unknown as SessionRequest, res, next))
      } else {
        scenario.app(app, world)
      }
      app.use((error: unknown, req: Request, res: Response, next: NextFunction) =>
        answerError(error, req as unknown as SessionRequest, res, next),
      )
      return app
    }
    case 'connect': {
      const app = connect()
      app.use(world.session())
      app.use((req, res, next) => handle(req as SessionRequest, res as Response, next))
      app.use((error: unknown, req: unknown, res: unknown, next: unknown) =>
        answerError(error, req as SessionRequest, res as Response, next as () => void),
      )
      return app
    }
    case 'node': {
      const session: Middleware = world.session()
      return (req, res) => {
        const request = req as SessionRequest
        const response = res as Response
        const next = (error?: unknown): void => {
          if (error === undefined) handle(request, response, next)
          else answerError(error, request, response, () => {})
        }
        session(req, res, next)
      }
    }
  }
}
