/** Servers of `fast-session/server` answer as those of app.listen do. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createPlainServer, IncomingMessage, type Server, ServerResponse } from 'node:http'
import { get as httpsGet } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express, { type Express, type RequestHandler } from 'express'
import express4 from 'express4'
import fastSession from 'fast-session'
import { createHttpsServer, createServer, messageClasses } from 'fast-session/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** Says what a handler can see of the messages that it was given. */
function describeMessages(app: Express): RequestHandler {
  return (req, res) => {
    res.json({
      method: req.method,
      url: req.url,
      baseUrl: req.baseUrl,
      headers: { ...req.headers, host: 'hidden' },
      rawHeaders: req.rawHeaders.length,
      version: [req.httpVersion, req.httpVersionMajor, req.httpVersionMinor],
      ip: req.ip,
      protocol: req.protocol,
      query: req.query,
      body: req.body,
      accepts: req.accepts(['json', 'html']) || 'nothing',
      instances: [req instanceof IncomingMessage, res instanceof ServerResponse],
      prototypes: [Object.getPrototypeOf(req) === app.request, Object.getPrototypeOf(res) === app.response],
      names: [req.constructor.name, res.constructor.name],
      keys: [Object.keys(req).sort(), Object.keys(res).sort()],
      app: [req.app === app, res.app === app],
      socket: req.socket === res.socket,
    })
  }
}

function makeApp(framework: typeof express): Express {
  const app = framework()
  app.use(framework.json())
  app.use(fastSession({ secret: 'a secret that is long enough for its purpose' }) as RequestHandler)
  app.all('/messages', describeMessages(app))
  const nested = framework()
  nested.get('/messages', describeMessages(nested))
  nested.get('/fall-through', (_req, _res, next) => next())
  app.use('/nested', nested)
  app.get('/nested/fall-through', describeMessages(app))
  app.get('/count', (req, res) => {
    const session = req.session as unknown as { count?: number }
    session.count = (session.count ?? 0) + 1
    res.send(`visit ${session.count}`)
  })
  app.get('/stream', (_req, res) => {
    res.write('first ')
    setImmediate(() => res.end('second'))
  })
  app.get('/redirect', (_req, res) => res.redirect('/count'))
  app.get('/status', (_req, res) => {
    res.sendStatus(418)
  })
  app.get('/cached', (_req, res) => {
    res.set('ETag', '"same"').send('cached')
  })
  app.get('/file', (_req, res) => res.sendFile(import.meta.filename))
  app.get('/error', () => {
    throw Object.assign(new Error('on purpose'), { status: 503, expose: true })
  })
  app.set('env', 'test')
  return app
}

/** Requests as bytes, so that nothing is put right on the way. */
const REQUESTS: Readonly<Record<string, string>> = {
  'a plain request': 'GET /messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'a query and duplicate headers':
    'GET /messages?a=1&b[]=2&b[]=3 HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n',
  'HTTP/1.0': 'GET /messages HTTP/1.0\r\n\r\n',
  'HTTP/1.0 that stays':
    'GET /count HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /status HTTP/1.0\r\nConnection: close\r\n\r\n',
  HEAD: 'HEAD /messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  OPTIONS: 'OPTIONS /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'a JSON body':
    'POST /messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{"a":1}',
  'a chunked body':
    'POST /messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\n{"a\r\n4\r\n":2}\r\n0\r\n\r\n',
  'a body that is no JSON':
    'POST /messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1\r\nConnection: close\r\n\r\n{',
  'a nested application': 'GET /nested/messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'a nested application that passes on':
    'GET /nested/fall-through HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'a session': 'GET /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'keep-alive and pipelining':
    'GET /count HTTP/1.1\r\nHost: a\r\n\r\nGET /stream HTTP/1.1\r\nHost: a\r\n\r\nGET /messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'a streamed answer': 'GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'a redirect': 'GET /redirect HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'what is not modified':
    'GET /cached HTTP/1.1\r\nHost: a\r\nIf-None-Match: "same"\r\nConnection: close\r\n\r\n',
  'a part of a file': 'GET /file HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9\r\nConnection: close\r\n\r\n',
  'what is not there': 'GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'a handler that throws': 'GET /error HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'Expect: 100-continue':
    'POST /messages HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}',
  'another expectation': 'GET /messages HTTP/1.1\r\nHost: a\r\nExpect: miracle\r\nConnection: close\r\n\r\n',
  'no Host': 'GET /messages HTTP/1.1\r\nConnection: close\r\n\r\n',
  'no HTTP': 'nonsense\r\n\r\n',
  'an upgrade that nobody listens for':
    'GET /messages HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: nothing\r\n\r\n',
}

