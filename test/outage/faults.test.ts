/** A store that fails or never answers, call by call: every response ends, as the option ifStoreFails says. */
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Response } from 'express'
import { MemoryStore, type SessionStore } from 'fast-session'
import { describe, expect, it } from 'vitest'
import { type LiveSession, startApp, type Visitor } from '../fixtures/live-app.ts'
import { watch } from '../fixtures/watched-records.ts'

/** In ms. Nothing depends on it but how long the tests take. */
const TIMEOUT = 40

const HOUR = 3_600_000

const faults = [
  { fault: 'throws at once', isAtOnce: true, code: 'DOWN', answer: () => fail() },
  { fault: 'fails', isAtOnce: false, code: 'DOWN', answer: async () => fail() },
  {
    fault: 'never answers',
    isAtOnce: false,
    code: 'SESSION_STORE_TIMEOUT',
    answer: () => new Promise(() => {}),
  },
  {
    fault: 'fails when nobody waits any more',
    isAtOnce: false,
    code: 'SESSION_STORE_TIMEOUT',
    answer: () => sleep(25 * TIMEOUT).then(fail),
  },
]

function fail(): never {
  throw Object.assign(new Error('The server is down.'), { code: 'DOWN' })
}

const responses: ReadonlyArray<[how: string, respond: (res: Response) => unknown]> = [
  ['end', (res) => res.end('all of it')],
  ['json', (res) => res.json('all of it')],
  ['writeHead and end', (res) => res.writeHead(200, { 'X-By': 'writeHead' }).end('all of it')],
  [
    'write and end',
    (res) => {
      res.write('all ')
      res.end('of it')
    },
  ],
  ['pipe', (res) => Readable.from(['all ', 'of ', 'it']).pipe(res)],
  [
    'flushHeaders and end',
    (res) => {
      res.flushHeaders()
      res.end('all of it')
    },
  ],
]

/** What a handler calls that asks the store by itself. */
const ofSession: ReadonlyArray<
  [name: string, failing: string, call: (session: LiveSession) => Promise<unknown>]
> = [
  ['save', 'write', (session) => Object.assign(session, { n: 2 }).save()],
  ['update', 'write', (session) => session.update((fresh) => Object.assign(fresh, { n: 2 }))],
  ['reload', 'read', (session) => session.reload()],
  ['destroy', 'delete', (session) => session.destroy()],
  ['regenerate', 'delete', (session) => session.regenerate()],
  ['regenerate with a grace', 'write', (session) => session.regenerate({ grace: 1000 })],
]
const ofStore: ReadonlyArray<
  [name: string, failing: string, call: (store: SessionStore) => Promise<unknown>]
> = [
  ['sessionsOf', 'readOwned', (store) => store.sessionsOf('ada')],
  ['revokeOwner', 'deleteOwned', (store) => store.revokeOwner('ada')],
  ['revoke', 'readOwned', (store) => store.revoke('ada', 'key')],
  ['get', 'read', (store) => store.get('id')],
  ['set', 'write', (store) => store.set('id', { cookie: {} })],
  ['destroy', 'delete', (store) => store.destroy('id')],
  ['touch', 'touch', (store) => store.touch('id', { cookie: {} })],
]

