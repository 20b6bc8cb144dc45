/** regenerate, reload, destroy, touch, and what becomes of a session that is set to nothing. */
import { sign } from 'cookie-signature'
import type { SessionRequest } from '../contender.ts'
import { type Handler, loginOrShow, reply, type Scenario, SECRET, showSession } from '../scenario.ts'

const login: Handler = (req, res) => {
  req.session['user'] = 'ada'
  reply(res, 'in')
}

const onceAndAgain: Scenario['steps'] = async (browser) => {
  await browser.visit('/')
  await browser.visit('/show')
}

const afterLogin: Scenario['steps'] = async (browser) => {
  await browser.visit('/login')
  await browser.visit('/')
  await browser.visit('/show')
}

/** A scenario in which a visitor logs in, the handler does its thing, and another request shows what is left. */
function returning(name: string, handler: Handler, more: Partial<Scenario> = {}): Scenario {
  return {
    name,
    handler: { '/login': login, '/': handler, '/show': showSession },
    steps: afterLogin,
    ...more,
  }
}

function fresh(name: string, handler: Handler, more: Partial<Scenario> = {}): Scenario {
  return { name, handler: { '/': handler, '/show': showSession }, steps: onceAndAgain, ...more }
}

const message = (error: unknown): unknown => (error instanceof Error ? error.message : (error ?? 'no error'))

export const regenerate: Scenario[] = [
  returning('regenerate gives a new id and an empty session', (req, res) => {
    const before = req.sessionID
    req.session.regenerate((error) => {
      reply(res, {
        error,
        before,
        after: req.sessionID,
        same: req.session.id === req.sessionID,
        session: req.session,
      })
    })
  }),
  returning('regenerate and then a login stores under the new id', (req, res) => {
    req.session.regenerate(() => {
      req.session['user'] = 'bob'
      reply(res, req.session)
    })
  }),
  returning('regenerate, a login and an explicit save', (req, res) => {
    req.session.regenerate(() => {
      req.session['user'] = 'bob'
      req.session.save(() => res.redirect('/show'))
    })
  }),
  returning('regenerate, an explicit save and a change after it', (req, res) => {
    req.session.regenerate(() => {
      req.session.save(() => {
        req.session['user'] = 'bob'
        reply(res, req.session)
      })
    })
  }),
  returning('regenerate twice', (req, res) => {
    req.session.regenerate(() => req.session.regenerate(() => reply(res, req.session)))
  }),
  returning(
    'regenerate, and the old fields are merged in, as passport does for keepSessionInfo',
    (req, res) => {
      const before = req.session
      req.session.regenerate(() => {
        for (const field in before) req.session[field] = before[field]
        req.session.save(() => reply(res, req.session))
      })
    },
  ),
  returning('regenerate and then destroy', (req, res) => {
    req.session.regenerate(() => req.session.destroy(() => reply(res, 'session' in req)))
  }),
  returning('regenerate and then reload, which finds nothing', (req, res) => {
    req.session.regenerate(() => req.session.reload((error) => reply(res, { error: message(error) })))
  }),
  returning('regenerate leaves the old session object as it was', (req, res) => {
    const old = req.session
    req.session.regenerate(() => {
      old['late'] = true
      reply(res, { old, new: req.session, same: old === req.session })
    })
  }),
  returning(
    'regenerate with a cookie that expires',
    (req, res) => req.session.regenerate(() => reply(res, req.session)),
    {
      options: { cookie: { maxAge: 60_000 } },
    },
  ),
  returning(
    'regenerate with saveUninitialized',
    (req, res) => req.session.regenerate(() => reply(res, req.session)),
    {
      options: { saveUninitialized: true },
    },
  ),
  returning('regenerate with resave', (req, res) => req.session.regenerate(() => reply(res, req.session)), {
    options: { resave: true },
  }),
  fresh('regenerate of a new session asks the store to destroy it', (req, res) => {
    req.session.regenerate((error) => {
      req.session['user'] = 'ada'
      reply(res, { error: message(error), session: req.session })
    })
  }),
  fresh('regenerate of a new session that stays empty', (req, res) => {
    req.session.regenerate(() => reply(res, req.session))
  }),
  {
    name: 'regenerate with a store that fails to destroy hands over the error and a new session',
    handler: {
      '/login': login,
      '/': (req, res) => {
        req.session.regenerate((error) => {
          req.session['user'] = 'bob'
          reply(res, { error: message(error), session: req.session })
        })
      },
      '/show': showSession,
    },
    steps: async (browser, { store }) => {
      await browser.visit('/login')
      store.failing.destroy = new Error('cannot delete')
      await browser.visit('/')
      await browser.visit('/show')
    },
  },
  returning('regenerate through the store, as old packages do', (req, res) => {
    req.sessionStore.regenerate(req, (error) => {
      req.session['user'] = 'bob'
      reply(res, { error: message(error), session: req.session })
    })
  }),
  returning('generate through the store, without destroying', (req, res) => {
    req.sessionStore.generate(req)
    req.session['user'] = 'bob'
    reply(res, req.session)
  }),
]

