/** Stores that were written for express-session, published ones and the ways to write one, on both packages. */
import { EventEmitter } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inherits } from 'node:util'
import express from 'express'
import memorystore from 'memorystore'
import sessionFileStore from 'session-file-store'
import { afterAll, describe, expect, it } from 'vitest'
import {
  type BaseStore,
  type Contender,
  express as expressSession,
  fast,
  type SessionRequest,
  type StoreConstructor,
} from '../differential/contender.ts'
import { SECRET } from '../differential/scenario.ts'
import { serve, Visitor } from './visitor.ts'

const sessionOf = (req: unknown) => (req as SessionRequest).session

const folder = mkdtemp(join(tmpdir(), 'sessions-'))
afterAll(async () => rm(await folder, { recursive: true }))

type Callback = ((error?: unknown, session?: unknown) => void) | undefined

/** The three methods that every store has, over a Map. */
function mapStore(): object {
  const sessions = new Map<string, string>()
  return {
    get(sid: string, callback: Callback) {
      const text = sessions.get(sid)
      setImmediate(() => callback?.(null, text === undefined ? null : JSON.parse(text)))
    },
    set(sid: string, session: object, callback: Callback) {
      sessions.set(sid, JSON.stringify(session))
      setImmediate(() => callback?.())
    },
    destroy(sid: string, callback: Callback) {
      sessions.delete(sid)
      setImmediate(() => callback?.())
    },
  }
}

type Call = { call(self: unknown, options?: object): void; prototype: object }

const stores: Record<string, (contender: Contender) => unknown> = {
  memorystore: ({ session }) => new (memorystore(session))({}),
  'session-file-store': async ({ session }) =>
    new (sessionFileStore(session))({ path: await folder, logFn() {}, retries: 0, reapInterval: -1 }),
  'a class that extends Store': ({ Store }) => Object.assign(new (class extends Store {})(), mapStore()),
  'a function that inherits from Store': ({ Store }) => {
    function OldStore(this: object): void {
      ;(Store as unknown as Call).call(this)
      Object.assign(this, mapStore())
    }
    inherits(OldStore, Store)
    return new (OldStore as unknown as StoreConstructor)()
  },
  'a class that extends MemoryStore': ({ MemoryStore }) => new (class extends MemoryStore {})(),
}

describe.each([expressSession, fast])('$name', (contender) => {
  /** A visitor of an app with this store: / counts, /again regenerates, /out destroys. */
  async function visitorOf(store: unknown): Promise<Visitor> {
    const app = express()
    app.use(
      contender.middleware({
        secret: SECRET,
        resave: false,
        saveUninitialized: false,
        store: store as BaseStore,
        cookie: { maxAge: 60_000 },
      }),
    )
    app.get('/again', (req, res, next) => {
      sessionOf(req).regenerate((error) => (error ? next(error) : res.json('again')))
    })
    app.get('/out', (req, res, next) => {
      sessionOf(req).destroy((error) => (error ? next(error) : res.json('out')))
    })
    app.get('/reload', (req, res, next) => {
      sessionOf(req)['views'] = 99
      sessionOf(req).reload((error) => (error ? next(error) : res.json(sessionOf(req)['views'])))
    })
    app.get('/', (req, res) => {
      sessionOf(req)['views'] = Number(sessionOf(req)['views'] ?? 0) + 1
      res.json(sessionOf(req)['views'])
    })
    return new Visitor(await serve(app))
  }

  it.each(Object.entries(stores))('keeps sessions in %s', async (_name, makeStore) => {
    const visitor = await visitorOf(await makeStore(contender))
    const texts: string[] = []
    for (const path of ['/', '/', '/reload', '/', '/again', '/', '/', '/out', '/']) {
      texts.push((await visitor.get(path)).text)
    }
    expect(texts).toEqual(['1', '2', '2', '3', '"again"', '1', '2', '"out"', '1'])
  })

  it.each(Object.entries(stores))('makes %s an emitter of events', async (_name, makeStore) => {
    expect(await makeStore(contender)).toBeInstanceOf(EventEmitter)
    expect(await makeStore(contender)).toBeInstanceOf(contender.Store)
  })
})