describe.each(faults)('a store that $fault', ({ isAtOnce, code, answer }) => {
  describe.each(['error', 'no-session'] as const)('with ifStoreFails: %s', (ifStoreFails) => {
    /** An app and somebody who has signed in; `down` lets one method of the store fail, once or until `up`. */
    async function start(options: { unset?: 'destroy' } = {}) {
      const watched = watch(new MemoryStore().records, { isAtOnce })
      const told: unknown[] = []
      const app = await startApp({
        store: watched.records,
        storeTimeout: TIMEOUT,
        ifStoreFails,
        onError: (error) => told.push((error as { code?: string }).code),
        ...options,
      })
      const visitor = app.visitor()
      await visitor.change((session) => Object.assign(session, { user: 'ada' }))
      return {
        app,
        visitor,
        told,
        down(failing: string, once?: 'once') {
          watched.interfere = ({ method }, goOn) => {
            if (method !== failing) return goOn()
            if (once) watched.interfere = undefined
            return answer()
          }
        },
        up() {
          watched.interfere = undefined
        },
      }
    }

    async function expectRecovered(visitor: Visitor) {
      const change = visitor.change((session) => Object.assign(session, { back: true }))
      expect(await change).toMatchObject({ status: 200 })
      expect(await visitor.see(({ user, back }) => [user, back])).toEqual(['ada', true])
    }

    const isError = ifStoreFails === 'error'

    describe.each(responses)('and a response by %s', (_how, respond) => {
      function expectAnswer({ status, text }: { status: number; text: string }) {
        if (isError) expect([status, text]).toEqual([500, code])
        else expect([status, text.replaceAll('"', '')]).toEqual([200, 'all of it'])
      }

      it(isError ? 'fails who reads' : 'lets who reads go on without a session', async () => {
        const { visitor, told, down, up } = await start()
        down('read')
        const sessions: unknown[] = []
        const answer = await visitor.ask((req, res) => {
          sessions.push(req.session)
          respond(res)
        })
        expectAnswer(answer)
        expect(answer.headers['set-cookie']).toBeUndefined()
        expect(sessions.filter((session) => session !== undefined)).toEqual([])
        expect(told).toEqual([code])
        up()
        await expectRecovered(visitor)
      })

      it(isError ? 'fails who signs in' : 'answers who signs in without a cookie', async () => {
        const { app, visitor, told, down, up } = await start()
        down('write')
        const answer = await app.visitor().ask((req, res) => {
          req.session.user = 'grace'
          respond(res)
        })
        expectAnswer(answer)
        expect(answer.headers['set-cookie']).toBeUndefined()
        if (isError) expect(answer.headers['x-by']).toBeUndefined()
        expect(told).toEqual([code])
        up()
        await expectRecovered(visitor)
      })

      it(isError ? 'fails who changes' : 'answers who changes, and stores nothing', async () => {
        const { visitor, told, down, up } = await start()
        down('write')
        const answer = await visitor.ask((req, res) => {
          req.session.n = 99
          respond(res)
        })
        expectAnswer(answer)
        expect(told).toEqual([code])
        up()
        expect(await visitor.see(({ n }) => n ?? 'none')).toBe('none')
        await expectRecovered(visitor)
      })

      // A store that throws at once fails the read itself.
      const itLater = isAtOnce ? undefined : it
      itLater?.('answers who reads a session whose expiry can not be moved', async () => {
        const { visitor, told, down, up } = await start()
        await visitor.change(({ cookie }) => {
          cookie.maxAge = HOUR
        })
        down('touch')
        const { status, text } = await visitor.ask((req, res) => {
          expect(req.session.user).toBe('ada')
          respond(res)
        })
        expect([status, text.replaceAll('"', '')]).toEqual([200, 'all of it'])
        expect(told).toEqual([code])
        up()
        await expectRecovered(visitor)
      })
    })

    it(
      isError ? 'cuts off a response that can not be stored at its end' : 'ends it all the same',
      async () => {
        const { visitor, told, down, up } = await start()
        const asking = visitor.ask((req, res) => {
          const { session } = req
          res.write('begun, ')
          setTimeout(() => {
            down('write')
            session.n = 99
            res.end('and ended')
          }, 20)
        })
        if (isError) await expect(asking).rejects.toThrow()
        else expect(await asking).toMatchObject({ status: 200, text: 'begun, and ended' })
        expect(told).toEqual([code])
        up()
        await expectRecovered(visitor)
      },
    )

    it.each(ofSession)('rejects %s, and fails who waits for it', async (_name, failing, call) => {
      const { visitor, told, down } = await start()
      const { status, text } = await visitor.change((session) => {
        down(failing, 'once')
        return call(session)
      })
      expect([status, text]).toEqual([500, code])
      expect(told).toContain(code)
    })

    it.each(ofSession)(
      'answers who does not wait for %s, and tells onError',
      async (_name, failing, call) => {
        const { visitor, told, down } = await start()
        const { status, text } = await visitor.ask((req, res) => {
          const { session } = req
          down(failing, 'once')
          void call(session)
          res.end('done')
        })
        expect([status, text]).toEqual([200, 'done'])
        expect(told).toEqual([code])
      },
    )

    it.each(ofStore)('rejects what is asked of req.sessionStore: %s', async (_name, failing, call) => {
      const { app, visitor, down, up } = await start()
      down(failing)
      const { status, text } = await app.visitor().ask(async (req, res) => {
        await call(req.sessionStore)
        res.end('done')
      })
      expect([status, text]).toEqual([500, code])
      up()
      await expectRecovered(visitor)
    })

    it('never confirms a logout by unset that did not happen', async () => {
      const { visitor, told, down, up } = await start({ unset: 'destroy' })
      down('delete')
      const { status, text } = await visitor.ask((req, res) => {
        Object.assign(req, { session: null })
        res.end('You are signed out.')
      })
      expect([status, text]).toEqual([500, code])
      expect(told).toEqual([code])
      up()
      await expectRecovered(visitor)
    })
  })
})

describe('an onError that fails itself', () => {
  it.each([
    ['throws', () => fail()],
    ['rejects', async () => fail()],
  ])('keeps no response back when it %s', async (_how, onError) => {
    for (const ifStoreFails of ['error', 'no-session'] as const) {
      const watched = watch(new MemoryStore().records, { isAtOnce: false })
      const app = await startApp({ store: watched.records, ifStoreFails, onError })
      watched.interfere = async () => fail()
      const { status } = await app.visitor().change((session) => Object.assign(session, { n: 1 }))
      expect(status).toBe(ifStoreFails === 'error' ? 500 : 200)
    }
  })
})

describe('the events of a store', () => {
  it('named error reach onError, and end no process', async () => {
    const store = new MemoryStore()
    const told: unknown[] = []
    const app = await startApp({ store, onError: (error) => told.push(error) })
    const error = new Error('lost the connection')
    expect(store.emit('error', error)).toBe(true)
    expect(told).toEqual([error])
    expect((await app.visitor().change((session) => Object.assign(session, { n: 1 }))).status).toBe(200)
  })

  it('named disconnect let requests go on without a session, until connect', async () => {
    const store = new MemoryStore()
    const app = await startApp({ store })
    const visitor = app.visitor()
    await visitor.change((session) => Object.assign(session, { user: 'ada' }))
    store.emit('disconnect')
    expect((await visitor.ask((req, res) => res.end(typeof req.session))).text).toBe('undefined')
    store.emit('connect')
    expect(await visitor.see(({ user }) => user)).toBe('ada')
  })
})