/** Changes the stored session behind the back of the request that is under way. */
function changeStored(
  store: { sessions: Map<string, string> },
  change: (session: Record<string, unknown>) => void,
): void {
  for (const [sid, text] of store.sessions) {
    const session = JSON.parse(text)
    change(session)
    store.sessions.set(sid, JSON.stringify(session))
  }
}

export const reload: Scenario[] = [
  returning('reload drops what was changed since', (req, res) => {
    req.session['user'] = 'bob'
    req.session['more'] = true
    req.session.reload((error) => reply(res, { error: message(error), session: req.session }))
  }),
  returning('reload gives a new session object with the same id', (req, res) => {
    const { session } = req
    const { id } = session
    session.reload(() => reply(res, { same: req.session === session, id, after: req.session.id }))
  }),
  returning('reload sees what another request stored', (req, res, { store }) => {
    changeStored(store, (session) => {
      session['user'] = 'changed elsewhere'
    })
    req.session.reload(() => reply(res, req.session))
  }),
  returning('reload and a change after it', (req, res) => {
    req.session.reload(() => {
      req.session['n'] = 1
      reply(res, req.session)
    })
  }),
  returning('reload, a change and an explicit save', (req, res) => {
    req.session.reload(() => {
      req.session['n'] = 1
      req.session.save(() => reply(res, req.session))
    })
  }),
  returning('reload twice', (req, res) => {
    req.session.reload(() =>
      req.session.reload((error) => reply(res, { error: message(error), session: req.session })),
    )
  }),
  returning('reload of a session that is gone is an error', (req, res, { store }) => {
    store.sessions.clear()
    req.session.reload((error) => reply(res, { error: message(error), session: req.session }))
  }),
  returning('reload with a store that fails hands over the error', (req, res, { store }) => {
    store.failing.get = new Error('cannot read')
    req.session.reload((error) => {
      store.failing = {}
      reply(res, { error: message(error), session: req.session })
    })
  }),
  returning(
    'reload keeps the expiry that is stored',
    (req, res) => {
      req.session.cookie.maxAge = 3_600_000
      req.session.reload(() => reply(res, req.session.cookie))
    },
    { options: { cookie: { maxAge: 60_000 } } },
  ),
  fresh('reload of a new session is an error', (req, res) => {
    req.session.reload((error) => reply(res, { error: message(error), session: req.session }))
  }),
  fresh('reload of a new session that was just saved', (req, res) => {
    req.session['n'] = 1
    req.session.save(() => {
      req.session['n'] = 2
      req.session.reload((error) => reply(res, { error: message(error), session: req.session }))
    })
  }),
]

