/** Stores of every temper: quick, slow, failing, gone for a while, of other makes. */
import { sign } from 'cookie-signature'
import type { StoredSession } from '../contender.ts'
import type { Method } from '../recording-store.ts'
import {
  countVisits,
  type Handler,
  ignoreSession,
  loginOrShow,
  reply,
  type Scenario,
  SECRET,
  showSession,
} from '../scenario.ts'

const ID = 'abcdefghijklmnopqrstuvwxyz012345'
const sent = `connect.sid=s:${sign(ID, SECRET)}`
const login: Handler = (req, res) => {
  req.session['user'] = 'ada'
  reply(res, 'in')
}

const wholeStory: Record<string, Handler> = {
  '/login': login,
  '/count': countVisits,
  '/regenerate': (req, res) => {
    req.session.regenerate((error) => {
      req.session['user'] = 'bob'
      reply(res, { error, session: req.session })
    })
  },
  '/reload': (req, res) => {
    req.session.reload((error) => reply(res, { error, session: req.session }))
  },
  '/save': (req, res) => {
    req.session['saved'] = true
    req.session.save((error) => reply(res, { error, session: req.session }))
  },
  '/show': showSession,
  '/out': (req, res) => {
    req.session.destroy((error) => reply(res, { error, session: typeof req.session }))
  },
}

const tellWholeStory: Scenario['steps'] = async (browser) => {
  for (const path of [
    '/login',
    '/count',
    '/show',
    '/regenerate',
    '/count',
    '/reload',
    '/save',
    '/show',
    '/out',
    '/count',
  ]) {
    await browser.visit(path)
  }
}

const ownStore: Scenario['options'] = ({ contender }) => {
  const store = contender.newMemoryStore()
  return store === undefined ? {} : { store }
}

export const tempers: Scenario[] = [
  ...(['at once', 'soon', 'late'] as const).flatMap((answers): Scenario[] => [
    {
      name: `a whole story with a store that answers ${answers}`,
      store: { answers },
      handler: wholeStory,
      steps: tellWholeStory,
    },
    {
      name: `a whole story with expiring cookies and a store that answers ${answers}`,
      store: { answers },
      options: { cookie: { maxAge: 60_000 }, rolling: true },
      handler: wholeStory,
      steps: tellWholeStory,
    },
  ]),
  ...(['express4', 'connect', 'node'] as const).map(
    (on): Scenario => ({
      name: `a whole story on ${on}`,
      on,
      handler: wholeStory,
      steps: tellWholeStory,
    }),
  ),
  {
    name: "a whole story with a store that extends express-session's Store",
    store: { madeForExpressSession: true },
    handler: wholeStory,
    steps: tellWholeStory,
  },
  {
    name: "regenerate and generate through a store that extends express-session's Store",
    store: { madeForExpressSession: true },
    handler: {
      '/login': login,
      '/regenerate': (req, res) => {
        req.sessionStore.regenerate(req, (error) => {
          req.session['user'] = 'bob'
          reply(res, { error: error ?? null, session: req.session })
        })
      },
      '/generate': (req, res) => {
        req.sessionStore.generate(req)
        req.session['user'] = 'eve'
        reply(res, req.session)
      },
      '/show': showSession,
    },
    steps: async (browser) => {
      for (const path of ['/login', '/regenerate', '/show', '/generate', '/show']) await browser.visit(path)
    },
  },
  {
    name: 'createSession through the store, as some packages do to take a session over',
    handler: {
      '/login': login,
      '/take': (req, res) => {
        const session = req.sessionStore.createSession(req, { cookie: { path: '/' }, user: 'taken over' })
        reply(res, { same: session === req.session, session: req.session })
      },
      '/show': showSession,
    },
    steps: async (browser) => {
      for (const path of ['/login', '/take', '/show']) await browser.visit(path)
    },
  },
  {
    name: "a whole story with the package's own memory store",
    options: ownStore,
    handler: wholeStory,
    steps: tellWholeStory,
  },
]

/** What makes the middleware or the handler call each method of the store, for a visitor who is logged in. */
const causes: Record<string, { method: Method; handler: Handler }> = {
  'get, for a returning visitor': { method: 'get', handler: showSession },
  'set, for a changed session': { method: 'set', handler: countVisits },
  'touch, for a session that is read': { method: 'touch', handler: showSession },
  'destroy, for a session set to null': {
    method: 'destroy',
    handler: (req, res) => {
      ;(req as { session: unknown }).session = null
      reply(res, 'out')
    },
  },
}

/** What a handler learns when it asks `req.sessionStore` itself. */
const askStore: Handler = (req, res) => {
  const { sessionStore: store, sessionID } = req
  store.get(sessionID, (error, session) => {
    store.get('unknown', (otherError, other) => {
      reply(res, { error: error ?? null, session, otherError: otherError ?? null, other: other ?? null })
    })
  })
}

