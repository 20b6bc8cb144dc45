/** Where the middleware stands: paths, mounted apps, several session middlewares, cookie-parser. */
import cookieParser from 'cookie-parser'
import { sign } from 'cookie-signature'
import express, { type RequestHandler } from 'express'
import type { SessionRequest } from '../contender.ts'
import { countVisits, type Handler, OLD_SECRET, reply, type Scenario, SECRET } from '../scenario.ts'

/** A scenario's handler as Express takes it. */
const handle =
  (handler: Handler): RequestHandler =>
  (req, res) => {
    handler(req as unknown as SessionRequest, res, {} as never)
  }

const count = handle(countVisits)
const presence = handle((req, res) =>
  reply(res, { session: typeof req.session, id: typeof req.sessionID, store: typeof req.sessionStore }),
)

const ID = 'abcdefghijklmnopqrstuvwxyz012345'
const STORED = { cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/' }, views: 1 }

export const paths: Scenario[] = [
  ...Object.entries({
    'the same path': ['/admin', '/admin'],
    'a path below': ['/admin', '/admin/users?x=1'],
    'another path': ['/admin', '/shop'],
    'a path that begins alike': ['/admin', '/administrator'],
    'the root': ['/admin', '/'],
    'a path with other capitals': ['/admin', '/ADMIN'],
    'a path with a query only': ['/', '/?a=/admin'],
    'an absolute URL': ['/admin', 'http://localhost/admin/x'],
    'a path that has to be percent-encoded': ['/caf%C3%A9', '/caf%C3%A9/menu'],
  }).map(
    ([what, [path, visited]]): Scenario => ({
      name: `cookie path ${path}: a request for ${what}`,
      app: (app, { session }) => {
        app.use(session({ cookie: { path: path! }, saveUninitialized: true }))
        app.use(presence)
      },
      steps: async (browser) => {
        await browser.visit(visited)
      },
    }),
  ),
  {
    name: 'a mounted session middleware sees the whole path',
    app: (app, { session }) => {
      app.use('/admin', session({ cookie: { path: '/admin' } }), count)
      app.use(presence)
    },
    steps: async (browser) => {
      await browser.visit('/admin/users')
      await browser.visit('/admin')
      await browser.visit('/')
    },
  },
  {
    name: 'a mounted sub-app has its session from the app above',
    app: (app, { session }) => {
      const shop = express()
      shop.use(count)
      app.use(session())
      app.use('/shop', shop)
    },
    steps: async (browser) => {
      await browser.visit('/shop/cart')
      await browser.visit('/shop')
    },
  },
  {
    name: 'a mounted sub-app has a session of its own',
    app: (app, { session }) => {
      const shop = express()
      shop.use(session({ name: 'shop.sid', cookie: { path: '/shop' } }), count)
      app.use('/shop', shop)
      app.use(presence)
    },
    steps: async (browser) => {
      await browser.visit('/shop/cart')
      await browser.visit('/shop/cart')
      await browser.visit('/')
    },
  },
  {
    name: 'a router below the session middleware',
    app: (app, { session }) => {
      const router = express.Router()
      router.use('/deep', count)
      app.use(session())
      app.use('/router', router)
    },
    steps: async (browser) => {
      await browser.visit('/router/deep/path')
      await browser.visit('/router/deep')
    },
  },
  {
    name: 'a request whose URL was rewritten is judged by the original one',
    app: (app, { session }) => {
      app.use((req, _res, next) => {
        req.url = '/rewritten'
        next()
      })
      app.use(session({ cookie: { path: '/admin' } }), presence)
    },
    steps: async (browser) => {
      await browser.visit('/admin')
      await browser.visit('/rewritten')
    },
  },
  {
    name: 'OPTIONS for all of the server',
    app: (app, { session }) => {
      app.use(session({ saveUninitialized: true }), presence)
    },
    steps: async (browser) => {
      await browser.visit('*', { method: 'OPTIONS' })
    },
  },
]

export const several: Scenario[] = [
  {
    name: 'the same middleware twice works once',
    app: (app, { session }) => {
      const middleware = session()
      app.use(middleware, middleware, count)
    },
    steps: async (browser) => {
      await browser.visit()
      await browser.visit()
    },
  },
  {
    name: 'two middlewares with different names: the first one has the session',
    app: (app, { session }) => {
      app.use(session({ name: 'first' }), session({ name: 'second' }), count)
    },
    steps: async (browser) => {
      await browser.visit()
      await browser.visit()
    },
  },
  {
    name: 'two middlewares with different names on different paths',
    app: (app, { session }) => {
      app.use('/shop', session({ name: 'shop.sid' }), count)
      app.use('/admin', session({ name: 'admin.sid', cookie: { maxAge: 60_000 } }), count)
    },
    steps: async (browser) => {
      await browser.visit('/shop')
      await browser.visit('/admin')
      await browser.visit('/shop')
      await browser.visit('/admin')
    },
  },
  {
    name: 'two middlewares with different names and stores, one after the other has been set aside',
    app: (app, { session, contender }) => {
      const other = contender.newStore()
      app.use(session({ name: 'first' }))
      app.use((req, _res, next) => {
        Object.assign(req.session, { first: true })
        Object.assign(req, { firstSession: req.session })
        ;(req as { session: unknown }).session = undefined
        next()
      })
      app.use(session({ name: 'second', store: other }), count)
    },
    steps: async (browser) => {
      await browser.visit()
      await browser.visit()
    },
  },
  {
    name: 'a session that somebody else put on the request is left alone',
    app: (app, { session }) => {
      app.use((req, _res, next) => {
        Object.assign(req, { session: { cookie: {}, mine: true } })
        next()
      })
      app.use(session({ saveUninitialized: true }))
      app.use((req, res) => reply(res, { session: req.session, id: typeof req.sessionID }))
    },
    steps: async (browser) => {
      await browser.visit()
    },
  },
  {
    name: 'two apps on one store',
    app: (app, { session }) => {
      const [shop, blog] = [express(), express()]
      shop.use(session(), count)
      blog.use(session(), count)
      app.use('/shop', shop)
      app.use('/blog', blog)
    },
    steps: async (browser) => {
      await browser.visit('/shop')
      await browser.visit('/blog')
      await browser.visit('/shop')
    },
  },
]

const encoded = (text: string): string => encodeURIComponent(text)

export const withCookieParser: Scenario[] = [
  {
    name: 'cookie-parser with the same secret in front',
    app: (app, { session }) => {
      app.use(cookieParser(SECRET), session(), count)
    },
    steps: async (browser) => {
      await browser.visit()
      await browser.visit()
    },
  },
  {
    name: 'cookie-parser with another secret in front',
    app: (app, { session }) => {
      app.use(cookieParser(OLD_SECRET), session(), count)
    },
    steps: async (browser) => {
      await browser.visit()
      await browser.visit()
    },
  },
  {
    name: 'cookie-parser behind',
    app: (app, { session }) => {
      app.use(session(), cookieParser(SECRET))
      app.use((req, res) => {
        Object.assign(req.session, { user: 'ada' })
        reply(res, { cookies: req.cookies, signed: req.signedCookies })
      })
    },
    steps: async (browser) => {
      await browser.visit()
      await browser.visit()
    },
  },
  {
    name: 'the secret comes from cookie-parser when none is given',
    app: (app, { session }) => {
      app.use(cookieParser(SECRET), session({ secret: undefined }), count)
    },
    steps: async (browser) => {
      await browser.visit()
      await browser.visit()
    },
  },
  {
    name: 'no secret anywhere is an error of the request',
    app: (app, { session }) => {
      app.use(session({ secret: undefined }), count)
    },
    steps: async (browser) => {
      await browser.visit()
    },
  },
  ...Object.entries({
    'req.signedCookies': (value: string) => ({ signedCookies: { 'connect.sid': value } }),
    'req.cookies, signed': (_value: string) => ({ cookies: { 'connect.sid': `s:${sign(ID, SECRET)}` } }),
    'req.cookies, signed by somebody else': (_value: string) => ({
      cookies: { 'connect.sid': `s:${sign(ID, 'x')}` },
    }),
    'req.cookies, unsigned': (value: string) => ({ cookies: { 'connect.sid': value } }),
    'req.signedCookies: false, as cookie-parser says tampered': (_value: string) => ({
      signedCookies: { 'connect.sid': false },
    }),
  }).map(
    ([where, cookies]): Scenario => ({
      name: `no Cookie header, and the id in ${where}`,
      app: (app, { session }) => {
        app.use((req, _res, next) => {
          Object.assign(req, cookies(ID))
          next()
        })
        app.use(session(), count)
      },
      steps: async (browser, { store }) => {
        store.plant(ID, STORED)
        await browser.visit()
      },
    }),
  ),
  {
    name: 'the Cookie header goes before req.signedCookies',
    app: (app, { session }) => {
      app.use((req, _res, next) => {
        Object.assign(req, { signedCookies: { 'connect.sid': 'another-id' } })
        next()
      })
      app.use(session(), count)
    },
    steps: async (browser, { store }) => {
      store.plant(ID, STORED)
      await browser.visit('/', { cookie: `connect.sid=${encoded(`s:${sign(ID, SECRET)}`)}` })
    },
  },
  {
    name: 'a bad Cookie header, and the id in req.signedCookies',
    app: (app, { session }) => {
      app.use((req, _res, next) => {
        Object.assign(req, { signedCookies: { 'connect.sid': ID } })
        next()
      })
      app.use(session(), count)
    },
    steps: async (browser, { store }) => {
      store.plant(ID, STORED)
      await browser.visit('/', { cookie: 'connect.sid=s:bad' })
    },
  },
]

export const interchange: Scenario[] = [
  {
    name: 'a session made by one package is used by the other',
    relay: true,
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
      browser.changeServer()
      await browser.visit()
      browser.changeServer()
      await browser.visit()
    },
  },
  {
    name: 'a session with an expiring cookie made by one package is used by the other',
    relay: true,
    options: { cookie: { maxAge: 60_000, sameSite: 'strict', priority: 'high' }, rolling: true },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
      browser.changeServer()
      await browser.visit()
      browser.changeServer()
      await browser.visit()
    },
  },
  {
    name: 'a session whose cookie a handler changed in one package keeps the change in the other',
    relay: true,
    options: { cookie: { maxAge: 60_000 }, rolling: true },
    handler: {
      '/login': (req, res) => {
        req.session['user'] = 'ada'
        req.session.cookie.maxAge = 3_600_000
        req.session.cookie.sameSite = 'strict'
        req.session.cookie.domain = 'example.com'
        reply(res, req.session)
      },
      '/': countVisits,
    },
    steps: async (browser) => {
      await browser.visit('/login')
      browser.changeServer()
      await browser.visit()
      browser.changeServer()
      await browser.visit()
    },
  },
  {
    name: 'a session of every kind of value goes from one package to the other',
    relay: true,
    handler: {
      '/fill': (req, res) => {
        Object.assign(req.session, {
          text: 'Grüße 👋',
          numbers: [0, -1, 1.5, 2 ** 40],
          flags: { yes: true, no: false, none: null },
          when: new Date('2024-02-29T00:00:00Z'),
          nested: { list: [{ deep: [[]] }] },
        })
        reply(res, 'full')
      },
      '/': countVisits,
    },
    steps: async (browser) => {
      await browser.visit('/fill')
      browser.changeServer()
      await browser.visit()
      browser.changeServer()
      await browser.visit()
    },
  },
  {
    name: 'a session that one package destroyed is gone for the other',
    relay: true,
    handler: {
      '/out': (req, res) => req.session.destroy(() => reply(res, 'out')),
      '/': countVisits,
    },
    steps: async (browser) => {
      await browser.visit()
      browser.changeServer()
      await browser.visit('/out')
      browser.changeServer()
      await browser.visit()
    },
  },
  {
    name: 'a session that one package regenerated is found by the other',
    relay: true,
    handler: {
      '/again': (req, res) => {
        req.session.regenerate(() => {
          req.session['user'] = 'bob'
          reply(res, req.session)
        })
      },
      '/': countVisits,
    },
    steps: async (browser) => {
      await browser.visit()
      browser.changeServer()
      await browser.visit('/again')
      browser.changeServer()
      await browser.visit()
    },
  },
  {
    name: 'a session signed with an old secret by one package is accepted by the other',
    relay: true,
    options: { secret: [SECRET, OLD_SECRET] },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
      const [, id = ''] = /s%3A([\w-]+)\./.exec(browser.cookie()) ?? []
      browser.changeServer()
      browser.keepCookie(encodeURIComponent(`s:${sign(id, OLD_SECRET)}`))
      await browser.visit()
    },
  },
]
