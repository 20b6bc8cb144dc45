/** Sessions that end, and sessions that are kept going. */
import { sign } from 'cookie-signature'
import type { RawResponse } from '../raw-client.ts'
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
const MINUTE = 60_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** What a browser that forgets nothing would send back. */
function cookieOf({ headers }: RawResponse): string {
  const [, line = ''] = headers.find(([name]) => name === 'Set-Cookie') ?? []
  return line.split(';', 1)[0] ?? ''
}

const stored = (cookie: object): object => ({ cookie: { httpOnly: true, path: '/', ...cookie }, views: 1 })

/** A visitor comes with a valid cookie to a session whose stored cookie says this. */
function comesBackTo(what: string, cookie: object, handler: Handler, more: Partial<Scenario> = {}): Scenario {
  return {
    name: `a stored cookie ${what}`,
    handler,
    steps: async (browser, { store }) => {
      store.plant(ID, stored(cookie))
      await browser.visit('/', { cookie: sent })
    },
    ...more,
  }
}

const inAnHour = (): string => new Date(Date.now() + 60 * MINUTE).toISOString()
const anHourAgo = (): string => new Date(Date.now() - 60 * MINUTE).toISOString()

const loginThenReadTwice: Scenario['steps'] = async (browser) => {
  await browser.visit('/login')
  await browser.visit()
  await browser.visit()
}

export const expired: Scenario[] = [
  {
    name: 'a session that expired in the store is replaced by a new one',
    store: { dropsExpired: true },
    options: { cookie: { maxAge: 40 } },
    handler: countVisits,
    steps: async (browser) => {
      const cookie = cookieOf(await browser.visit())
      await pause(80)
      await browser.visit('/', { cookie })
    },
  },
  {
    name: 'a session that expired in the store and is not used leaves no trace',
    store: { dropsExpired: true },
    options: { cookie: { maxAge: 40 } },
    handler: loginOrShow,
    steps: async (browser) => {
      const cookie = cookieOf(await browser.visit('/login'))
      await pause(80)
      await browser.visit('/', { cookie })
    },
  },
  comesBackTo(
    'expired an hour ago, in a store that keeps such sessions',
    { expires: anHourAgo(), originalMaxAge: MINUTE },
    countVisits,
  ),
  comesBackTo('expires in an hour', { expires: inAnHour(), originalMaxAge: 60 * MINUTE }, countVisits),
  comesBackTo(
    'expires in an hour and the session is only read',
    { expires: inAnHour(), originalMaxAge: 60 * MINUTE },
    showSession,
  ),
  comesBackTo(
    'expires in an hour and says originalMaxAge: null',
    { expires: inAnHour(), originalMaxAge: null },
    countVisits,
  ),
  comesBackTo(
    'never expires though the option says that it should',
    { expires: null, originalMaxAge: null },
    countVisits,
    {
      options: { cookie: { maxAge: MINUTE } },
    },
  ),
  comesBackTo(
    'expires though the option says that it should not',
    { expires: inAnHour(), originalMaxAge: 60 * MINUTE },
    countVisits,
  ),
  comesBackTo('has neither expires nor originalMaxAge', {}, countVisits),
  comesBackTo('has an originalMaxAge and no expires', { originalMaxAge: MINUTE }, countVisits),
  comesBackTo('has an expires and no originalMaxAge', { expires: inAnHour() }, countVisits),
  comesBackTo('has expires: false', { expires: false, originalMaxAge: false }, countVisits),
  comesBackTo('has an expires that is no date', { expires: 'soon', originalMaxAge: MINUTE }, showSession),
  comesBackTo(
    'has attributes of its own',
    { expires: null, originalMaxAge: null, path: '/', domain: 'example.com', sameSite: 'strict' },
    countVisits,
  ),
  {
    name: 'a session cookie with maxAge 0 expires at once',
    options: { cookie: { maxAge: 0 } },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
      await browser.visit()
    },
  },
  {
    name: 'a session cookie with a negative maxAge expires at once',
    options: { cookie: { maxAge: -1000 } },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
    },
  },
  {
    name: 'a session cookie with maxAge null ends with the browser session',
    options: { cookie: { maxAge: null } },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
      await browser.visit()
    },
  },
  {
    name: 'a session cookie with a fixed expires carries it',
    options: { cookie: { expires: new Date(Date.now() + 30 * MINUTE) } },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
      await browser.visit()
    },
  },
]

export const rolling: Scenario[] = [
  {
    name: 'rolling sends the cookie with every response',
    options: { rolling: true, cookie: { maxAge: MINUTE } },
    handler: loginOrShow,
    steps: loginThenReadTwice,
  },
  {
    name: 'rolling sends the cookie with every response, also when it does not expire',
    options: { rolling: true },
    handler: loginOrShow,
    steps: loginThenReadTwice,
  },
  {
    name: 'rolling sends the cookie also when nobody looks at the session',
    options: { rolling: true, cookie: { maxAge: MINUTE } },
    handler: {
      '/login': (req, res) => {
        req.session['user'] = 'ada'
        reply(res, 'in')
      },
      '/': ignoreSession,
    },
    steps: loginThenReadTwice,
  },
  {
    name: 'rolling sends no cookie for a new session that stays empty',
    options: { rolling: true, cookie: { maxAge: MINUTE } },
    handler: showSession,
    steps: async (browser) => {
      await browser.visit()
      await browser.visit()
    },
  },
  {
    name: 'rolling sends the cookie for a new empty session with saveUninitialized',
    options: { rolling: true, saveUninitialized: true, cookie: { maxAge: MINUTE } },
    handler: showSession,
    steps: async (browser) => {
      await browser.visit()
      await browser.visit()
    },
  },
  {
    name: 'rolling with resave stores and sends every time',
    options: { rolling: true, resave: true, cookie: { maxAge: MINUTE } },
    handler: loginOrShow,
    steps: loginThenReadTwice,
  },
  {
    name: 'rolling with a store without touch sends the cookie and asks the store nothing more',
    store: { withoutTouch: true },
    options: { rolling: true, cookie: { maxAge: MINUTE } },
    handler: loginOrShow,
    steps: loginThenReadTwice,
  },
  {
    name: 'without rolling the cookie of a session that is only read is not renewed',
    options: { rolling: false, cookie: { maxAge: MINUTE } },
    handler: loginOrShow,
    steps: loginThenReadTwice,
  },
  {
    name: 'rolling sends nothing after the session is destroyed',
    options: { rolling: true, cookie: { maxAge: MINUTE } },
    handler: {
      '/login': (req, res) => {
        req.session['user'] = 'ada'
        reply(res, 'in')
      },
      '/': (req, res) => req.session.destroy(() => reply(res, 'out')),
    },
    steps: loginThenReadTwice,
  },
]
