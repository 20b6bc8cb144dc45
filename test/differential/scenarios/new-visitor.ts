/** Somebody comes for the first time. */
import { countVisits, ignoreSession, reply, type Scenario, showSession } from '../scenario.ts'

const visitTwice: Scenario['steps'] = async (browser) => {
  await browser.visit()
  await browser.visit()
}

export const newVisitor: Scenario[] = [
  { name: 'a new visitor whose session stays empty gets no cookie', handler: showSession, steps: visitTwice },
  {
    name: 'a new visitor whose session stays empty gets a cookie with saveUninitialized',
    options: { saveUninitialized: true },
    handler: showSession,
    steps: visitTwice,
  },
  {
    name: 'a handler that ignores the session leaves no trace of it',
    handler: ignoreSession,
    steps: visitTwice,
  },
  {
    name: 'a handler that ignores the session stores it with saveUninitialized',
    options: { saveUninitialized: true },
    handler: ignoreSession,
    steps: visitTwice,
  },
  ...(['express', 'express4', 'connect', 'node'] as const).map(
    (on): Scenario => ({
      name: `a new visitor is counted and found again, on ${on}`,
      on,
      handler: countVisits,
      steps: visitTwice,
    }),
  ),
  {
    name: 'a new visitor is counted and found again, over HTTPS',
    tls: true,
    handler: countVisits,
    steps: visitTwice,
  },
  {
    name: 'a field set and deleted again leaves a new session empty',
    handler: (req, res) => {
      req.session['draft'] = 1
      delete req.session['draft']
      reply(res, 'forgotten')
    },
    steps: visitTwice,
  },
  {
    name: 'a field set to undefined leaves a new session empty',
    handler: (req, res) => {
      req.session['draft'] = undefined
      reply(res, Object.keys(req.session))
    },
    steps: visitTwice,
  },
  {
    name: 'a new session of which only the cookie is changed counts as empty',
    handler: (req, res) => {
      req.session.cookie.maxAge = 60_000
      reply(res, 'longer')
    },
    steps: visitTwice,
  },
  {
    name: 'a session cookie with maxAge carries Expires',
    options: { cookie: { maxAge: 60_000 } },
    handler: countVisits,
    steps: visitTwice,
  },
  {
    name: 'the id of a new session is known before it is stored',
    handler: (req, res) => {
      reply(res, { id: req.session.id, same: req.session.id === req.sessionID, length: req.sessionID.length })
    },
    steps: visitTwice,
  },
  {
    name: 'every new visitor gets an id of its own',
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
      await browser.another().visit()
      await browser.visit()
    },
  },
  {
    name: 'other cookies mean nothing to the session',
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit('/', { cookie: 'theme=dark; lang=en; connect.sid2=s%3Aabc.def' })
    },
  },
  {
    name: 'what a handler sets after the response has ended is not stored',
    handler: (req, res) => {
      req.session['before'] = true
      reply(res, 'done')
      req.session['after'] = true
    },
    steps: visitTwice,
  },
  {
    name: 'a handler that answers after a while may change the session until then',
    handler: async (req, res) => {
      req.session['started'] = true
      await new Promise((resolve) => setTimeout(resolve, 10))
      req.session['finished'] = true
      reply(res, req.session)
    },
    steps: visitTwice,
  },
  {
    name: 'a request that is answered before the session middleware has no session',
    app: (app, { session }) => {
      app.use((req, res, next) => (req.url === '/health' ? reply(res, 'session' in req) : next()))
      app.use(session())
      app.use((req, res) => reply(res, 'session' in req))
    },
    steps: async (browser) => {
      await browser.visit('/health')
      await browser.visit('/')
    },
  },
  {
    name: 'nobody answers: the 404 of the framework carries no cookie',
    handler: (_req, _res, { next }) => next(),
    steps: visitTwice,
  },
  {
    name: 'a handler that fails after it changed the session still stores it',
    handler: (req, _res, { next }) => {
      req.session['tried'] = true
      next(new Error('no luck'))
    },
    steps: visitTwice,
  },
  {
    name: 'a handler that throws after it changed the session still stores it',
    handler: (req) => {
      req.session['tried'] = true
      throw new Error('no luck')
    },
    steps: visitTwice,
  },
  {
    name: 'a handler whose promise rejects after it changed the session still stores it',
    app: (app, { session }) => {
      app.use(session())
      app.use(async (req) => {
        Object.assign(req.session, { tried: true })
        throw new Error('no luck')
      })
    },
    steps: visitTwice,
  },
  {
    name: 'a custom name is the name of the cookie',
    options: { name: 'my.session' },
    handler: countVisits,
    steps: visitTwice,
  },
  {
    name: 'key is the old word for name',
    options: { key: 'my.key' },
    handler: countVisits,
    steps: visitTwice,
  },
  {
    name: 'name goes before key',
    options: { name: 'my.name', key: 'my.key' },
    handler: countVisits,
    steps: visitTwice,
  },
]
