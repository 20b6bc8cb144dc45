/** Secrets, and when a cookie is called Secure. */
import { sign } from 'cookie-signature'
import type { CookieOptions, Options } from '../contender.ts'
import { countVisits, FOREIGN_SECRET, OLD_SECRET, reply, type Scenario, SECRET } from '../scenario.ts'

const ID = 'abcdefghijklmnopqrstuvwxyz012345'
const STORED = { cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/' }, views: 1 }

/** A visitor comes with a cookie that `signedWith` signed to an app that has these secrets. */
function rotation(name: string, secret: string | string[], signedWith: string): Scenario {
  return {
    name,
    options: { secret, cookie: { maxAge: 60_000 } },
    handler: countVisits,
    steps: async (browser, { store }) => {
      store.plant(ID, STORED)
      browser.keepCookie(encodeURIComponent(`s:${sign(ID, signedWith)}`))
      await browser.visit()
      await browser.visit()
    },
  }
}

export const secrets: Scenario[] = [
  rotation('a cookie signed with the only secret of a list', [SECRET], SECRET),
  rotation('a cookie signed with the new secret', [SECRET, OLD_SECRET], SECRET),
  rotation(
    'a cookie signed with the old secret is accepted and renewed with the new one',
    [SECRET, OLD_SECRET],
    OLD_SECRET,
  ),
  rotation(
    'a cookie signed with the third secret is accepted',
    [SECRET, OLD_SECRET, FOREIGN_SECRET],
    FOREIGN_SECRET,
  ),
  rotation('a cookie signed with a secret that was taken off the list', [SECRET], OLD_SECRET),
  {
    name: 'a session that is only read keeps the cookie that the old secret signed',
    options: { secret: [SECRET, OLD_SECRET] },
    handler: (req, res) => reply(res, req.session),
    steps: async (browser, { store }) => {
      store.plant(ID, STORED)
      await browser.visit('/', { cookie: `connect.sid=s:${sign(ID, OLD_SECRET)}` })
    },
  },
  {
    name: 'rolling renews the cookie with the new secret',
    options: { secret: [SECRET, OLD_SECRET], rolling: true },
    handler: (req, res) => reply(res, req.session),
    steps: async (browser, { store }) => {
      store.plant(ID, STORED)
      await browser.visit('/', { cookie: `connect.sid=s:${sign(ID, OLD_SECRET)}` })
    },
  },
  {
    name: 'the secrets change while the visitor is away',
    app: (app, { session }) => {
      const [before, after] = [
        session({ secret: OLD_SECRET }),
        session({ secret: [SECRET, OLD_SECRET], rolling: true }),
      ]
      app.use((req, res, next) => (req.url === '/before' ? before : after)(req, res, next))
      app.use((req, res) => countVisits(req as never, res, {} as never))
    },
    steps: async (browser) => {
      await browser.visit('/before')
      await browser.visit('/after')
      await browser.visit('/after')
      await browser.visit('/before')
    },
  },
]

type Headers = ReadonlyArray<readonly [string, string]>

const HTTPS: Headers = [['X-Forwarded-Proto', 'https']]

/** A visitor comes twice by way of a proxy that says this, to an app that trusts it or doesn't. */
function proxied(
  name: string,
  options: { proxy?: boolean; cookie?: CookieOptions },
  headers: Headers,
  trust?: boolean,
  on: 'express' | 'express4' = 'express',
): Scenario {
  return {
    name,
    on,
    app: (app, { session }) => {
      if (trust !== undefined) app.set('trust proxy', trust)
      app.use(session(options))
      app.use((req, res) => countVisits(req as never, res, {} as never))
    },
    steps: async (browser) => {
      await browser.visit('/', { headers })
      await browser.visit('/', { headers })
    },
  }
}

const SECURE: CookieOptions = { secure: true }
const AUTO: CookieOptions = { secure: 'auto' }
const SITE: CookieOptions = { sameSite: 'auto' }
const BOTH: CookieOptions = { secure: 'auto', sameSite: 'auto', maxAge: 60_000 }

const kinds: Array<[what: string, cookie: CookieOptions]> = [
  ['secure: true', SECURE],
  ["secure: 'auto'", AUTO],
  ["sameSite: 'auto'", SITE],
  ["secure and sameSite 'auto'", BOTH],
]

export const secure: Scenario[] = [
  ...kinds.flatMap(([what, cookie]) => [
    proxied(`${what} over plain HTTP`, { cookie }, []),
    proxied(`${what} behind a proxy that proxy: true trusts`, { proxy: true, cookie }, HTTPS),
    proxied(`${what} behind a proxy that Express trusts`, { cookie }, HTTPS, true),
    proxied(`${what} behind a proxy that nobody trusts`, { cookie }, HTTPS),
    proxied(
      `${what} behind a proxy that Express trusts and proxy: false does not`,
      { proxy: false, cookie },
      HTTPS,
      true,
    ),
    {
      name: `${what} over HTTPS`,
      tls: true,
      options: { cookie },
      handler: countVisits,
      steps: async (browser) => {
        await browser.visit()
        await browser.visit()
      },
    } satisfies Scenario,
  ]),
  proxied('secure: true behind a proxy that Express 4 trusts', { cookie: SECURE }, HTTPS, true, 'express4'),
  ...Object.entries({
    'https and then http': 'https, http',
    'http and then https': 'http, https',
    'HTTPS in capitals': 'HTTPS',
    'https with blanks': '  https , http',
    'an empty list': ',',
    nonsense: 'https2',
    http: 'http',
  }).map(([what, value]) =>
    proxied(`X-Forwarded-Proto says ${what}`, { proxy: true, cookie: SECURE }, [
      ['X-Forwarded-Proto', value],
    ]),
  ),
  proxied('X-Forwarded-Proto comes twice', { proxy: true, cookie: SECURE }, [
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Proto', 'http'],
  ]),
  proxied('proxy: true without X-Forwarded-Proto', { proxy: true, cookie: SECURE }, []),
  proxied('Express trusts the proxy and proxy: true does, too', { proxy: true, cookie: BOTH }, HTTPS, true),
  {
    name: "secure: 'auto' follows every request of a session that began over HTTPS",
    options: { proxy: true, rolling: true, cookie: { secure: 'auto' } } satisfies Options,
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit('/', { headers: HTTPS })
      await browser.visit()
      await browser.visit('/', { headers: HTTPS })
    },
  },
  {
    name: "secure: 'auto' follows every request of a session that began over plain HTTP",
    options: { proxy: true, rolling: true, cookie: { secure: 'auto' } } satisfies Options,
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
      await browser.visit('/', { headers: HTTPS })
    },
  },
  {
    name: 'secure: true on plain node:http behind a proxy that proxy: true trusts',
    on: 'node',
    options: { proxy: true, cookie: SECURE },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit('/', { headers: HTTPS })
      await browser.visit('/', { headers: HTTPS })
    },
  },
  {
    name: 'secure: true on plain node:http, where nobody says whom to trust',
    on: 'node',
    options: { cookie: SECURE },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit('/', { headers: HTTPS })
    },
  },
  {
    name: 'req.secure set by the app decides when proxy is not set',
    on: 'node',
    options: { cookie: AUTO },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit('/', { headers: HTTPS })
    },
  },
]
