/** What subscribers of node:diagnostics_channel hear of sessions, on every store. */
import { createHash } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import fastSession, { MemoryStore } from 'fast-session'
import memorystore from 'memorystore'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { signal, startApp, type Visitor } from './fixtures/live-app.ts'
import { type Home, sessionStores } from './fixtures/session-stores.ts'
import { watch } from './fixtures/watched-records.ts'

const MINUTE = 60_000
const CHANNELS = ['load', 'commit', 'conflict', 'touch', 'store-error']

type Event = Record<string, unknown> & { channel: string }
let heard: Event[] = []

beforeEach(() => {
  heard = []
  const subscriptions = CHANNELS.map((name) => {
    const listen = (message: unknown) => heard.push({ channel: name, ...(message as object) })
    subscribe(`fast-session:${name}`, listen)
    return () => unsubscribe(`fast-session:${name}`, listen)
  })
  vi.useFakeTimers({ toFake: ['Date'] })
  return () => {
    vi.useRealTimers()
    for (const end of subscriptions) end()
  }
})

const hashOf = ({ sid }: Visitor) => createHash('sha256').update(sid).digest('base64url')
const channels = () => heard.splice(0).map(({ channel }) => channel)

describe.each(sessionStores)('$name', ({ isMissing, find }) => {
  describe.skipIf(isMissing)('a subscriber hears', () => {
    let home: Home
    beforeAll(async () => {
      home = await find()
    })
    afterAll(() => home?.close())

    async function signIn() {
      const app = await startApp({ store: await home.open({ touchAfter: 0 }), idleTimeout: 30 * MINUTE })
      const visitor = app.visitor()
      await visitor.change((session) => Object.assign(session, { user: 'ada' }))
      return { app, visitor }
    }

    it('of a login, that it was stored', async () => {
      const { visitor } = await signIn()
      const store = home.place.kind
      expect(heard).toEqual([
        { channel: 'commit', id: hashOf(visitor), store, attempts: 1, bytes: expect.any(Number) },
      ])
    })

    it('of sessions that are looked up, whether they were found', async () => {
      const { visitor } = await signIn()
      heard = []
      await visitor.see()
      expect(heard).toContainEqual({
        channel: 'load',
        id: hashOf(visitor),
        store: home.place.kind,
        found: true,
      })
      heard = []
      await visitor.ask((req, res) => req.session.destroy(() => res.end()))
      await visitor.see()
      expect(heard).toContainEqual({
        channel: 'load',
        id: hashOf(visitor),
        store: home.place.kind,
        found: false,
      })
    })

    it('that the expiry of an unchanged session was moved, and to when', async () => {
      const { visitor } = await signIn()
      await visitor.see()
      await home.later(10 * MINUTE)
      heard = []
      await visitor.see()
      const expires = Date.now() + 30 * MINUTE
      expect(heard.filter(({ channel }) => channel === 'touch')).toEqual([
        { channel: 'touch', id: hashOf(visitor), store: home.place.kind, expires },
      ])
    })

    it('that two requests met, and that the later one was stored in the end', async () => {
      const { app, visitor } = await signIn()
      const [hasRead, read] = signal()
      const [mayGoOn, goOn] = signal()
      const slow = visitor.change(async (session) => {
        session['a'] = 1
        read()
        await mayGoOn
      })
      await hasRead
      await app.visitor(visitor.cookie).change((session) => Object.assign(session, { b: 1 }))
      heard = []
      goOn()
      await slow
      const id = hashOf(visitor)
      const store = home.place.kind
      expect(heard).toEqual([
        { channel: 'conflict', id, store, attempts: 1 },
        { channel: 'commit', id, store, attempts: 2, bytes: expect.any(Number) },
      ])
    })

    it('of no conflict where a session was gone', async () => {
      const { app, visitor } = await signIn()
      const [hasRead, read] = signal()
      const [mayGoOn, goOn] = signal()
      const slow = visitor.change(async (session) => {
        session['a'] = 1
        read()
        await mayGoOn
      })
      await hasRead
      await app.visitor(visitor.cookie).ask((req, res) => req.session.destroy(() => res.end()))
      heard = []
      goOn()
      await slow
      expect(channels()).toEqual([])
    })
  })
})

describe('a subscriber', () => {
  it('hears of a store that fails, or does not answer in time', async () => {
    const watched = watch(new MemoryStore().records, { isAtOnce: false })
    const app = await startApp({ store: watched.records, storeTimeout: 40, onError() {} })
    const error = new Error('down')
    watched.interfere = async () => {
      throw error
    }
    await app.visitor().change((session) => Object.assign(session, { n: 1 }))
    watched.interfere = () => new Promise(() => {})
    await app.visitor().change((session) => Object.assign(session, { n: 1 }))
    expect(heard).toEqual([
      { channel: 'store-error', error, store: 'memory' },
      {
        channel: 'store-error',
        error: expect.objectContaining({ code: 'SESSION_STORE_TIMEOUT' }),
        store: 'memory',
      },
    ])
  })

  it('hears once of a call that takes too long and then fails', async () => {
    const watched = watch(new MemoryStore().records, { isAtOnce: false })
    const app = await startApp({ store: watched.records, storeTimeout: 40, onError() {} })
    const [late, fail] = signal()
    watched.interfere = async () => {
      await late
      throw new Error('down')
    }
    await app.visitor().change((session) => Object.assign(session, { n: 1 }))
    fail()
    await new Promise((resolve) => setImmediate(resolve))
    expect(heard).toMatchObject([{ channel: 'store-error', error: { code: 'SESSION_STORE_TIMEOUT' } }])
  })

  it('hears of a store that was made for express-session, too', async () => {
    const store = new (memorystore(fastSession))({})
    const app = await startApp({ store: store as never })
    const visitor = app.visitor()
    await visitor.change((session) => Object.assign(session, { user: 'ada' }))
    await visitor.see()
    const id = hashOf(visitor)
    expect(heard).toMatchObject([
      { channel: 'commit', id, store: 'MemoryStore' },
      { channel: 'load', id, store: 'MemoryStore', found: true },
      { channel: 'touch', id, store: 'MemoryStore' },
    ])
  })

  it('never hears the id of a session', async () => {
    const app = await startApp({})
    const visitor = app.visitor()
    await visitor.change((session) => Object.assign(session, { user: 'ada' }))
    await visitor.see()
    expect(heard.length).toBeGreaterThan(0)
    expect(JSON.stringify(heard)).not.toContain(visitor.sid)
  })
})
