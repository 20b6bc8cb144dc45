/** Somebody comes back with a cookie of ours. */
import { sign } from 'cookie-signature'
import {
  countVisits,
  type Handler,
  ignoreSession,
  reply,
  type Scenario,
  SECRET,
  showSession,
} from '../scenario.ts'

/** A handler that stores `initial` at /login and changes the session at / in some way. */
function change(
  initial: object,
  changing: (session: Record<string, unknown>) => void,
): Record<string, Handler> {
  return {
    '/login': (req, res) => {
      Object.assign(req.session, initial)
      reply(res, 'in')
    },
    '/': (req, res) => {
      changing(req.session)
      reply(res, req.session)
    },
  }
}

const comeBackTwice: Scenario['steps'] = async (browser) => {
  await browser.visit('/login')
  await browser.visit()
  await browser.visit()
}

const login: Handler = (req, res) => {
  req.session['user'] = 'ada'
  reply(res, 'in')
}

const user = { user: 'ada' }
const cart = { cart: { items: [{ sku: 'a', n: 1 }], note: 'x' } }

export const returningVisitor: Scenario[] = [
  {
    name: 'a session that is read is touched, not stored',
    handler: { '/login': login, '/': showSession },
    steps: comeBackTwice,
  },
  {
    name: 'a session that nobody looks at is touched, not stored',
    handler: { '/login': login, '/': ignoreSession },
    steps: comeBackTwice,
  },
  {
    name: 'a session with an expiring cookie is touched with the new expiry and the cookie stays as it is',
    options: { cookie: { maxAge: 60_000 } },
    handler: { '/login': login, '/': showSession },
    steps: comeBackTwice,
  },
  {
    name: 'a changed session with an expiring cookie is stored and the cookie is renewed',
    options: { cookie: { maxAge: 60_000 } },
    handler: countVisits,
    steps: comeBackTwice,
  },
  {
    name: 'a changed session with a cookie that does not expire is stored and the cookie is not sent again',
    handler: countVisits,
    steps: comeBackTwice,
  },
  {
    name: 'a store without touch is asked nothing when nothing changed',
    store: { withoutTouch: true },
    options: { cookie: { maxAge: 60_000 } },
    handler: { '/login': login, '/': showSession },
    steps: comeBackTwice,
  },
  {
    name: 'a session that the store does not have gets a new id',
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit('/', {
        cookie: `connect.sid=s:${sign('an-id-that-was-signed-but-is-gone', SECRET)}`,
      })
    },
  },
  {
    name: 'a session that the store does not have and nobody uses is not made anew',
    handler: showSession,
    steps: async (browser) => {
      await browser.visit('/', {
        cookie: `connect.sid=s:${sign('an-id-that-was-signed-but-is-gone', SECRET)}`,
      })
    },
  },
  {
    name: 'setting a field to the value that it has is no change',
    handler: change(user, (session) => Object.assign(session, user)),
    steps: comeBackTwice,
  },
  {
    name: 'a change that is taken back is no change',
    handler: change(user, (session) => {
      session['user'] = 'bob'
      session['more'] = 1
      session['user'] = 'ada'
      delete session['more']
    }),
    steps: comeBackTwice,
  },
  {
    name: 'a change deep inside is a change',
    handler: change(cart, (session) => {
      ;(session as typeof cart).cart.items[0]!.n++
    }),
    steps: comeBackTwice,
  },
  {
    name: 'a field named cookie deep inside is data like any other',
    handler: change({ jar: { cookie: { kind: 'oat', n: 0 } } }, (session) => {
      ;(session as { jar: { cookie: { n: number } } }).jar.cookie.n++
    }),
    steps: comeBackTwice,
  },
  {
    name: 'an item pushed onto an array is a change',
    handler: change({ seen: [] }, (session) => (session as { seen: string[] }).seen.push('x')),
    steps: comeBackTwice,
  },
  {
    name: 'a field that is deleted is a change',
    handler: change({ ...user, once: true }, (session) => delete session['once']),
    steps: comeBackTwice,
  },
  {
    name: 'a field that is set to undefined is gone at the next visit',
    handler: change({ ...user, once: true }, (session) => {
      session['once'] = undefined
    }),
    steps: comeBackTwice,
  },
  {
    name: 'fields in another order are a change',
    handler: change({ a: 1, b: 2 }, (session) => {
      const { a } = session
      delete session['a']
      session['a'] = a
    }),
    steps: comeBackTwice,
  },
  {
    name: 'values that JSON has no word for are stored as JSON would',
    handler: change(
      {
        nothing: undefined,
        call: () => 1,
        nan: Number.NaN,
        minusZero: -0,
        list: [undefined, () => 1],
        symbol: Symbol('x'),
      },
      () => {},
    ),
    steps: comeBackTwice,
  },
  {
    name: 'a Date comes back as a string from a store that keeps JSON',
    handler: change({ since: new Date('2024-02-29T12:00:00Z') }, (session) => {
      session['kind'] = typeof session['since']
    }),
    steps: comeBackTwice,
  },
  {
    name: 'an object with toJSON is stored as that says',
    handler: change({ secret: { toJSON: () => ({ masked: true }) } }, () => {}),
    steps: comeBackTwice,
  },
  {
    name: 'null, empty and nested values survive',
    handler: change(
      { none: null, empty: '', zero: 0, no: false, list: [], map: {}, deep: { a: [{ b: [null] }] } },
      () => {},
    ),
    steps: comeBackTwice,
  },
  {
    name: 'text beyond ASCII survives',
    handler: change({ text: 'Grüße, 世界 👋 \u2028 \u0000 "quoted" \\', ключ: 'значение' }, () => {}),
    steps: comeBackTwice,
  },
  {
    name: 'a big session survives',
    handler: change(
      { rows: Array.from({ length: 500 }, (_, n) => ({ n, text: `row number ${n}` })) },
      () => {},
    ),
    steps: comeBackTwice,
  },
  {
    name: 'numbers keep their exact value',
    handler: change(
      { numbers: [1.5, -1, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e21, 5e-324, 0.1 + 0.2] },
      () => {},
    ),
    steps: comeBackTwice,
  },
  {
    name: 'a field that looks like a prototype stays data',
    handler: {
      '/login': (req, res) => {
        req.session['profile'] = JSON.parse(
          '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}',
        )
        reply(res, 'in')
      },
      '/': (req, res) => reply(res, { session: req.session, polluted: 'admin' in {} }),
    },
    steps: comeBackTwice,
  },
  {
    name: 'a session that another process changed is read as it is now',
    handler: countVisits,
    steps: async (browser, { store }) => {
      await browser.visit()
      const [[sid, text] = ['', '']] = store.sessions
      store.plant(sid, { ...JSON.parse(text), views: 41 })
      await browser.visit()
    },
  },
  {
    name: 'two requests of one visitor overlap, and the one that ends last decides',
    handler: {
      '/login': login,
      '/slow': async (req, res, { store }) => {
        req.session['slow'] = true
        await store.asked('set', 2)
        reply(res, req.session)
      },
      '/quick': (req, res) => {
        req.session['quick'] = true
        reply(res, req.session)
      },
      '/': showSession,
    },
    steps: async (browser, { store }) => {
      await browser.visit('/login')
      const slow = await browser.open('/slow')
      await store.asked('get', 1)
      await browser.visit('/quick')
      await slow.response
      await browser.visit()
    },
  },
]
