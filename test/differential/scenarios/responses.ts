/** All the ways in which a handler can answer. */
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { countVisits, type Handler, reply, type Scenario } from '../scenario.ts'

const twice: Scenario['steps'] = async (browser) => {
  await browser.visit()
  await browser.visit()
}

/** Changes the session and answers in this way; the visitor comes twice, the second time with the cookie. */
function answers(how: string, answer: Handler, more: Partial<Scenario> = {}): Scenario {
  return {
    name: `an answer by ${how}`,
    options: { cookie: { maxAge: 60_000 } },
    handler: (req, res, world) => {
      req.session['views'] = Number(req.session['views'] ?? 0) + 1
      return answer(req, res, world)
    },
    steps: twice,
    ...more,
  }
}

const TEXT = 'a body of some length, and a little beyond ASCII: ü'
const withLength: Handler = (_req, res) => {
  res.setHeader('Content-Length', Buffer.byteLength(TEXT))
}

/** An answer of which the session is not changed, so that the commit is a touch. */
function readOnly(how: string, answer: Handler): Scenario {
  return {
    name: `an answer by ${how}, the session being read only`,
    handler: {
      '/login': (req, res) => {
        req.session['user'] = 'ada'
        reply(res, 'in')
      },
      '/': answer,
    },
    steps: async (browser) => {
      await browser.visit('/login')
      await browser.visit()
    },
  }
}

const file = fileURLToPath(import.meta.url)

