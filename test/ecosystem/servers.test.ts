/** Every kind of server that the middleware may stand in: a visitor is counted on each, over each protocol. */
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import connect from 'connect'
import express from 'express'
import express4 from 'express4'
import { afterEach, describe, expect, it } from 'vitest'
import {
  express as expressSession,
  fast,
  type Middleware,
  type SessionRequest,
} from '../differential/contender.ts'
import { SECRET } from '../differential/scenario.ts'
import { certificate } from './certificate.ts'

const servers: Array<Server & { closeAllConnections?: () => void }> = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections?.()
  }
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** Counts visits and answers with the count: at / in one piece, at /stream in two. */
function count(req: IncomingMessage, res: ServerResponse): void {
  const { session, url } = req as unknown as SessionRequest
  const views = Number(session['views'] ?? 0) + 1
  session['views'] = views
  if (url.startsWith('/stream')) {
    res.write(`${views}`)
    setImmediate(() => res.end(' visits'))
  } else {
    res.end(`${views} visits`)
  }
}

const apps: Record<string, (session: Middleware) => RequestListener> = {
  'Express 5': (session) => express().use(session, count),
  'Express 4': (session) => express4().use(session, count),
  Connect: (session) => connect().use(session).use(count),
  'plain node:http': (session) => (req, res) => {
    session(req, res, (error) => {
      if (error === undefined) return count(req, res)
      res.statusCode = 500
      res.end(String(error))
    })
  },
}

interface Reply {
  readonly body: string
  readonly cookie: string
}

/** A request over HTTP/1.1, plain or TLS. */
function request1(port: number, tls: boolean, path: string, cookie: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { get } = tls ? https : http
    const options = { host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false as const }
    get({ ...options, headers: cookie ? { cookie } : {} }, (res) => {
      let body = ''
      res.setEncoding('utf8').on('data', (text) => {
        body += text
      })
      res.on('end', () => resolve({ body, cookie: res.headers['set-cookie']?.join('\n') ?? '' }))
    }).on('error', reject)
  })
}

/** A request over HTTP/2, with TLS or with prior knowledge (h2c). */
function request2(port: number, tls: boolean, path: string, cookie: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const client = http2.connect(`${tls ? 'https' : 'http'}://127.0.0.1:${port}`, {
      rejectUnauthorized: false,
    })
    client.on('error', reject)
    const stream = client.request({ ':path': path, ...(cookie ? { cookie } : {}) })
    let [body, setCookie] = ['', '']
    stream.on('response', (headers) => {
      setCookie = headers['set-cookie']?.join('\n') ?? ''
    })
    stream.setEncoding('utf8').on('data', (text) => {
      body += text
    })
    stream.on('end', () => {
      client.close()
      resolve({ body, cookie: setCookie })
    })
    stream.on('error', reject)
  })
}

type Request = typeof request1

async function expectCounting(request: Request, port: number, tls: boolean, path: string): Promise<void> {
  const first = await request(port, tls, path, '')
  expect(first.body).toBe('1 visits')
  expect(first.cookie).toMatch(/^connect\.sid=s%3A[\w-]{32}\.[^;]+; Path=\/; Expires=[^;]+ GMT; HttpOnly/)
  expect(first.cookie.includes('; Secure')).toBe(tls)
  const cookie = first.cookie.split(';')[0]!
  expect((await request(port, tls, path, cookie)).body).toBe('2 visits')
  expect((await request(port, tls, path, `${cookie}x`)).body).toBe('1 visits')
}

const options = {
  secret: SECRET,
  resave: false,
  saveUninitialized: false,
  cookie: { secure: 'auto', maxAge: 60_000 },
} as const

describe.each([expressSession, fast])('$name', ({ middleware }) => {
  describe.each(Object.entries(apps))('on %s', (_name, build) => {
    const session = () => middleware({ ...options })

    it.each(['/', '/stream'])('counts visits over HTTP at %s', async (path) => {
      await expectCounting(request1, await listen(http.createServer(build(session()))), false, path)
    })

    it.each(['/', '/stream'])('counts visits over HTTPS at %s', async (path) => {
      await expectCounting(
        request1,
        await listen(https.createServer(certificate, build(session()))),
        true,
        path,
      )
    })
  })
})

// Express replaces the prototypes of HTTP/2 requests by those of HTTP/1 ones, and express-session calls methods that
// HTTP/2 responses lack: neither is here.
describe.each(['plain node:http', 'Connect'])('fast-session on %s over HTTP/2', (name) => {
  const listener = () =>
    apps[name]!(fast.middleware({ ...options })) as unknown as (
      req: http2.Http2ServerRequest,
      res: http2.Http2ServerResponse,
    ) => void

  it.each(['/', '/stream'])('counts visits with TLS at %s', async (path) => {
    const port = await listen(http2.createSecureServer({ ...certificate, allowHTTP1: true }, listener()))
    await expectCounting(request2, port, true, path)
  })

  it.each(['/', '/stream'])('counts visits of HTTP/1.1 clients at %s', async (path) => {
    const port = await listen(http2.createSecureServer({ ...certificate, allowHTTP1: true }, listener()))
    await expectCounting(request1, port, true, path)
  })

  it.each(['/', '/stream'])('counts visits without TLS at %s', async (path) => {
    await expectCounting(request2, await listen(http2.createServer(listener())), false, path)
  })
})
