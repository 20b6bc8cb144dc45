/** Responses that are none: what people put in Node's place to test their handlers. */
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import fastSession, { type Session, type SessionMiddleware, Store } from 'fast-session'
import { expect, it } from 'vitest'

/** As node-mocks-http makes them: all that Node has on the prototype is the object's own. */
function standIn() {
  const headers = new Map<string, unknown>()
  const res = Object.assign(new EventEmitter(), {
    statusCode: 200,
    headersSent: false,
    body: '',
    setHeader: (name: string, value: unknown) => void headers.set(name.toLowerCase(), value),
    getHeader: (name: string) => headers.get(name.toLowerCase()),
    removeHeader: (name: string) => void headers.delete(name.toLowerCase()),
    write: () => true,
    writeHead() {
      res.headersSent = true
    },
    flushHeaders() {},
    end(body: string) {
      res.writeHead()
      res.body = body
      res.emit('end')
    },
  })
  return res
}

class SlowStore extends Store {
  override get(_id: string, callback: (error: unknown) => void): void {
    setImmediate(callback, null)
  }
  override set(_id: string, _session: object, callback: (error?: unknown) => void): void {
    setImmediate(callback, null)
  }
  override destroy(_id: string, callback: (error?: unknown) => void): void {
    setImmediate(callback, null)
  }
}

it('a stand-in for a response says when its headers are sent, held or not', async () => {
  const middleware: SessionMiddleware = fastSession({
    secret: 'the secret of the responses that are none',
    store: new SlowStore(),
  })
  const req = { headers: {}, url: '/', socket: {} } as IncomingMessage & { session: Session & { n?: number } }
  const res = standIn()
  await new Promise<void>((resolve) => middleware(req, res as unknown as ServerResponse, () => resolve()))
  req.session.n = 1
  const ended = new Promise((resolve) => res.once('end', resolve))
  res.end('stored')
  expect([res.headersSent, res.body]).toEqual([true, ''])
  expect(() => res.setHeader('X-Late', 'yes')).toThrow('Cannot set headers after they are sent')
  await ended
  expect([res.headersSent, res.body]).toEqual([true, 'stored'])
  expect(res.getHeader('Set-Cookie')).toHaveLength(1)
  res.headersSent = false
  expect(res.headersSent).toBe(false)
})