const seedOther: Handler = (req, res) => {
  const { sessionStore: store } = req
  store.set(
    'another-id',
    { cookie: { path: '/', originalMaxAge: null, expires: null }, user: 'eve' },
    (error) => {
      store.get('another-id', (_error, session) => {
        store.destroy('another-id', (destroyError) => {
          store.get('another-id', (_error, gone) => {
            reply(res, {
              error: error ?? null,
              session,
              destroyError: destroyError ?? null,
              gone: gone ?? null,
            })
          })
        })
      })
    },
  )
}

interface WholeStore {
  all(callback: (error: unknown, sessions: object) => void): void
  length(callback: (error: unknown, length: number) => void): void
  clear(callback: (error?: unknown) => void): void
}

const countStore: Handler = (req, res) => {
  const store = req.sessionStore as unknown as WholeStore
  store.all((_error, sessions) => {
    store.length((_error, length) => {
      store.clear(() => {
        store.length((_error, left) => reply(res, { sessions: Object.values(sessions), length, left }))
      })
    })
  })
}

export const askedDirectly: Scenario[] = [
  {
    name: 'a handler asks the store itself',
    handler: { '/login': login, '/': askStore, '/other': seedOther },
    steps: async (browser) => {
      for (const path of ['/login', '/', '/other']) await browser.visit(path)
    },
  },
  {
    name: "a handler asks the package's own memory store itself",
    options: ownStore,
    handler: { '/login': login, '/': askStore, '/other': seedOther },
    steps: async (browser) => {
      for (const path of ['/login', '/', '/other']) await browser.visit(path)
    },
  },
  {
    name: "a handler counts and clears the package's own memory store",
    options: ownStore,
    handler: { '/login': login, '/count': countStore },
    steps: async (browser) => {
      await browser.visit('/login')
      await browser.another().visit('/login')
      await browser.visit('/count')
    },
  },
]

export const failing: Scenario[] = [
  ...(['at once', 'soon', 'late'] as const).flatMap((answers) =>
    Object.entries(causes).map(
      ([cause, { method, handler }]): Scenario => ({
        name: `a store that fails, ${answers}, in ${cause}`,
        store: { answers },
        options: { unset: 'destroy' },
        handler: { '/login': login, '/': handler, '/show': showSession },
        steps: async (browser, { store }) => {
          await browser.visit('/login')
          store.failing[method] = Object.assign(new Error(`${method} went wrong`), { code: 'EDISK' })
          await browser.visit('/')
          store.failing = {}
          await browser.visit('/show')
        },
      }),
    ),
  ),
  ...Object.entries(causes).map(
    ([cause, { method, handler }]): Scenario => ({
      name: `a store that throws in ${cause}`,
      options: { unset: 'destroy' },
      handler: { '/login': login, '/': handler, '/show': showSession },
      hangsAt: '/',
      steps: async (browser, { store }) => {
        await browser.visit('/login')
        store.throwing[method] = new Error(`${method} threw`)
        await browser.visit('/')
        store.throwing = {}
        await browser.visit('/show')
      },
    }),
  ),
  {
    name: 'a store that fails to store a new session',
    handler: loginOrShow,
    steps: async (browser, { store }) => {
      store.failing.set = new Error('disk full')
      await browser.visit('/login')
    },
  },
  {
    name: 'a store that fails to store what a stream has already sent',
    handler: (req, res) => {
      req.session['n'] = 1
      res.write('first, ')
      res.end('last')
    },
    steps: async (browser, { store }) => {
      store.failing.set = new Error('disk full')
      await browser.visit()
    },
  },
  {
    name: 'a store that fails, and an error handler that renders a page of its own',
    handler: countVisits,
    onError: (_error, _req, res) => {
      if (!res.headersSent) res.status(503).set('Retry-After', '5').send('come back later')
    },
    steps: async (browser, { store }) => {
      store.failing.set = new Error('disk full')
      await browser.visit()
    },
  },
  {
    name: 'a store that fails to read with code ENOENT has no such session',
    handler: countVisits,
    steps: async (browser, { store }) => {
      store.failing.get = Object.assign(new Error('no such file'), { code: 'ENOENT' })
      await browser.visit('/', { cookie: sent })
    },
  },
  {
    name: 'a store that fails to read a session that is not used',
    handler: ignoreSession,
    steps: async (browser, { store }) => {
      store.failing.get = new Error('cannot read')
      await browser.visit('/', { cookie: sent })
    },
  },
  {
    name: 'a store that fails to read, and the app goes on without a session',
    handler: ignoreSession,
    onError: (_error, req, res) => reply(res, { session: typeof req.session, id: typeof req.sessionID }),
    steps: async (browser, { store }) => {
      store.failing.get = new Error('cannot read')
      await browser.visit('/', { cookie: sent })
    },
  },
]

/** The store answers a `get` with this. */
function answers(
  what: string,
  session: unknown,
  handler: Handler = countVisits,
  more: Partial<Scenario> = {},
): Scenario {
  return {
    name: `a store that answers ${what}`,
    handler,
    steps: async (browser, { store }) => {
      store.get = (_sid, callback) => setImmediate(() => callback(null, session as StoredSession | null))
      await browser.visit('/', { cookie: sent })
    },
    ...more,
  }
}

const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' }

