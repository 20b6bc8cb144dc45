/** The server of a store is gone, silent or flapping: requests are answered, and all is well when it is back. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionStore } from 'fast-session'
import { redisStore } from 'fast-session/redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Answer, type LiveApp, startApp, type Visitor } from '../fixtures/live-app.ts'
import { type Network, networkTo } from '../fixtures/network.ts'
import { hasRedisServer, type RedisServer, startRedis } from '../fixtures/redis-server.ts'
import { type Home, sharedStores } from '../fixtures/session-stores.ts'

/** In ms: how long a store may take in these tests, and how long a server that is back may take to be found. */
const TIMEOUT = 500
const RECOVERY = { timeout: 40_000, interval: 50 }

vi.setConfig({ testTimeout: 90_000 })

const signIn = (visitor: Visitor) =>
  visitor.change((session) => Object.assign(session, { user: 'ada', owner: 'ada' }))
const count = (visitor: Visitor) =>
  visitor.change((session) => {
    session.n = (session.n ?? 0) + 1
  })
const see = (visitor: Visitor) => visitor.ask((req, res) => res.json(req.session?.user ?? 'nobody'))

/** Everything that a request may want of the store. Each has to be answered, however. */
async function askEverything(app: LiveApp, visitor: Visitor): Promise<Answer[]> {
  const asking = [
    see(app.visitor(visitor.cookie)),
    count(app.visitor(visitor.cookie)),
    signIn(app.visitor()),
    app.visitor(visitor.cookie).ask((_req, res) => res.end('never looked')),
    app
      .visitor(visitor.cookie)
      .change((session) => session?.update((fresh) => Object.assign(fresh, { n: 1 }))),
    app.visitor().ask(async (req, res) => res.json(await req.sessionStore.sessionsOf('ada'))),
    app.visitor().ask((_req, res) => res.end('no session at all')),
  ]
  return Promise.all(asking)
}

async function expectRecovered(visitor: Visitor) {
  await vi.waitFor(async () => {
    const { status, text } = await see(visitor)
    expect([status, text]).toEqual([200, '"ada"'])
    expect(await count(visitor)).toMatchObject({ status: 200 })
  }, RECOVERY)
}

const withServer = sharedStores.filter(({ name }) => name !== 'lmdb')

describe.each(withServer)('$name', ({ isMissing, find }) => {
  describe.skipIf(isMissing).each(['error', 'no-session'] as const)(
    'with ifStoreFails: %s',
    (ifStoreFails) => {
      let home: Home
      let network: Network
      let store: SessionStore
      beforeAll(async () => {
        home = await find()
        network = await networkTo(home.place.url!)
        store = await home.open({ url: network.url })
      })
      afterAll(async () => {
        await network?.restore()
        await home?.close()
        await network?.close()
      })

      async function start() {
        const told: unknown[] = []
        const onError = (error: unknown) => void told.push(error)
        const app = await startApp({ store, ifStoreFails, storeTimeout: TIMEOUT, onError })
        const visitor = app.visitor()
        await vi.waitFor(async () => expect((await signIn(visitor)).status).toBe(200), RECOVERY)
        await count(visitor)
        return { app, visitor, told }
      }

      function expectAnswers(answers: Answer[]) {
        const [read, changed, signedIn, , , listed, without] = answers
        const failed = ifStoreFails === 'error'
        expect(read).toMatchObject(failed ? { status: 500 } : { status: 200, text: '"nobody"' })
        expect(changed!.status).toBe(500) // without a session, the handler fails by itself
        expect(signedIn!.status).toBe(failed ? 500 : 200)
        expect(signedIn!.headers['set-cookie']).toBeUndefined()
        expect(listed!.status).toBe(500)
        expect(without).toMatchObject({ status: 200, text: 'no session at all' })
      }

      it('answers while the server is gone, and goes on when it is back', async () => {
        const { app, visitor, told } = await start()
        await network.cut()
        expectAnswers(await askEverything(app, visitor))
        expectAnswers(await askEverything(app, visitor))
        expect(told.length).toBeGreaterThan(0)
        await network.restore()
        await expectRecovered(visitor)
      })

      it('answers while the server is silent, and goes on when it speaks again', async () => {
        const { app, visitor, told } = await start()
        network.silence()
        expectAnswers(await askEverything(app, visitor))
        expect(told.length).toBeGreaterThan(0)
        await network.restore()
        await expectRecovered(visitor)
      })

      it('answers while the server comes and goes, and loses no session', async () => {
        const { app, visitor } = await start()
        const stop = new AbortController()
        const flapping = (async () => {
          for (let flaps = 0; flaps < 6; flaps++) {
            if (flaps % 2 === 0) await network.cut()
            else network.silence()
            await sleep(60)
            await network.restore()
            await sleep(120)
          }
          stop.abort()
        })()
        const answers: Answer[] = []
        const visit = async () => {
          while (!stop.signal.aborted) answers.push(...(await askEverything(app, visitor)))
        }
        await Promise.all([visit(), visit(), flapping])
        expect(answers.every(({ status }) => status === 200 || status === 500)).toBe(true)
        await expectRecovered(visitor)
      })
    },
  )
})

describe.skipIf(!hasRedisServer)('a redis-server that is killed and started again', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server?.stop())

  it.each([
    [
      'redis',
      async () => {
        const client = createClient({ url: server.url })
        const store = redisStore({ client })
        await client.connect()
        onTestFinished(() => client.destroy())
        return store
      },
    ],
    [
      'ioredis',
      async () => {
        const client = new Redis(server.url)
        onTestFinished(() => client.disconnect())
        return redisStore({ client })
      },
    ],
  ])(
    'ends no process and no service, with a client of %s to whose errors nobody listens',
    async (_name, open) => {
      const app = await startApp({ store: await open(), storeTimeout: TIMEOUT, onError() {} })
      const visitor = app.visitor()
      await signIn(visitor)
      await server.kill()
      for (const { status } of await askEverything(app, visitor)) expect([200, 500]).toContain(status)
      await server.start()
      // It kept nothing on disk: who was signed in signs in again.
      await vi.waitFor(async () => expect((await signIn(visitor)).status).toBe(200), RECOVERY)
      await expectRecovered(visitor)
    },
  )
})