export const endings: Scenario[] = [
  answers('end() with nothing', (_req, res) => res.end()),
  answers('end(null)', (_req, res) => res.end(null)),
  answers('end(undefined)', (_req, res) => res.end(undefined)),
  answers('end of an empty string', (_req, res) => res.end('')),
  answers('end of a string', (_req, res) => res.end(TEXT)),
  answers('end of a string with its Content-Length', (req, res, world) => {
    withLength(req, res, world)
    res.end(TEXT)
  }),
  answers('end of a string with an encoding', (_req, res) => res.end('Z3L8w59l', 'base64')),
  answers('end of a string in latin1 with its Content-Length', (_req, res) => {
    res.setHeader('Content-Length', 3)
    res.end('äöü', 'latin1')
  }),
  answers('end of a Buffer', (_req, res) => res.end(Buffer.from(TEXT))),
  answers('end of a Buffer with its Content-Length', (req, res, world) => {
    withLength(req, res, world)
    res.end(Buffer.from(TEXT))
  }),
  answers('end of a Uint8Array', (_req, res) => res.end(new Uint8Array([104, 105]))),
  answers('end of one byte with its Content-Length', (_req, res) => {
    res.setHeader('Content-Length', 1)
    res.end('x')
  }),
  answers('end of nothing with Content-Length 0', (_req, res) => {
    res.setHeader('Content-Length', 0)
    res.end()
  }),
  answers('end with a callback', (_req, res, { note }) => {
    res.end(() => note('called back', true))
  }),
  answers('end of a string with a callback', (_req, res, { note }) => {
    res.end(TEXT, () => note('called back', true))
  }),
  answers('end of a string with encoding and callback', (_req, res, { note }) => {
    res.end(TEXT, 'utf8', () => note('called back', true))
  }),
  answers('end twice', (_req, res) => {
    res.end('first')
    res.end('second')
  }),
  answers('end and then a header', (_req, res, { note }) => {
    res.end('first')
    try {
      res.setHeader('X-Late', '1')
      note('header', 'accepted')
    } catch (error) {
      note('header', (error as { code: string }).code)
    }
  }),
  answers('end and then another status', (_req, res) => {
    reply(res, 'first')
    res.statusCode = 500
    res.statusMessage = 'Too late'
  }),
  answers('end, with a status message, and then another one', (_req, res) => {
    res.statusMessage = 'In time'
    reply(res, 'first')
    res.statusMessage = 'Too late'
  }),
  answers('end, after which the headers count as sent', (_req, res, { note }) => {
    reply(res, 'first')
    note('headersSent', res.headersSent)
    for (const change of [
      () => res.setHeader('X-Late', '1'),
      () => res.removeHeader('X-Early'),
      () => res.writeHead(500),
    ]) {
      try {
        change()
        note('change', 'accepted')
      } catch (error) {
        note('change', (error as { code: string }).code)
      }
    }
  }),
  answers('end and then an exception', (_req, res) => {
    reply(res, 'first')
    throw new Error('too late')
  }),
  answers('end and then next', (_req, res, { next }) => {
    reply(res, 'first')
    next()
  }),
  answers(
    'end and then an error that only the framework handles',
    (_req, res) => {
      reply(res, 'first')
      throw new Error('too late')
    },
    { onError: (error, _req, _res, next) => next(error) },
  ),
  answers('end, after which the body that was given is changed', (_req, res) => {
    const body = Buffer.from('as it was')
    res.setHeader('Content-Length', body.length)
    res.end(body)
    body.fill('x')
  }),
  answers(
    'end of something that is no body',
    (_req, res) => res.end({ not: 'a body' } as unknown as string),
    { hangsAt: '/', store: { answers: 'at once' } },
  ),
  answers('json', (_req, res) => res.json({ text: TEXT })),
  answers('send of text', (_req, res) => res.send(TEXT)),
  answers('send of a Buffer', (_req, res) => res.send(Buffer.from(TEXT))),
  answers('send of nothing', (_req, res) => res.send()),
  answers('sendStatus', (_req, res) => res.sendStatus(202)),
  answers('redirect', (_req, res) => res.redirect('/elsewhere')),
  answers('redirect with 303', (_req, res) => res.redirect(303, '/elsewhere')),
  answers('status 204', (_req, res) => res.status(204).end()),
  answers('status 204 and a body that must not go out', (_req, res) => res.status(204).send('nothing')),
  answers('status 304', (_req, res) => res.status(304).end()),
  answers('status 404 with a body', (_req, res) => res.status(404).json({ error: 'not here' })),
  answers('a custom status message', (_req, res) => {
    res.statusMessage = 'Fine by me'
    reply(res, 'ok')
  }),
  answers('jsonp', (_req, res) => res.jsonp({ a: 1 })),
  answers('sendFile', (_req, res, { note }) => {
    res.sendFile(file, { lastModified: false, etag: false }, (error) => note('sent', error ?? 'well'))
  }),
  answers('format', (_req, res) =>
    res.format({ json: () => res.json({ a: 1 }), default: () => res.send('text') }),
  ),
  answers(
    'an ETag that the visitor already has',
    (_req, res) => {
      res.set('ETag', '"v1"')
      res.json({ constant: true })
    },
    {
      steps: async (browser) => {
        await browser.visit()
        await browser.visit('/', { headers: [['If-None-Match', '"v1"']] })
      },
    },
  ),
  answers('HEAD', (_req, res) => reply(res, 'never seen'), {
    steps: async (browser) => {
      await browser.visit('/', { method: 'HEAD' })
      await browser.visit('/', { method: 'HEAD' })
    },
  }),
  answers('json to HEAD', (_req, res) => res.json({ never: 'seen' }), {
    steps: async (browser) => {
      await browser.visit('/', { method: 'HEAD' })
      await browser.visit('/', { method: 'HEAD' })
    },
  }),
  answers(
    'reading a POST body',
    async (req, res) => {
      const chunks: Buffer[] = []
      for await (const chunk of req) chunks.push(chunk)
      req.session['body'] = Buffer.concat(chunks).toString()
      reply(res, req.session)
    },
    {
      steps: async (browser) => {
        await browser.visit('/', { method: 'POST', body: 'name=ada' })
        await browser.visit('/', { method: 'POST', body: 'name=bob' })
      },
    },
  ),
]