describe.each([
  ['Express 5', express],
  ['Express 4', express4 as typeof express],
])('a server of fast-session/server with %s', (_name, framework) => {
  const app = makeApp(framework)
  let plain: Server
  let ours: Server

  beforeAll(async () => {
    plain = await listen(createPlainServer(app))
    ours = await listen(createServer(app))
  })
  afterAll(() => {
    plain.close()
    ours.close()
  })

  it.each(Object.entries(REQUESTS))('answers %s as app.listen does', async (_what, bytes) => {
    const answer = normalized(await exchange(ours, bytes))
    expect(answer).toBe(normalized(await exchange(plain, bytes)))
    expect(answer).toMatch(/^HTTP\/1\.1 \d{3} /)
  })

  it('makes messages that need no other prototype', async () => {
    const seen: boolean[] = []
    const server = createServer(app)
    server.prependListener('request', (req, res) => {
      seen.push(Object.getPrototypeOf(req) === app.request, Object.getPrototypeOf(res) === app.response)
    })
    await listen(server)
    await exchange(server, REQUESTS['a session']!)
    server.close()
    expect(seen).toEqual([true, true])
  })

  it('hands an upgrade to who listens for it', async () => {
    const server = await listen(createServer(app))
    server.on('upgrade', (req, socket, head) => {
      const { upgrade } = req.headers
      const isMessage = req instanceof IncomingMessage
      socket.end(`HTTP/1.1 101 Switching Protocols\r\n\r\n${upgrade} ${isMessage} ${head}`)
    })
    const bytes = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhead'
    expect(await exchange(server, bytes)).toBe('HTTP/1.1 101 Switching Protocols\r\n\r\necho true head')
    server.close()
  })
})

describe('createServer of fast-session/server', () => {
  it('takes the options of node:http, and classes of the user before its own', async () => {
    class OwnRequest extends IncomingMessage {}
    const app = express().use((req, res) => {
      res.send(`${req instanceof IncomingMessage} ${server.keepAliveTimeout}`)
    })
    const server = createServer({ IncomingMessage: OwnRequest, keepAliveTimeout: 1234 }, app)
    await listen(server)
    expect(await exchange(server, REQUESTS['a session']!)).toMatch(/true 1234$/)
    server.close()
  })

  it('serves a listener that is no application, as node:http does', async () => {
    const server = await listen(
      createServer((req, res) => {
        res.end(`${Object.getPrototypeOf(req) === IncomingMessage.prototype}`)
      }),
    )
    expect(await exchange(server, REQUESTS['a session']!)).toMatch(/true$/)
    server.close()
  })

  it('gives its classes to servers that are made elsewhere', async () => {
    const app = express().use((_req, res) => {
      res.send('from elsewhere')
    })
    const server = await listen(createPlainServer(messageClasses(app), (req, res) => app(req, res)))
    expect(await exchange(server, REQUESTS['a session']!)).toMatch(/from elsewhere$/)
    server.close()
    expect(messageClasses(() => {})).toEqual({})
  })

  it('serves HTTPS', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'fast-session-https-'))
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
    const subject = ['-subj', '/CN=localhost', '-days', '1', '-nodes', '-newkey', 'rsa:2048']
    execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    const app = express().use((req, res) => {
      res.send(`${req.protocol} ${Object.getPrototypeOf(req) === app.request}`)
    })
    const server = createHttpsServer({ key: readFileSync(key), cert: readFileSync(cert) }, app)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const body = await new Promise<string>((resolve, reject) => {
      const request = httpsGet({ port, host: '127.0.0.1', rejectUnauthorized: false, agent: false }, (res) =>
        res.setEncoding('utf8').once('data', resolve),
      )
      request.once('error', reject)
    })
    server.close()
    rmSync(dir, { recursive: true })
    expect(body).toBe('https true')
  })
})

async function listen(server: Server): Promise<Server> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return server
}

/** Everything that a server answers to these bytes until it closes the connection. */
async function exchange(server: Server, bytes: string): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.setEncoding('latin1').write(bytes, 'latin1')
  let answer = ''
  for await (const text of socket) answer += text
  return answer
}

/** Without what differs from one request to the next: the time, and the ids of new sessions. */
function normalized(answer: string): string {
  return answer
    .replace(/^(Date|Last-Modified|ETag): .*/gm, '$1: …')
    .replace(/connect\.sid=[^;]+/g, 'connect.sid=…')
}
