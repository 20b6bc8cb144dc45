/** Sessions where a connection is upgraded: Socket.IO's handshake and ws, as their documentation shows it. */
import http, { type IncomingMessage, type RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { Server as SocketServer } from 'socket.io'
import { io } from 'socket.io-client'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import {
  express as expressSession,
  fast,
  type Middleware,
  type SessionRequest,
} from '../differential/contender.ts'
import { SECRET } from '../differential/scenario.ts'
import { Visitor } from './visitor.ts'

const sessionOf = (req: unknown) => (req as SessionRequest).session

const closing: Array<() => unknown> = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** An app where /login makes a session and /show tells its state, on a server whose upgrades are the test's. */
async function start(session: Middleware): Promise<{ server: http.Server; visitor: Visitor }> {
  const app = express()
  app.use(session)
  app.get('/login', (req, res) => {
    sessionOf(req)['user'] = 'ada'
    res.json('in')
  })
  app.get('/show', (req, res) => {
    const { cookie: _, ...data } = sessionOf(req)
    res.json(data)
  })
  const server = http.createServer(app as RequestListener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const visitor = new Visitor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return { server, visitor }
}

/** The first message of a WebSocket that sends this Cookie header. */
function firstMessage(visitor: Visitor): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(visitor.origin.replace('http', 'ws'), {
      headers: { cookie: visitor.cookieHeader },
    })
    closing.push(() => socket.terminate())
    socket.on('message', (data) => resolve(JSON.parse(String(data))))
    socket.on('error', reject)
  })
}

/** The first `hello` of a Socket.IO connection that sends this Cookie header. */
function firstHello(visitor: Visitor, transports: string[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = io(visitor.origin, {
      transports,
      extraHeaders: { cookie: visitor.cookieHeader },
      reconnection: false,
    })
    closing.push(() => socket.close())
    socket.on('hello', resolve)
    socket.on('connect_error', reject)
  })
}

describe.each([expressSession, fast])('$name', ({ middleware }) => {
  const session = (): Middleware => middleware({ secret: SECRET, resave: false, saveUninitialized: false })

  describe('ws', () => {
    it.each<[string, (req: IncomingMessage) => ServerResponse]>([
      ['an empty object in place of a response', () => ({}) as ServerResponse],
      ['a response that is never sent', (req) => new ServerResponse(req)],
    ])('reads the session of an upgrade with %s', async (_what, responseOf) => {
      const middleware = session()
      const { server, visitor } = await start(middleware)
      const sockets = new WebSocketServer({ noServer: true })
      closing.push(() => sockets.close())
      server.on('upgrade', (req, socket, head) => {
        middleware(req, responseOf(req), () => {
          sockets.handleUpgrade(req, socket, head, (webSocket) => {
            webSocket.send(JSON.stringify({ user: sessionOf(req)['user'] ?? null }))
          })
        })
      })
      expect(await firstMessage(visitor)).toEqual({ user: null })
      await visitor.get('/login')
      expect(await firstMessage(visitor)).toEqual({ user: 'ada' })
      visitor.cookies.set('connect.sid', 's%3Aforged.forged')
      expect(await firstMessage(visitor)).toEqual({ user: null })
    })

    it('saves what a message put into the session, and reloads what a request put there', async () => {
      const middleware = session()
      const { server, visitor } = await start(middleware)
      const sockets = new WebSocketServer({ noServer: true })
      closing.push(() => sockets.close())
      server.on('upgrade', (req, socket, head) => {
        middleware(req, {} as ServerResponse, () => {
          sockets.handleUpgrade(req, socket, head, (webSocket) => {
            sessionOf(req).reload((error) => {
              sessionOf(req)['seen'] = `by the socket, ${error === undefined ? 'reloaded' : 'not reloaded'}`
              sessionOf(req).save(() => webSocket.send('"saved"'))
            })
          })
        })
      })
      await visitor.get('/login')
      expect(await firstMessage(visitor)).toBe('saved')
      expect(JSON.parse((await visitor.get('/show')).text)).toEqual({
        user: 'ada',
        seen: 'by the socket, reloaded',
      })
    })

    it('destroys the session from a socket', async () => {
      const middleware = session()
      const { server, visitor } = await start(middleware)
      const sockets = new WebSocketServer({ noServer: true })
      closing.push(() => sockets.close())
      server.on('upgrade', (req, socket, head) => {
        middleware(req, {} as ServerResponse, () => {
          sockets.handleUpgrade(req, socket, head, (webSocket) => {
            sessionOf(req).destroy(() => webSocket.send('"destroyed"'))
          })
        })
      })
      await visitor.get('/login')
      expect(await firstMessage(visitor)).toBe('destroyed')
      expect((await visitor.get('/show')).text).toBe('{}')
    })
  })

  describe('Socket.IO', () => {
    const plugs: Record<string, (sockets: SocketServer, session: Middleware) => void> = {
      'io.engine.use(session)': (sockets, session) => {
        sockets.engine.use(session)
      },
      'io.use(wrap(session))': (sockets, session) => {
        sockets.use((socket, next) => session(socket.request, {} as ServerResponse, next as () => void))
      },
    }

    for (const [plug, plugIn] of Object.entries(plugs)) {
      it.each([[['polling']], [['websocket']], [['polling', 'websocket']]])(
        `knows the user by ${plug} over %s`,
        async (transports) => {
          const middleware = session()
          const { server, visitor } = await start(middleware)
          const sockets = new SocketServer(server)
          closing.push(() => sockets.close())
          plugIn(sockets, middleware)
          sockets.on('connection', (socket) => {
            socket.emit('hello', { user: sessionOf(socket.request)['user'] ?? null })
          })
          await visitor.get('/login')
          expect(await firstHello(visitor, transports)).toEqual({ user: 'ada' })
          expect(await firstHello(new Visitor(visitor.origin), transports)).toEqual({ user: null })
        },
      )
    }

    it('saves what a handler of io.engine.use put into the session', async () => {
      const middleware = session()
      const { server, visitor } = await start(middleware)
      const sockets = new SocketServer(server)
      closing.push(() => sockets.close())
      sockets.engine.use(middleware)
      sockets.on('connection', (socket) => {
        const { request } = socket
        sessionOf(request).reload(() => {
          sessionOf(request)['connections'] = 1
          sessionOf(request).save(() => socket.emit('hello', 'saved'))
        })
      })
      await visitor.get('/login')
      expect(await firstHello(visitor, ['websocket'])).toBe('saved')
      expect(JSON.parse((await visitor.get('/show')).text)).toEqual({ user: 'ada', connections: 1 })
    })
  })
})