export const destroy: Scenario[] = [
  returning('destroy leaves no session on the request', (req, res) => {
    req.session.destroy((error) => {
      reply(res, {
        error: message(error),
        session: typeof req.session,
        own: 'session' in req,
        id: req.sessionID,
      })
    })
  }),
  returning('destroy leaves no session on the request at once', (req, res) => {
    const { session } = req
    session.destroy(() => {})
    const gone = req.session === undefined
    reply(res, { gone, id: session.id })
  }),
  returning('destroy without a callback', (req, res) => {
    req.session.destroy()
    reply(res, 'out')
  }),
  returning(
    'destroy sends no cookie, also with an expiring one',
    (req, res) => req.session.destroy(() => reply(res, 'out')),
    {
      options: { cookie: { maxAge: 60_000 } },
    },
  ),
  returning('destroy, the cookie cleared by the handler', (req, res) => {
    req.session.destroy(() => {
      res.clearCookie('connect.sid')
      res.redirect('/show')
    })
  }),
  returning('destroy and then use of the session that is no more', (req, res) => {
    req.session.destroy(() => {})
    req.session['user'] = 'bob'
    reply(res, 'never')
  }),
  returning('destroy, and the kept session object is saved after it', (req, res) => {
    const { session } = req
    session.destroy(() => session.save((error) => reply(res, { error: message(error) })))
  }),
  returning('destroy, and a new session through the store', (req, res) => {
    req.session.destroy(() => {
      req.sessionStore.generate(req)
      req.session['user'] = 'bob'
      reply(res, req.session)
    })
  }),
  returning(
    'destroy, a new session through the store, and that one set to null',
    (req, res) => {
      req.session.destroy(() => {
        req.sessionStore.generate(req)
        req.session['user'] = 'bob'
        req.session.save(() => {
          ;(req as { session: unknown }).session = null
          reply(res, 'out')
        })
      })
    },
    { options: { unset: 'destroy' } },
  ),
  returning(
    'destroy with unset: destroy asks the store once more',
    (req, res) => req.session.destroy(() => reply(res, 'out')),
    {
      options: { unset: 'destroy' },
    },
  ),
  returning('destroy gives back the session when it has a callback', (req, res) => {
    const { session } = req
    const result = session.destroy(() => reply(res, result === session))
  }),
  fresh('destroy of a new session asks the store', (req, res) => {
    req.session['user'] = 'ada'
    req.session.destroy((error) => reply(res, { error: message(error) }))
  }),
  {
    name: 'destroy with a store that fails hands over the error, and the session stays',
    handler: {
      '/login': login,
      '/': (req, res) => {
        req.session.destroy((error) => reply(res, { error: message(error), session: typeof req.session }))
      },
      '/show': showSession,
    },
    steps: async (browser, { store }) => {
      await browser.visit('/login')
      store.failing.destroy = new Error('cannot delete')
      await browser.visit('/')
      await browser.visit('/show')
    },
  },
  returning('destroy through the store, and the request goes on', (req, res) => {
    req.sessionStore.destroy(req.sessionID, () => reply(res, req.session))
  }),
  {
    name: 'destroy while a slower request still reads the session',
    handler: {
      '/login': login,
      '/slow': (req, res, { store }) => {
        const { session } = req
        store.once('destroyed', () => reply(res, session))
      },
      '/out': (req, res) => req.session.destroy(() => reply(res, 'out')),
      '/show': showSession,
    },
    steps: async (browser, { store }) => {
      await browser.visit('/login')
      const slow = await browser.open('/slow')
      await store.asked('get', 1)
      await browser.visit('/out')
      store.emit('destroyed')
      await slow.response
      await browser.visit('/show')
    },
  },
]

export const touch: Scenario[] = [
  returning(
    'touch renews the expiry of the session object',
    (req, res) => {
      const before = req.session.cookie.expires
      req.session.touch()
      const after = req.session.cookie.expires
      reply(res, { later: Number(after) >= Number(before), left: req.session.cookie })
    },
    { options: { cookie: { maxAge: 60_000 } } },
  ),
  returning('touch of a session that does not expire changes nothing', (req, res) => {
    req.session.touch()
    reply(res, req.session)
  }),
  returning(
    'resetMaxAge goes back to the last maxAge that was set',
    (req, res) => {
      req.session.cookie.maxAge = 3_600_000
      req.session.resetMaxAge()
      reply(res, req.session.cookie)
    },
    { options: { cookie: { maxAge: 60_000 } } },
  ),
  returning(
    'touch in every request',
    (req, res) => {
      req.session.touch()
      reply(res, 'touched')
    },
    { options: { cookie: { maxAge: 60_000 }, rolling: true } },
  ),
]

const NOTHING: Record<string, (req: { session?: unknown }) => void> = {
  'set to null': (req) => {
    req.session = null
  },
  'set to undefined': (req) => {
    req.session = undefined
  },
  deleted: (req) => {
    delete req.session
  },
  'set to false': (req) => {
    req.session = false
  },
}

const unset =
  (how: (req: { session?: unknown }) => void): Handler =>
  (req, res) => {
    how(req as { session?: unknown })
    reply(res, { value: String(req.session), own: 'session' in req, id: req.sessionID })
  }