export const heads: Scenario[] = [
  answers('writeHead(status)', (_req, res) => {
    res.writeHead(201)
    res.end(TEXT)
  }),
  answers('writeHead(status, headers)', (_req, res) => {
    res.writeHead(201, { 'Content-Type': 'text/plain', 'X-One': '1' })
    res.end(TEXT)
  }),
  answers('writeHead(status, reason, headers)', (_req, res) => {
    res.writeHead(201, 'Made', { 'X-One': '1' })
    res.end(TEXT)
  }),
  answers('writeHead(status, reason)', (_req, res) => {
    res.writeHead(201, 'Made')
    res.end(TEXT)
  }),
  answers('writeHead with an array of headers', (_req, res) => {
    res.writeHead(201, ['X-One', '1', 'X-Two', '2'] as unknown as Record<string, string>)
    res.end(TEXT)
  }),
  answers('writeHead with an array of pairs', (_req, res) => {
    res.writeHead(201, [
      ['X-One', '1'],
      ['X-Two', '2'],
    ] as unknown as Record<string, string>)
    res.end(TEXT)
  }),
  answers('writeHead with a Content-Length', (_req, res) => {
    res.writeHead(200, { 'Content-Length': Buffer.byteLength(TEXT) })
    res.end(TEXT)
  }),
  answers('writeHead that brings a Set-Cookie', (_req, res) => {
    res.writeHead(200, { 'Set-Cookie': 'theme=dark' })
    res.end(TEXT)
  }),
  answers('writeHead that brings several Set-Cookie', (_req, res) => {
    res.writeHead(200, { 'Set-Cookie': ['theme=dark', 'lang=en'] })
    res.end(TEXT)
  }),
  answers('writeHead that brings a set-cookie in small letters, besides one that was set', (_req, res) => {
    res.setHeader('Set-Cookie', 'theme=dark')
    res.writeHead(200, { 'set-cookie': 'lang=en' })
    res.end(TEXT)
  }),
  answers('writeHead in several calls', (_req, res) => {
    res.writeHead(200).end(TEXT)
  }),
  answers('writeHead twice', (_req, res, { note }) => {
    res.writeHead(200)
    try {
      res.writeHead(500)
    } catch (error) {
      note('second head', (error as { code: string }).code)
    }
    res.end(TEXT)
  }),
  answers('writeHead, and a change of the session after it', (req, res) => {
    res.writeHead(200)
    req.session['late'] = true
    res.end(TEXT)
  }),
  {
    name: 'a new session that is only changed after the head is written',
    handler: (req, res) => {
      res.writeHead(200)
      req.session['late'] = true
      res.end(TEXT)
    },
    steps: twice,
  },
  {
    name: 'a new session that is only changed after the first write',
    handler: (req, res) => {
      res.write('first, ')
      req.session['late'] = true
      res.end('last')
    },
    steps: twice,
  },
  answers('flushHeaders', (_req, res) => {
    res.flushHeaders()
    res.end(TEXT)
  }),
  answers('flushHeaders, and the body later', (_req, res) => {
    res.flushHeaders()
    setTimeout(() => res.end(TEXT), 10)
  }),
  answers('headersSent, read on the way', (_req, res, { note }) => {
    note('before', res.headersSent)
    res.write('x')
    note('after', res.headersSent)
    res.end()
  }),
  answers('early hints', (_req, res) => {
    res.writeEarlyHints({ link: '</style.css>; rel=preload' })
    res.end(TEXT)
  }),
  answers('headers that are removed again', (_req, res) => {
    res.setHeader('X-One', '1')
    res.removeHeader('X-One')
    res.end(TEXT)
  }),
  answers('removing Set-Cookie before the end', (_req, res) => {
    res.setHeader('Set-Cookie', 'a=b')
    res.removeHeader('Set-Cookie')
    res.end(TEXT)
  }),
]

const countedVisit = (req: Parameters<Handler>[0]): string => {
  req.session['views'] = Number(req.session['views'] ?? 0) + 1
  return `/${req.session['views']}`
}