export const oddAnswers: Scenario[] = [
  answers('null', null),
  answers('undefined', undefined),
  answers('false', false),
  answers('an empty string', ''),
  answers('a session without a cookie', { views: 1 }),
  answers('a session with cookie: null', { views: 1, cookie: null }),
  answers('a session whose cookie expires as a Date', {
    cookie: { ...cookie, originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000) },
    views: 1,
  }),
  answers('a session with an unknown attribute on its cookie', {
    cookie: { ...cookie, colour: 'brown' },
    views: 1,
  }),
  answers('a session with fields that are named as methods are', {
    cookie,
    views: 1,
    save: 'x',
    touch: 1,
    reload: null,
  }),
  answers('a session with fields id and req', { cookie, views: 1, id: 'other', req: 'mine' }, showSession),
  answers(
    'a session with a field toString',
    { cookie, views: 1, toString: 'text', hasOwnProperty: 1 },
    showSession,
  ),
  answers(
    'a session with an own field __proto__',
    JSON.parse(
      '{"cookie":{"path":"/","expires":null,"originalMaxAge":null},"views":1,"__proto__":{"admin":true}}',
    ),
    (req, res) =>
      reply(res, { admin: req.session['admin'] ?? null, polluted: 'admin' in {}, session: req.session }),
  ),
  answers(
    'a session that inherits fields',
    Object.assign(Object.create({ inherited: true }), { cookie, views: 1 }),
    (req, res) => reply(res, { inherited: req.session['inherited'] ?? null, keys: Object.keys(req.session) }),
  ),
  answers('the same object to everyone', { cookie, views: 1 }, countVisits, {
    steps: async (browser, { store }) => {
      const shared = { cookie: { ...cookie }, views: 1, list: [] }
      store.get = (_sid, callback) => callback(null, shared)
      await browser.visit('/', { cookie: sent })
      await browser.visit('/', { cookie: sent })
    },
  }),
]

export const connection: Scenario[] = [
  {
    name: 'a store that disconnects leaves requests without a session until it is back',
    handler: (req, res) => {
      if (req.session !== undefined) countVisits(req, res, {} as never)
      else reply(res, { session: 'session' in req, id: typeof req.sessionID, store: typeof req.sessionStore })
    },
    steps: async (browser, { store }) => {
      await browser.visit()
      store.emit('disconnect')
      await browser.visit()
      store.emit('connect')
      await browser.visit()
    },
  },
  {
    name: 'a store that disconnects and reconnects twice',
    handler: (req, res) => reply(res, { session: typeof req.session }),
    steps: async (browser, { store }) => {
      for (const event of ['connect', 'disconnect', 'disconnect', 'connect', 'disconnect']) {
        store.emit(event)
        await browser.visit()
      }
    },
  },
  {
    name: 'a store that disconnects while a request is under way still stores it',
    handler: (req, res, { store }) => {
      store.emit('disconnect')
      countVisits(req, res, {} as never)
    },
    steps: async (browser, { store }) => {
      await browser.visit()
      store.emit('connect')
      await browser.visit()
    },
  },
  {
    name: 'load through the store gives a session outside of any request',
    handler: countVisits,
    steps: async (browser, { store, note }) => {
      await browser.visit()
      const [[sid] = ['']] = store.sessions
      for (const wanted of [sid, 'unknown']) {
        await new Promise<void>((resolve) => {
          store.load(wanted, (error, session) => {
            note('loaded', { error: error ?? null, session: session ?? null, id: session?.id ?? null })
            resolve()
          })
        })
      }
    },
  },
  {
    name: 'what a store is handed is the session itself',
    handler: countVisits,
    options: { cookie: { maxAge: 60_000 } },
    steps: async (browser, { store, note }) => {
      const { set } = store
      store.set = (sid, session, callback) => {
        const { cookie, id } = session as {
          cookie: { maxAge: number; expires: unknown; originalMaxAge: number }
          id: unknown
        }
        note('session', {
          keys: Object.keys(session as object),
          id,
          maxAge: cookie.maxAge,
          original: cookie.originalMaxAge > 0,
        })
        note('expires', cookie.expires instanceof Date)
        set(sid, session, callback)
      }
      await browser.visit()
      await browser.visit()
    },
  },
  {
    name: 'what a store is handed to touch is the session itself',
    handler: loginOrShow,
    options: { cookie: { maxAge: 60_000 } },
    steps: async (browser, { store, note }) => {
      const { touch } = store
      store.touch = (sid, session, callback) => {
        const { cookie } = session as { cookie: { maxAge: number; expires: unknown; originalMaxAge: number } }
        note('session', {
          keys: Object.keys(session as object),
          maxAge: cookie.maxAge,
          isDate: cookie.expires instanceof Date,
        })
        touch?.(sid, session, callback)
      }
      await browser.visit('/login')
      await browser.visit()
    },
  },
  {
    name: 'a store that gains and loses touch while the app runs',
    handler: loginOrShow,
    steps: async (browser, { store }) => {
      await browser.visit('/login')
      await browser.visit()
      delete store.touch
      await browser.visit('/again')
    },
    hangsAt: '/again',
  },
]
