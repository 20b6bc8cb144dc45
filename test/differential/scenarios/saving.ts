/** When a session is stored: resave and saveUninitialized in all combinations, and req.session.save(). */
import { countVisits, type Handler, ignoreSession, reply, type Scenario, showSession } from '../scenario.ts'

const login: Handler = (req, res) => {
  req.session['user'] = 'ada'
  reply(res, 'in')
}

const uses: Record<string, Handler> = {
  'is ignored': ignoreSession,
  'is read': showSession,
  'is changed': countVisits,
  'has only its cookie changed': (req, res) => {
    req.session.cookie.maxAge = 3_600_000
    reply(res, 'longer')
  },
  'is saved explicitly': (req, res) => {
    req.session.save(() => reply(res, 'saved'))
  },
  'is touched explicitly': (req, res) => {
    req.session.touch()
    reply(res, 'touched')
  },
}

export const combinations: Scenario[] = [true, false].flatMap((resave) =>
  [true, false].flatMap((saveUninitialized) =>
    Object.entries(uses).flatMap(([use, handler]): Scenario[] => [
      {
        name: `resave ${resave}, saveUninitialized ${saveUninitialized}: a new session ${use}`,
        options: { resave, saveUninitialized, cookie: { maxAge: 60_000 } },
        handler,
        steps: async (browser) => {
          await browser.visit()
        },
      },
      {
        name: `resave ${resave}, saveUninitialized ${saveUninitialized}: a stored session ${use}`,
        options: { resave, saveUninitialized, cookie: { maxAge: 60_000 } },
        handler: { '/login': login, '/': handler },
        steps: async (browser) => {
          await browser.visit('/login')
          await browser.visit()
        },
      },
    ]),
  ),
)

const twice: Scenario['steps'] = async (browser) => {
  await browser.visit()
  await browser.visit()
}

export const explicitSave: Scenario[] = [
  {
    name: 'a session that was saved explicitly is not stored again at the end',
    handler: (req, res) => {
      req.session['n'] = 1
      req.session.save((error) => reply(res, { error }))
    },
    steps: twice,
  },
  {
    name: 'a session that is changed after an explicit save is stored again',
    handler: (req, res) => {
      req.session['n'] = Number(req.session['n'] ?? 0) + 1
      req.session.save(() => {
        req.session['m'] = req.session['n']
        reply(res, req.session)
      })
    },
    steps: twice,
  },
  {
    name: 'a session that is changed and changed back after an explicit save is not stored again',
    handler: (req, res) => {
      req.session['n'] = 1
      req.session.save(() => {
        req.session['n'] = 2
        req.session['n'] = 1
        reply(res, req.session)
      })
    },
    steps: twice,
  },
  {
    name: 'two explicit saves store twice',
    handler: (req, res) => {
      req.session['n'] = 1
      req.session.save(() => {
        req.session['n'] = 2
        req.session.save(() => reply(res, req.session))
      })
    },
    steps: twice,
  },
  {
    name: 'two explicit saves of the same store twice',
    handler: (req, res) => {
      req.session['n'] = 1
      req.session.save(() => req.session.save(() => reply(res, req.session)))
    },
    steps: twice,
  },
  {
    name: 'two saves at once, with an answer after both',
    handler: (req, res) => {
      let open = 2
      const saved = (): void => {
        if (--open === 0) reply(res, req.session)
      }
      req.session['n'] = 1
      req.session.save(saved)
      req.session['n'] = 2
      req.session.save(saved)
    },
    steps: twice,
  },
  {
    name: 'a save whose callback nobody waits for',
    handler: (req, res, { note }) => {
      req.session['n'] = 1
      req.session.save(() => note('saved', true))
      reply(res, 'gone ahead')
    },
    steps: twice,
  },
  {
    name: 'a save without a callback',
    handler: (req, res) => {
      req.session['n'] = 1
      req.session.save()
      reply(res, 'gone ahead')
    },
    steps: twice,
  },
  {
    name: 'a save after the response has ended',
    handler: (req, res, { note }) => {
      const { session } = req
      reply(res, 'done')
      session['late'] = true
      session.save((error) => note('saved late', error ?? 'well'))
    },
    steps: async (browser, { store }) => {
      await browser.visit()
      await store.asked('set')
    },
  },
  {
    name: 'a save that fails tells its callback, and the response does not try again',
    handler: (req, res) => {
      req.session['n'] = 1
      req.session.save((error) => {
        reply(res, { failed: (error as Error | undefined)?.message })
      })
    },
    steps: async (browser, { store }) => {
      store.failing.set = new Error('disk full')
      await browser.visit()
    },
  },
  {
    name: 'save, touch and resetMaxAge give back the session for chaining when they are given a callback or need none',
    handler: (req, res) => {
      const { session } = req
      const saved = session.save(() => {
        reply(res, {
          saved: saved === session,
          touched: session.touch() === session,
          reset: session.resetMaxAge() === session,
        })
      })
    },
    steps: twice,
  },
  {
    name: 'a save stores the cookie as it stands then',
    options: { cookie: { maxAge: 60_000 } },
    handler: (req, res) => {
      req.session['n'] = 1
      req.session.cookie.maxAge = 3_600_000
      req.session.save(() => reply(res, req.session.cookie))
    },
    steps: twice,
  },
  {
    name: 'a save in the middle of a redirect flow',
    handler: {
      '/': (req, res) => {
        req.session['flash'] = 'welcome'
        req.session.save(() => res.redirect('/next'))
      },
      '/next': showSession,
    },
    steps: async (browser) => {
      await browser.visit()
      await browser.visit('/next')
    },
  },
]