/** The session is looked at for the first time in the arguments of what answers. */
function looksFirst(how: string, handler: Handler): Scenario {
  return { name: `a first look at the session in the arguments of ${how}`, handler, steps: twice }
}

export const firstLooks: Scenario[] = [
  looksFirst('end', (req, res) => {
    res.setHeader('Content-Length', 2)
    res.end(countedVisit(req))
  }),
  looksFirst('write', (req, res) => {
    res.write(countedVisit(req))
    res.end(TEXT)
  }),
  looksFirst('writeHead', (req, res) => {
    res.writeHead(200, { 'X-Visit': countedVisit(req) })
    res.end(TEXT)
  }),
  looksFirst('setHeader', (req, res) => {
    res.setHeader('X-Visit', countedVisit(req))
    reply(res, 'ok')
  }),
  looksFirst('send', (req, res) => res.send(countedVisit(req))),
  looksFirst('json', (req, res) => res.json(countedVisit(req))),
  looksFirst('redirect', (req, res) => res.redirect(countedVisit(req))),
  looksFirst('cookie', (req, res) => reply(res.cookie('visit', countedVisit(req)), 'ok')),
]

/** Whether something becomes true within many turns of the event loop, which both sides share. */
async function comesSoon(isTrue: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < 40 && !isTrue(); turn++) await new Promise((resolve) => setTimeout(resolve, 5))
  return isTrue()
}