export const unsetting: Scenario[] = [
  ...(['keep', 'destroy'] as const).flatMap((option) =>
    Object.entries(NOTHING).flatMap(([what, how]) => [
      returning(`unset ${option}: the session of a returning visitor is ${what}`, unset(how), {
        options: { unset: option },
      }),
      fresh(`unset ${option}: the session of a new visitor is ${what}`, unset(how), {
        options: { unset: option },
      }),
    ]),
  ),
  returning('the session is set to null and nothing says what unset means', unset(NOTHING['set to null']!)),
  returning('the session is set to null and generated anew', (req, res) => {
    ;(req as { session: unknown }).session = null
    req.sessionStore.generate(req)
    req.session['user'] = 'bob'
    reply(res, req.session)
  }),
  returning(
    'unset destroy with a store that fails',
    (req, res, { store }) => {
      store.failing.destroy = new Error('cannot delete')
      ;(req as { session: unknown }).session = null
      reply(res, 'out')
    },
    { options: { unset: 'destroy' } },
  ),
  returning('a session that was changed and then set to null is not stored', (req, res) => {
    req.session['user'] = 'bob'
    ;(req as { session: unknown }).session = null
    reply(res, 'kept as it was')
  }),
  ...Object.entries({
    'a plain object': (): unknown => ({ user: 'eve' }),
    'a string': (): unknown => 'eve',
    'a spread copy of itself': (req: SessionRequest): unknown => ({ ...req.session }),
  }).map(([what, value]) =>
    returning(
      `the session is replaced by ${what}`,
      (req, res) => {
        ;(req as { session: unknown }).session = value(req)
        reply(res, 'replaced')
      },
      { hangsAt: '/' },
    ),
  ),
  returning('the session is put back after it was set to null', (req, res) => {
    const { session } = req
    ;(req as { session: unknown }).session = null
    req.session = session
    session['user'] = 'bob'
    reply(res, req.session)
  }),
]

export const ids: Scenario[] = [
  fresh('a bogus req.sessionID: nothing is stored and no cookie is sent', (req, res) => {
    ;(req as { sessionID: unknown }).sessionID = 42
    req.session['user'] = 'ada'
    reply(res, 'odd')
  }),
  fresh('req.sessionID set to undefined', (req, res) => {
    ;(req as { sessionID: unknown }).sessionID = undefined
    req.session['user'] = 'ada'
    reply(res, 'odd')
  }),
  returning('req.sessionID set to another id by a handler', (req, res) => {
    req.sessionID = 'an-id-that-the-handler-made-up'
    req.session['user'] = 'bob'
    reply(res, { id: req.session.id, sessionID: req.sessionID })
  }),
  returning('a bogus req.sessionID in the session of a returning visitor', (req, res) => {
    ;(req as { sessionID: unknown }).sessionID = 42
    req.session['user'] = 'bob'
    reply(res, 'odd')
  }),
  ...Object.entries({
    'makes ids of its own': () => 'made-by-the-app',
    'uses the request': (req: SessionRequest) => `id-for-${req.method}-${req.url.slice(1) || 'root'}`,
    'makes an id that has to be percent-encoded': () => 'ü/; "%"',
    'makes an empty id': () => '',
    'gives a number': () => 7 as unknown as string,
    'gives undefined': () => undefined as unknown as string,
  }).map(
    ([what, genid]): Scenario =>
      fresh(
        `genid ${what}`,
        (req, res) => {
          req.session['user'] = 'ada'
          reply(res, { id: req.sessionID, type: typeof req.sessionID })
        },
        { options: { genid } },
      ),
  ),
  {
    name: 'genid throws for a new visitor',
    options: {
      genid: () => {
        throw new Error('no ids left')
      },
    },
    handler: loginOrShow,
    steps: async (browser) => {
      await browser.visit('/login')
    },
  },
  {
    name: 'genid throws for a visitor whose session is gone',
    options: {
      genid: () => {
        throw new Error('no ids left')
      },
    },
    handler: loginOrShow,
    steps: async (browser) => {
      await browser.visit('/login', { cookie: `connect.sid=s:${sign('gone', SECRET)}` })
    },
  },
  {
    name: 'genid is asked for a regenerated session',
    options: { genid: (req) => `made-${String(req.session?.id)}-next` },
    handler: {
      '/': (req, res) => {
        req.session['user'] = 'ada'
        req.session.regenerate(() => {
          req.session['user'] = 'bob'
          reply(res, req.session.id)
        })
      },
    },
    steps: async (browser) => {
      await browser.visit('/')
    },
  },
]
