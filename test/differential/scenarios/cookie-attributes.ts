/** What the cookie says of itself: options, a function of the request, and changes for one session. */
import type { CookieOptions, SessionCookie, SessionRequest } from '../contender.ts'
import { countVisits, type Handler, loginOrShow, reply, type Scenario, showSession } from '../scenario.ts'

const MINUTE = 60_000

const attributes: Record<string, CookieOptions> = {
  'no options': {},
  domain: { domain: 'example.com' },
  'a domain with a dot in front': { domain: '.example.com' },
  'an empty domain': { domain: '' },
  'a path': { path: '/' },
  'an empty path': { path: '' },
  'httpOnly: false': { httpOnly: false },
  'sameSite: true': { sameSite: true },
  "sameSite: 'lax'": { sameSite: 'lax' },
  "sameSite: 'strict'": { sameSite: 'strict' },
  "sameSite: 'none'": { sameSite: 'none' },
  "sameSite: 'Lax', in capitals": { sameSite: 'Lax' as 'lax' },
  "priority 'High', in capitals": { priority: 'High' as 'high' },
  'priority low': { priority: 'low' },
  'priority medium': { priority: 'medium' },
  'priority high': { priority: 'high' },
  'partitioned: true': { partitioned: true },
  'partitioned: false': { partitioned: false },
  'maxAge of a year': { maxAge: 365 * 24 * 60 * MINUTE },
  'a fractional maxAge': { maxAge: 60_000.5 },
  'expires: null': { expires: null },
  'everything at once': {
    domain: 'example.com',
    path: '/',
    httpOnly: true,
    maxAge: MINUTE,
    sameSite: 'strict',
    priority: 'high',
    partitioned: true,
  },
}

/** A handler that changes the cookie of this one session at /change and shows it elsewhere. */
function changes(
  name: string,
  change: (cookie: SessionCookie) => void,
  cookie: CookieOptions = { maxAge: MINUTE },
): Scenario {
  return {
    name: `a handler sets ${name}`,
    options: { cookie },
    handler: {
      '/login': (req, res) => {
        req.session['user'] = 'ada'
        reply(res, 'in')
      },
      '/change': (req, res) => {
        req.session['changed'] = true
        change(req.session.cookie)
        reply(res, { cookie: req.session.cookie, maxAge: req.session.cookie.maxAge })
      },
      '/use': countVisits,
      '/show': showSession,
    },
    steps: async (browser) => {
      await browser.visit('/login')
      const kept = browser.cookie()
      await browser.visit('/change')
      await browser.visit('/show', { cookie: `connect.sid=${kept}` })
      await browser.visit('/use', { cookie: `connect.sid=${kept}` })
    },
  }
}

const inAnHour = (): Date => new Date(Date.now() + 60 * MINUTE)

const showCookie: Handler = (req, res) => {
  const { cookie } = req.session
  req.session['user'] = 'ada'
  reply(res, {
    json: cookie,
    data: cookie.data,
    maxAge: cookie.maxAge ?? null,
    originalMaxAge: cookie.originalMaxAge ?? null,
    expires: cookie.expires ?? null,
    isDate: cookie.expires instanceof Date,
    httpOnly: cookie.httpOnly ?? null,
    path: cookie.path ?? null,
    keys: Object.keys(cookie)
      .filter((name) => !name.startsWith('_') && cookie[name as keyof typeof cookie] !== undefined)
      .sort(),
    serialized: cookie.serialize('other', 'a value'),
  })
}

export const cookieAttributes: Scenario[] = [
  ...Object.entries(attributes).map(
    ([what, cookie]): Scenario => ({
      name: `cookie options: ${what}`,
      options: { cookie },
      handler: countVisits,
      steps: async (browser) => {
        await browser.visit()
        await browser.visit()
      },
    }),
  ),
  {
    name: 'what a handler can read from a session cookie',
    options: { cookie: { maxAge: MINUTE } },
    handler: showCookie,
    steps: async (browser) => {
      await browser.visit()
      await browser.visit()
    },
  },
  {
    name: 'what a handler can read from a session cookie that does not expire',
    handler: showCookie,
    steps: async (browser) => {
      await browser.visit()
      await browser.visit()
    },
  },
]