export const streams: Scenario[] = [
  answers('write and end', (_req, res) => {
    res.write('first, ')
    res.end('last')
  }),
  answers('write and end without a last chunk', (_req, res) => {
    res.write('all of it')
    res.end()
  }),
  answers('many writes over time', (_req, res) => {
    let n = 0
    const timer = setInterval(() => {
      res.write(`${n} `)
      if (++n === 5) {
        clearInterval(timer)
        res.end('end')
      }
    }, 2)
  }),
  answers('write with a callback', (_req, res, { note }) => {
    res.write('first, ', () => note('written', true))
    res.end('last')
  }),
  answers('write with its Content-Length', (_req, res) => {
    res.setHeader('Content-Length', 11)
    res.write('first, ')
    res.end('last')
  }),
  answers('a piped stream', (_req, res) => {
    Readable.from(['one ', 'two ', 'three']).pipe(res)
  }),
  answers('a piped file', (_req, res) => {
    createReadStream(file).pipe(res)
  }),
  answers('a piped stream with a big body', (_req, res) => {
    Readable.from(Array.from({ length: 64 }, (_, n) => Buffer.alloc(16_384, n))).pipe(res)
  }),
  answers('a big body at once', (_req, res) => res.end(Buffer.alloc(2_000_000, 'x'))),
  answers('a big body at once with its Content-Length', (_req, res) => {
    res.setHeader('Content-Length', 2_000_000)
    res.end(Buffer.alloc(2_000_000, 'x'))
  }),
  answers('write with its Content-Length and an empty last chunk', (_req, res) => {
    res.setHeader('Content-Length', 7)
    res.write('first, ')
    res.end('')
  }),
  answers('writes that wait for drain', async (_req, res) => {
    for (let n = 0; n < 20; n++) {
      if (!res.write(Buffer.alloc(32_768, n))) await once(res, 'drain')
    }
    res.end('last')
  }),
  answers('cork and uncork', (_req, res) => {
    res.cork()
    res.write('first, ')
    res.write('second, ')
    res.uncork()
    res.end('last')
  }),
  answers('trailers', (_req, res) => {
    res.setHeader('Trailer', 'X-Sum')
    res.write('body')
    res.addTrailers({ 'X-Sum': '4' })
    res.end()
  }),
  answers('server-sent events', (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    res.write('data: one\n\n')
    setTimeout(() => res.end('data: two\n\n'), 5)
  }),
  readOnly('end of a string', (_req, res) => res.end(TEXT)),
  readOnly('write and end', (_req, res) => {
    res.write('first, ')
    res.end('last')
  }),
  readOnly('json', (_req, res) => res.json({ a: 1 })),
  readOnly('redirect', (_req, res) => res.redirect('/')),
  readOnly('status 204', (_req, res) => res.status(204).end()),
  readOnly('a piped stream', (_req, res) => Readable.from(['a', 'b']).pipe(res)),
  ...(['finish', 'close'] as const).map((event) =>
    answers(`end, of which ${event} is told once`, (_req, res, { note }) => {
      res.on(event, () => note(event, true))
      reply(res, 'ok')
    }),
  ),
  {
    name: 'no byte leaves before the store has stored a session',
    handler: countVisits,
    steps: async (browser, { store, note }) => {
      const release = store.hold('set')
      const request = await browser.open()
      await store.asked('set')
      note('has come before the store answered', await comesSoon(() => request.bytes() > 0))
      release()
      await request.response
    },
  },
  {
    name: 'no byte leaves before the store has destroyed a session',
    options: { unset: 'destroy' },
    handler: {
      '/login': countVisits,
      '/': (req, res) => {
        ;(req as { session: unknown }).session = null
        reply(res, 'out')
      },
    },
    steps: async (browser, { store, note }) => {
      await browser.visit('/login')
      const release = store.hold('destroy')
      const request = await browser.open()
      await store.asked('destroy')
      note('has come before the store answered', await comesSoon(() => request.bytes() > 0))
      release()
      await request.response
    },
  },
  {
    name: 'the last byte of a stream does not leave before the store has stored the session',
    handler: (req, res) => {
      req.session['n'] = 1
      res.write('first, ')
      res.end('last')
    },
    steps: async (browser, { store, note }) => {
      const release = store.hold('set')
      const request = await browser.open()
      await store.asked('set')
      let ended = false
      const response = request.response.then(() => {
        ended = true
      })
      note('ended before the store answered', await comesSoon(() => ended))
      release()
      await response
    },
  },
  {
    name: 'the visitor hangs up while the store is storing',
    handler: countVisits,
    steps: async (browser, { store }) => {
      const release = store.hold('set')
      const connection = await browser.connect()
      connection.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
      await store.asked('set')
      connection.close()
      await new Promise((resolve) => setTimeout(resolve, 10))
      release()
    },
  },
  {
    name: 'the visitor hangs up in the middle of a stream',
    handler: (req, res, { store }) => {
      req.session['n'] = 1
      res.write('first, ')
      req.socket.once('close', () => res.end('last'))
      store.emit('arrived')
    },
    steps: async (browser, { store }) => {
      const arrived = once(store, 'arrived')
      const connection = await browser.connect()
      connection.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
      await arrived
      connection.close()
      await store.asked('set')
    },
  },
  {
    name: 'a handler cuts the connection in place of an answer',
    handler: (req) => {
      req.session['n'] = 1
      req.socket.destroy()
    },
    steps: async (browser) => {
      await browser.visit()
    },
  },
  {
    name: 'a session that a handler first looks at when the response is through',
    handler: {
      '/login': countVisits,
      '/': (req, res, { note }) => {
        res.on('finish', () => note('session', { ...req.session }))
        reply(res, 'ok')
      },
    },
    steps: async (browser) => {
      await browser.visit('/login')
      await browser.visit('/')
    },
  },
  {
    name: 'the visitor hangs up before the answer, and the session is stored all the same',
    handler: {
      '/': async (req, res, { store }) => {
        req.session['n'] = 1
        store.emit('arrived')
        await once(req.socket, 'close')
        reply(res, 'nobody hears')
      },
    },
    steps: async (browser, { store }) => {
      const arrived = once(store, 'arrived')
      const connection = await browser.connect()
      connection.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
      await arrived
      connection.close()
      await store.asked('set')
    },
  },
]

