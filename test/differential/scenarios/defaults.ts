/** Options that are left out, and options that can't be meant. */
import type { Options } from '../contender.ts'
import { countVisits, ignoreSession, reply, type Scenario, showSession } from '../scenario.ts'

const login: Scenario['handler'] = {
  '/login': (req, res) => {
    req.session['user'] = 'ada'
    reply(res, 'in')
  },
  '/': showSession,
}

export const defaults: Scenario[] = [
  {
    name: 'no options but the secret: a new visitor is counted',
    bare: true,
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
    },
  },
  {
    name: 'no options but the secret: a new visitor whose session stays empty',
    bare: true,
    handler: ignoreSession,
    steps: async (browser) => {
      await browser.visit()
    },
  },
  {
    name: 'no options but the secret: a stored session is read',
    bare: true,
    handler: login,
    steps: async (browser) => {
      await browser.visit('/login')
      await browser.visit('/')
    },
  },
  {
    name: 'no options but the secret: a new visitor is counted over HTTPS',
    bare: true,
    tls: true,
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
    },
  },
  {
    name: 'cookie options without sameSite',
    bare: true,
    options: { resave: false, saveUninitialized: false, cookie: { secure: false } },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
    },
  },
  {
    name: 'cookie options without secure, over HTTPS',
    bare: true,
    tls: true,
    options: { resave: false, saveUninitialized: false, cookie: { sameSite: false } },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
    },
  },
  {
    name: 'cookie options without secure, over plain HTTP',
    bare: true,
    options: { resave: false, saveUninitialized: false, cookie: { sameSite: false } },
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
    },
  },
  {
    name: 'options that are undefined count as left out',
    options: {
      name: undefined,
      key: undefined,
      genid: undefined,
      proxy: undefined,
      rolling: undefined,
      unset: undefined,
    } as unknown as Options,
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit()
    },
  },
  {
    name: 'options that are null, as a configuration file may have them',
    options: { store: null, name: null, genid: null, unset: null, cookie: null } as unknown as Options,
    app: tellConstruction,
    steps: async () => {},
  },
]

const wrong: Record<string, unknown> = {
  'a secret of five characters': { secret: 'short' },
  'an empty secret': { secret: '' },
  'no secret in the list': { secret: [] },
  'an empty secret in the list': { secret: ['', ''] },
  'a genid that is no function': { genid: 'random' },
  'an unknown unset': { unset: 'delete' },
  'a cookie that is text': { cookie: 'secure' },
  'an unknown sameSite': { cookie: { sameSite: 'sometimes' } },
  'an unknown priority': { cookie: { priority: 'urgent' } },
  'a maxAge that is text': { cookie: { maxAge: '1h' } },
  'a domain that no cookie may have': { cookie: { domain: 'example.com; Secure' } },
  'a path that no cookie may have': { cookie: { path: '/;' } },
  'a name that no cookie may have': { name: 'my session' },
  'a store that is none': { store: {} },
  'a misspelt option': { saveUninitialised: false },
}

export const construction: Scenario[] = Object.entries(wrong).map(([what, options]) => ({
  name: `construction with ${what}`,
  options: options as Options,
  app: tellConstruction,
  steps: async () => {},
}))

/** Notes whether the construction was refused. */
function tellConstruction(...[, { session, note }]: Parameters<NonNullable<Scenario['app']>>): void {
  try {
    session()
    note('construction', 'accepted')
  } catch {
    note('construction', 'refused')
  }
}
