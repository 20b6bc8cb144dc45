/** What req.session looks like to code that looks closely. */
import { type Handler, reply, type Scenario } from '../scenario.ts'

const login: Handler = (req, res) => {
  Object.assign(req.session, { user: 'ada', n: 1 })
  reply(res, 'in')
}

/** The handler looks at a stored session and answers with what it finds. */
function looks(at: string, look: Handler, more: Partial<Scenario> = {}): Scenario {
  return {
    name: `req.session: ${at}`,
    handler: { '/login': login, '/': look },
    steps: async (browser) => {
      await browser.visit('/')
      await browser.visit('/login')
      await browser.visit('/')
    },
    ...more,
  }
}

const attempt = (action: () => unknown): unknown => {
  try {
    return action() ?? null
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}

export const sessionObject: Scenario[] = [
  looks('JSON.stringify', (req, res) => reply(res, JSON.parse(JSON.stringify(req.session)))),
  looks('Object.keys', (req, res) => reply(res, Object.keys(req.session))),
  looks('Object.entries', (req, res) =>
    reply(
      res,
      Object.entries(req.session).map(([name]) => name),
    ),
  ),
  looks('for-in', (req, res) => {
    const names: string[] = []
    for (const name in req.session) names.push(name)
    reply(res, names)
  }),
  looks('Object.getOwnPropertyNames', (req, res) =>
    reply(
      res,
      Object.getOwnPropertyNames(req.session)
        .filter((name) => !/^(save|reload)$/.test(name))
        .sort(),
    ),
  ),
  looks('a spread copy', (req, res) => reply(res, Object.keys({ ...req.session }))),
  looks('a structured copy of its data', (req, res) => {
    const { cookie: _, ...data } = req.session
    reply(res, structuredClone(data))
  }),
  looks('in and hasOwn', (req, res) => {
    const { session } = req
    reply(res, {
      user: 'user' in session,
      own: Object.hasOwn(session, 'user'),
      cookie: Object.hasOwn(session, 'cookie'),
      none: 'none' in session,
      method: 'destroy' in session,
      request: 'session' in req,
      id: 'sessionID' in req,
      store: 'sessionStore' in req,
    })
  }),
  looks('its methods are functions that are not enumerable', (req, res) => {
    const methods = ['save', 'reload', 'regenerate', 'destroy', 'touch', 'resetMaxAge']
    reply(
      res,
      methods.map((name) => [name, typeof req.session[name], Object.keys(req.session).includes(name)]),
    )
  }),
  looks('id and req are not enumerable and read-only', (req, res) => {
    reply(res, {
      req: req.session['req'] === req,
      id: typeof req.session.id,
      write: attempt(() => Object.assign(req.session, { id: 'other' })),
      writeReq: attempt(() => Object.assign(req.session, { req: 1 })),
      remove: attempt(() => delete (req.session as { id?: string }).id),
      still: req.session.id === req.sessionID,
    })
  }),
  looks('read twice it is the same object', (req, res) => {
    const { session } = req
    reply(res, session === req.session)
  }),
  looks('String() and typeof', (req, res) =>
    reply(res, { text: String(req.session), type: typeof req.session, name: req.session.constructor.name }),
  ),
  looks('a field named as a method', (req, res) => {
    Object.assign(req.session, { save: 'mine' })
    reply(res, { save: req.session.save })
  }),
  looks('a getter that a handler defines', (req, res) => {
    Object.defineProperty(req.session, 'double', {
      enumerable: true,
      configurable: true,
      get: () => Number(req.session['n'] ?? 0) * 2,
    })
    reply(res, req.session)
  }),
  looks('a field that is not enumerable is not stored', (req, res) => {
    Object.defineProperty(req.session, 'hidden', { enumerable: false, value: 1 })
    reply(res, req.session)
  }),
  looks('a symbol is not stored', (req, res) => {
    ;(req.session as unknown as Record<symbol, unknown>)[Symbol('mine')] = 1
    reply(res, req.session)
  }),
  looks('a frozen session', (req, res) => {
    Object.freeze(req.session)
    reply(
      res,
      attempt(() => Object.assign(req.session, { user: 'bob' })),
    )
  }),
  looks(
    'a circular reference is an error',
    (req, res) => {
      const circle: Record<string, unknown> = {}
      circle['self'] = circle
      req.session['circle'] = circle
      reply(res, 'never stored')
    },
    { hangsAt: '/' },
  ),
  looks(
    'a BigInt is an error',
    (req, res) => {
      req.session['big'] = 1n
      reply(res, 'never stored')
    },
    { hangsAt: '/' },
  ),
  looks(
    'a getter that throws is an error',
    (req, res) => {
      req.session['trap'] = {
        get sprung() {
          throw new Error('sprung')
        },
      }
      reply(res, 'never stored')
    },
    { hangsAt: '/' },
  ),
  looks('a Map and a Set are stored as JSON would', (req, res) => {
    Object.assign(req.session, { map: new Map([['a', 1]]), set: new Set([1]) })
    reply(res, req.session)
  }),
  looks('a Buffer is stored as JSON would', (req, res) => {
    req.session['bytes'] = Buffer.from('hi')
    reply(res, req.session)
  }),
  looks('an instance of a class is stored as JSON would', (req, res) => {
    class Money {
      amount = 5
      format(): string {
        return `${this.amount} EUR`
      }
    }
    req.session['price'] = new Money()
    reply(res, req.session)
  }),
  looks('req.sessionStore is the store', (req, res, { store }) => reply(res, req.sessionStore === store)),
  looks('what the request carries', (req, res) => {
    const carried = Object.keys(req).filter((name) => name.startsWith('session'))
    reply(res, { carried: carried.sort(), type: typeof req.sessionID })
  }),
]