export const cookiesBesides: Scenario[] = [
  answers('res.cookie() besides the session', (_req, res) => {
    res.cookie('theme', 'dark', { maxAge: 1000 })
    reply(res, 'ok')
  }),
  answers('two calls of res.cookie()', (_req, res) => {
    res.cookie('theme', 'dark').cookie('lang', 'en')
    reply(res, 'ok')
  }),
  answers('Set-Cookie set as a string', (_req, res) => {
    res.setHeader('Set-Cookie', 'theme=dark; Path=/')
    reply(res, 'ok')
  }),
  answers('Set-Cookie set as an array', (_req, res) => {
    res.setHeader('Set-Cookie', ['theme=dark', 'lang=en'])
    reply(res, 'ok')
  }),
  answers('Set-Cookie set in lower case', (_req, res) => {
    res.setHeader('set-cookie', 'theme=dark')
    reply(res, 'ok')
  }),
  answers('Set-Cookie appended', (_req, res) => {
    res.appendHeader('Set-Cookie', 'theme=dark')
    res.appendHeader('Set-Cookie', 'lang=en')
    reply(res, 'ok')
  }),
  answers('res.clearCookie() of another cookie', (_req, res) => {
    res.clearCookie('theme')
    reply(res, 'ok')
  }),
  answers('res.clearCookie() of the session cookie while the session goes on', (_req, res) => {
    res.clearCookie('connect.sid')
    reply(res, 'ok')
  }),
  answers('getHeader and getHeaders on the way', (_req, res, { note }) => {
    res.setHeader('X-One', '1')
    note('headers', { ...res.getHeaders() })
    note('cookie', res.getHeader('Set-Cookie') ?? null)
    res.end(TEXT)
    note('afterwards', res.hasHeader('Set-Cookie'))
  }),
]

export const connections: Scenario[] = [
  {
    name: 'several requests on one connection',
    handler: countVisits,
    steps: async (browser) => {
      await browser.keepAlive([['/'], ['/'], ['/'], ['/']])
    },
  },
  {
    name: 'several requests on one connection, some with bodies and some without',
    handler: {
      '/': countVisits,
      '/empty': (req, res) => {
        req.session['empty'] = true
        res.status(204).end()
      },
      '/stream': (req, res) => {
        req.session['stream'] = true
        res.write('a')
        res.end('b')
      },
    },
    steps: async (browser) => {
      await browser.keepAlive([['/'], ['/empty'], ['/stream'], ['/', { method: 'HEAD' }], ['/']])
    },
  },
  {
    name: 'pipelined requests are answered in order',
    handler: {
      '/slow': async (_req, res) => {
        await new Promise((resolve) => setTimeout(resolve, 10))
        reply(res, 'slow')
      },
      '/quick': (_req, res) => reply(res, 'quick'),
    },
    steps: async (browser) => {
      await browser.pipeline([['/slow'], ['/quick'], ['/quick']])
    },
  },
  {
    name: 'pipelined requests of a returning visitor',
    store: { answers: 'late' },
    handler: { '/login': countVisits, '/show': (req, res) => reply(res, req.session) },
    steps: async (browser) => {
      await browser.visit('/login')
      await browser.pipeline([['/show'], ['/show'], ['/show', { method: 'HEAD' }], ['/show']])
    },
  },
  {
    name: 'HTTP/1.0 without keep-alive',
    handler: countVisits,
    steps: async (browser, { note }) => {
      const connection = await browser.connect()
      connection.send('GET / HTTP/1.0\r\n\r\n')
      const response = await connection.response('GET', 2000)
      note('answer', { status: response.status, body: response.body.toString(), ending: response.ending })
      connection.close()
    },
  },
  {
    name: 'Expect: 100-continue',
    handler: countVisits,
    steps: async (browser) => {
      await browser.visit('/', { method: 'POST', headers: [['Expect', '100-continue']], body: 'x' })
    },
  },
]
