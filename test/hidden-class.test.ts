/** Messages whose prototype Express has changed share a hidden class, and all others stay as they are. */
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import express, { type RequestHandler } from 'express'
import express4 from 'express4'
import fastSession from 'fast-session'
import { createServer } from 'fast-session/server'
import { describe, expect, it } from 'vitest'

setFlagsFromString('--allow-natives-syntax')
const shareHiddenClass = runInThisContext('(a, b) => %HaveSameMap(a, b)') as (a: object, b: object) => boolean
const isHashTable = runInThisContext('(object) => !%HasFastProperties(object)') as (object: object) => boolean

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('messages of %s', (_name, framework) => {
  it('share a hidden class with app.listen', async () => {
    const [first, second] = await twoExchanges(framework, createPlainServer)
    expect(shareHiddenClass(first.req, second.req)).toBe(true)
    expect(shareHiddenClass(first.res, second.res)).toBe(true)
  })

  it('are no hash tables on a server of fast-session/server', async () => {
    const [, { req, res }] = await twoExchanges(framework, createServer)
    expect([isHashTable(req), isHashTable(res)]).toEqual([false, false])
  })
})

it('leaves the messages of an application without Express alone', async () => {
  const session = fastSession({ secret: 'a secret that is long enough for its purpose' })
  const [, { req, res }] = await visits(
    (seen) => (req, res) => session(req, res, () => seen(req, res)),
    createPlainServer,
  )
  expect([isHashTable(req), isHashTable(res)]).toEqual([false, false])
})

interface Exchanged {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

type Listener = (req: IncomingMessage, res: ServerResponse) => void
type Create = (listener: Listener) => Server

function twoExchanges(framework: typeof express, create: Create) {
  return visits((seen) => {
    const app = framework()
    app.use(fastSession({ secret: 'a secret that is long enough for its purpose' }) as RequestHandler)
    app.use((req, res) => {
      Object.assign(req.session, { visited: true })
      seen(req, res)
    })
    return app
  }, create)
}

/** The last two of a dozen exchanges: V8 fits the room within an object to what the first eight of them need. */
async function visits(
  listener: (seen: Listener) => Listener,
  create: Create,
): Promise<[Exchanged, Exchanged]> {
  const exchanged: Exchanged[] = []
  const server = create(
    listener((req, res) => {
      exchanged.push({ req, res })
      res.end('seen')
    }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  for (let visit = 0; visit < 12; visit++) {
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('seen')
  }
  server.close()
  return exchanged.slice(-2) as [Exchanged, Exchanged]
}
