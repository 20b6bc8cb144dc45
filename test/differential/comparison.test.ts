/** Proves that the comparison can fail: each of these faults in a contender shows as a difference. */
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { compareContenders } from './agree.ts'
import { type Contender, express, type Middleware, type Options, type SessionRequest } from './contender.ts'
import { countVisits, OLD_SECRET, type Scenario } from './scenario.ts'

const visits: Scenario = {
  name: 'a visitor comes three times',
  options: { cookie: { maxAge: 60_000 } },
  handler: countVisits,
  steps: async (browser) => {
    await browser.visit()
    await browser.visit()
    await browser.visit('/', { cookie: 'connect.sid=s%3Aforged.forged' })
  },
}

const failingStore: Scenario = {
  ...visits,
  name: 'a store fails to read',
  steps: async (browser, { store }) => {
    await browser.visit()
    store.failing.get = new Error('cannot read')
    await browser.visit()
  },
}

/** express-session with a fault around it. */
function faulty(fault: (middleware: Middleware) => Middleware, options: Options = {}): Contender {
  return { ...express, middleware: (given) => fault(express.middleware({ ...given, ...options })) }
}

/** A fault in the headers, as they are about to be written. */
function withHeaders(fault: (res: ServerResponse) => void): Contender {
  return faulty((middleware) => (req, res, next) => {
    const { writeHead } = res
    // express-session wraps writeHead later and so runs before this.
    res.writeHead = ((...args: Parameters<typeof writeHead>) => {
      fault(res)
      return writeHead.apply(res, args)
    }) as typeof writeHead
    middleware(req, res, next)
  })
}

const cookies = (res: ServerResponse, change: (line: string) => string): void => {
  const lines = res.getHeader('Set-Cookie')
  if (Array.isArray(lines)) res.setHeader('Set-Cookie', lines.map(change))
}

const identity = (middleware: Middleware): Middleware => middleware

const faults: Record<string, { contender: Contender; at: RegExp; scenario?: Scenario }> = {
  'a missing Set-Cookie': {
    contender: withHeaders((res) => res.removeHeader('Set-Cookie')),
    at: /^responses\.0\.cookies\.0$/,
  },
  'one header more': {
    contender: withHeaders((res) => void res.setHeader('X-Powered-By', 'sessions')),
    at: /^responses\.0\.headers\.X-Powered-By$/,
  },
  'a cookie without HttpOnly': {
    contender: withHeaders((res) => cookies(res, (line) => line.replace('; HttpOnly', ''))),
    at: /^responses\.0\.cookies\.0\.HttpOnly$/,
  },
  'a cookie whose attributes come in another order': {
    contender: withHeaders((res) => cookies(res, (line) => line.replace(/(; Path=\/)(.*)/, '$2$1'))),
    at: /^responses\.0\.cookies\.0/,
  },
  'an expiry that is ten seconds off': {
    contender: faulty(identity, { cookie: { maxAge: 70_000, secure: false, sameSite: false } }),
    at: /^responses\.0\.cookies\.0\.Expires$/,
  },
  'a broken signature': {
    contender: withHeaders((res) => cookies(res, (line) => line.replace(/\.[^;]{4}/, '.AAAA'))),
    at: /^responses\.0\.cookies\.0\.cookie$/,
  },
  'the wrong secret': {
    contender: faulty(identity, { secret: OLD_SECRET }),
    at: /^responses\.0\.cookies\.0\.cookie$/,
  },
  'ids of another length': {
    contender: faulty(identity, { genid: () => Math.random().toString(36).slice(2) }),
    at: /^responses\.0\.cookies\.0\.cookie$/,
  },
  'one question too many to the store': {
    contender: faulty((middleware) => (req, res, next) => {
      const ask = (error?: unknown): void => {
        ;(req as SessionRequest).sessionStore.get('once more', () => next(error))
      }
      middleware(req, res, ask)
    }),
    at: /^asked$/,
  },
  'data that is stored otherwise': {
    contender: faulty((middleware) => (req, res, next) => {
      middleware(req, res, (error) => {
        Object.assign((req as SessionRequest).session, { stowaway: 1 })
        next(error)
      })
    }),
    at: /^data\.0\.stowaway$/,
  },
  'another status': {
    contender: faulty((middleware) => (req, res, next) => {
      res.statusCode = 203
      middleware(req, res, next)
    }),
    at: /^responses\.0\.status$/,
  },
  'a response that never comes': {
    contender: faulty(() => () => {}),
    at: /^responses\.0\.ending$/,
    scenario: { ...visits, hangsAt: '/', steps: async (browser) => void (await browser.visit()) },
  },
  'a connection that is cut': {
    contender: faulty(() => (req) => {
      req.socket.destroy()
    }),
    at: /^responses\.0\.ending$/,
  },
  'an accepted forgery': {
    contender: faulty((middleware) => (req, res, next) => {
      if (req.headers.cookie?.includes('forged'))
        Object.assign(req, { signedCookies: { 'connect.sid': 'forged' } })
      middleware(req, res, next)
    }),
    at: /^asked$/,
  },
  'a swallowed error': {
    contender: faulty(
      (middleware) => (req, res, next) => middleware(req, res, (error) => (error ? res.end() : next())),
    ),
    at: /^errors\.0$/,
    scenario: failingStore,
  },
}

describe('the comparison of two contenders', () => {
  it('finds nothing between express-session and itself', async () => {
    expect(await compareContenders(visits, express, express)).toEqual([])
    expect(await compareContenders(failingStore, express, express)).toEqual([])
  })

  it.each(Object.entries(faults))('finds %s', async (_fault, { contender, at, scenario = visits }) => {
    const found = await compareContenders(scenario, { ...express, patience: 10_000 }, contender)
    expect(found.map((difference) => difference.at)).toContainEqual(expect.stringMatching(at))
  })
})
