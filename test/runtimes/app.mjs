// The application that behaves alike on every runtime: Express, with a session in everything it does.

/** `express` and the package come from the runtime's own module loader. */
export function createApp({ express, fastSession, createCore, module, store }) {
  const secret = 'the secret of all runtimes, which is long enough'
  const app = express()
  const sessions = fastSession({ secret, module, store })
  app.use(sessions)

  app.get('/engine', (_req, res) =>
    res.json({ middleware: sessions.engine, core: coreChecks(createCore, secret, module) }),
  )
  app.get('/untouched', (_req, res) => res.send('nothing was asked'))
  app.get('/visit', (req, res) => {
    req.session.visits = (req.session.visits ?? 0) + 1
    res.json({ visits: req.session.visits, id: req.sessionID })
  })
  app.get('/read', (req, res) =>
    res.json({ user: req.session.user ?? null, visits: req.session.visits ?? null }),
  )
  app.post('/login', async (req, res) => {
    await req.session.regenerate()
    req.session.user = 'ann'
    res.redirect('/read')
  })
  app.post('/logout', async (req, res) => {
    await req.session.destroy()
    res.send(req.session === undefined ? 'gone' : 'still there')
  })
  app.get('/stream', (req, res) => {
    req.session.streamed = true
    res.write('one ')
    setTimeout(() => {
      res.write('two ')
      setTimeout(() => res.end('three'), 5)
    }, 5)
  })
  app.get('/streamed', (req, res) => res.json(req.session.streamed ?? false))
  app.get('/values/store', (req, res) => {
    req.session.values = VALUES
    res.end()
  })
  app.get('/values', (req, res) => res.json(differing(req.session.values)))
  app.get('/error', (req) => {
    req.session.failed = true
    throw new Error('the handler failed')
  })
  // Express finds an error handler by its four parameters.
  app.use((error, _req, res, _next) => res.status(500).send(error.message))
  return app
}

const VALUES = {
  text: 'plain, ünïcödé, 日本語, \u{1f600}',
  long: 'x'.repeat(2000) + '日'.repeat(500),
  numbers: [0, -1, 1.5, 2 ** 40, -0, Number.POSITIVE_INFINITY],
  nothing: null,
  yes: true,
  date: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6)),
  bytes: new Uint8Array([0, 127, 128, 255]),
  big: 12345678901234567890n,
  map: new Map([['a', 1]]),
  set: new Set(['b', 2]),
  nested: { list: [{ deep: [[]] }] },
}

/** The names of the values that came back other than they were stored. */
function differing(stored) {
  return Object.keys(VALUES).filter((name) => spelled(stored?.[name]) !== spelled(VALUES[name]))
}

/** A value as text, in which its type is seen. */
function spelled(value) {
  return JSON.stringify(value, (_key, one) => {
    if (typeof one === 'bigint') return `${one}n`
    if (one instanceof Map) return ['Map', ...one]
    if (one instanceof Set) return ['Set', ...one]
    if (one instanceof Uint8Array) return ['bytes', ...one]
    return typeof one === 'number' && !Number.isFinite(one) ? String(one) : one
  })
}

const BEFORE = 'the secret of last year, which was long enough'

/** What the core does, which needs no request: what it got wrong. */
function coreChecks(createCore, secret, module) {
  const core = createCore({ secrets: [secret, BEFORE, 'Jefe'], module })
  const signed = core.sign('what do ya want for nothing?')
  const [first, second] = [core.newId(), core.newId()]
  const checks = {
    // RFC 4231, section 4.3, with the key `Jefe`.
    'verifies what the standard signed':
      core.verify('what do ya want for nothing?.W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM') !== false,
    'verifies what it signed': core.verify(signed) === 'what do ya want for nothing?',
    'refuses what was changed': core.verify(signed.replace('want', 'wish')) === false,
    'verifies what an older secret signed':
      core.verify(createCore({ secrets: BEFORE, module }).sign('id')) === 'id',
    'makes ids that differ': /^[\w-]{32}$/.test(first) && first !== second,
    // FIPS 180-4, the example `abc`.
    'hashes as the standard says': core.hashId('abc') === 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0',
    'decodes what it encoded': differing(core.decode(core.encode(VALUES))).length === 0,
    'encodes as the standard says': String(core.encode({ a: [1, true] })) === '129,161,97,146,1,195',
  }
  return { engine: core.engine, failed: Object.keys(checks).filter((name) => !checks[name]) }
}