export const cookieFunction: Scenario[] = [
  {
    name: 'a cookie function decides by the request',
    options: {
      cookie: (req: SessionRequest) => ({
        sameSite: false,
        secure: false,
        path: '/',
        maxAge: req.headers['user-agent'] === 'kiosk' ? MINUTE : 60 * MINUTE,
      }),
    },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit('/', { headers: [['User-Agent', 'kiosk']] })
      await browser.another().visit('/', { headers: [['User-Agent', 'desktop']] })
      await browser.visit('/', { headers: [['User-Agent', 'desktop']] })
    },
  },
  {
    name: 'a cookie function gives the path of a mounted app',
    options: { cookie: () => ({ sameSite: false, secure: false, path: '/admin' }) },
    handler: (req, res) => reply(res, { session: typeof req.session }),
    steps: async (browser) => {
      await browser.visit('/admin/users')
      await browser.visit('/shop')
    },
  },
  {
    name: 'a cookie function is asked again when the session is regenerated',
    options: {
      cookie: (req: SessionRequest) => ({
        sameSite: false,
        secure: false,
        maxAge: req.url === '/regenerate' ? 60 * MINUTE : MINUTE,
      }),
    },
    handler: {
      '/login': (req, res) => {
        req.session['user'] = 'ada'
        reply(res, req.session.cookie)
      },
      '/regenerate': (req, res) => {
        req.session.regenerate(() => {
          req.session['user'] = 'bob'
          reply(res, req.session.cookie)
        })
      },
    },
    steps: async (browser) => {
      await browser.visit('/login')
      await browser.visit('/regenerate')
    },
  },
  {
    name: 'a cookie function that throws',
    options: {
      cookie: () => {
        throw new Error('no cookie today')
      },
    },
    handler: loginOrShow,
    steps: async (browser) => {
      await browser.visit('/login')
    },
  },
  {
    name: "a cookie function that says secure: 'auto', over plain HTTP",
    options: { cookie: () => ({ sameSite: false, secure: 'auto' }) },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
    },
  },
  {
    name: "a cookie function that says secure: 'auto', over HTTPS",
    tls: true,
    options: { cookie: () => ({ sameSite: false, secure: 'auto' }) },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
    },
  },
]

export const oneSessionsCookie: Scenario[] = [
  changes('maxAge to an hour', (cookie) => {
    cookie.maxAge = 60 * MINUTE
  }),
  changes('maxAge to null', (cookie) => {
    cookie.maxAge = null
  }),
  changes(
    'maxAge on a cookie that did not expire',
    (cookie) => {
      cookie.maxAge = 60 * MINUTE
    },
    {},
  ),
  changes('expires to false', (cookie) => {
    cookie.expires = false
  }),
  changes('expires to null', (cookie) => {
    cookie.expires = null
  }),
  changes('expires to a date', (cookie) => {
    cookie.expires = inAnHour()
  }),
  changes('expires to a date that is past', (cookie) => {
    cookie.expires = new Date(Date.now() - MINUTE)
  }),
  changes('originalMaxAge', (cookie) => {
    cookie.originalMaxAge = 60 * MINUTE
  }),
  changes('path', (cookie) => {
    cookie.path = '/use'
  }),
  changes('domain', (cookie) => {
    cookie.domain = 'example.com'
  }),
  changes('sameSite', (cookie) => {
    cookie.sameSite = 'strict'
  }),
  changes('httpOnly to false', (cookie) => {
    cookie.httpOnly = false
  }),
  changes('secure to true on plain HTTP', (cookie) => {
    cookie.secure = true
  }),
  changes("secure to 'auto'", (cookie) => {
    cookie.secure = 'auto'
  }),
  changes("sameSite to 'Strict', in capitals", (cookie) => {
    cookie.sameSite = 'Strict'
  }),
  changes('httpOnly and path to undefined', (cookie) => {
    cookie.httpOnly = undefined
    cookie.path = undefined
  }),
  changes('maxAge to 0', (cookie) => {
    cookie.maxAge = 0
  }),
  changes('a field of its own invention on the cookie', (cookie) => {
    Object.assign(cookie, { colour: 'brown' })
  }),
  changes('priority and partitioned', (cookie) => {
    cookie.priority = 'high'
    cookie.partitioned = true
  }),
  changes('a maxAge that is no number', (cookie) => {
    ;(cookie as { maxAge: unknown }).maxAge = 'an hour'
  }),
  changes('a domain that no cookie may have', (cookie) => {
    cookie.domain = 'example.com; Secure'
  }),
  changes('an unknown sameSite', (cookie) => {
    cookie.sameSite = 'sometimes'
  }),
  {
    name: 'a handler replaces the cookie by a plain object',
    options: { cookie: { maxAge: MINUTE } },
    handler: (req, res) => {
      req.session['user'] = 'ada'
      ;(req.session as { cookie: unknown }).cookie = { path: '/', maxAge: MINUTE }
      reply(res, 'replaced')
    },
    steps: async (browser) => {
      await browser.visit()
    },
  },
  {
    name: 'a longer maxAge for "remember me" holds through later visits',
    options: { cookie: { maxAge: MINUTE }, rolling: true },
    handler: {
      '/login': (req, res) => {
        req.session['user'] = 'ada'
        req.session.cookie.maxAge = 30 * 24 * 60 * MINUTE
        reply(res, 'remembered')
      },
      '/': showSession,
    },
    steps: async (browser) => {
      await browser.visit('/login')
      await browser.visit()
      await browser.visit()
    },
  },
]
