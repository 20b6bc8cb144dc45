/** A slow request ends after its session did: the session stays gone, and both sides hear of it. */
import type { SessionStore } from 'fast-session'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Answer, type LiveSession, signal, startApp, type Visitor } from '../fixtures/live-app.ts'
import { type Home, sessionStores } from '../fixtures/session-stores.ts'

const IDLE = 60_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
  return () => vi.useRealTimers()
})

describe.each(sessionStores)('$name', ({ isMissing, find }) => {
  describe.skipIf(isMissing)('a slow request', () => {
    let home: Home
    let store: SessionStore
    let elsewhere: SessionStore
    beforeAll(async () => {
      home = await find()
      store = await home.open()
      elsewhere = await home.open()
    })
    afterAll(() => home?.close())

    /** Each lets another process end the session. */
    const ends: ReadonlyArray<[how: string, end: (visitor: Visitor) => Promise<unknown>]> = [
      ['a logout', (visitor) => visitor.ask((req, res) => req.session.destroy(() => res.end()))],
      ['a login, which gives a new id', (visitor) => visitor.change((session) => session.regenerate())],
      ['signing out everywhere', () => elsewhere.revokeOwner('ada')],
      ['its idle timeout', () => home.later(IDLE)],
    ]

    /** Someone who is logged in sends a slow request; the session ends; the request does its work and answers. */
    async function outlive(
      end: (visitor: Visitor) => Promise<unknown>,
      work: (session: LiveSession) => unknown,
    ) {
      const told: unknown[] = []
      const options = { idleTimeout: IDLE, onError: (error: unknown) => told.push(error) }
      const app = await startApp({ store, ...options })
      const other = await startApp({ store: elsewhere, idleTimeout: IDLE })
      const visitor = app.visitor()
      await visitor.change((session) => {
        Object.assign(session, { owner: 'ada', user: 'ada', list: ['begin'] })
      })
      const { cookie, sid } = visitor

      const [hasRead, read] = signal()
      const [mayGoOn, goOn] = signal()
      const slow = visitor.ask(async ({ session }, res) => {
        expect(session.user).toBe('ada')
        read()
        await mayGoOn
        await work(session)
        res.end('done')
      })
      await hasRead
      await end(other.visitor(cookie))
      goOn()
      return { answer: await slow, told, visitor, sid, cookie, app }
    }

    async function expectGone({ app, sid, cookie }: Awaited<ReturnType<typeof outlive>>) {
      expect(await elsewhere.get(sid)).toBeUndefined()
      expect(await store.get(sid)).toBeUndefined()
      expect(await app.visitor(cookie).see(({ user }) => user ?? 'nobody')).toBe('nobody')
      const left = await elsewhere.sessionsOf('ada')
      expect(left).toEqual([])
    }

    const isCleared = ({ headers }: Answer) =>
      headers['set-cookie']?.length === 1 &&
      /^connect\.sid=; .*Expires=Thu, 01 Jan 1970/.test(headers['set-cookie'][0]!)

    describe.each(ends)('that ends after %s', (_how, end) => {
      it('and has changed the session, does not bring it back', async () => {
        const outcome = await outlive(end, (session) => {
          session.list?.push('late')
        })
        expect(outcome.answer).toMatchObject({ status: 200, text: 'done' })
        expect(outcome.told).toMatchObject([{ code: 'SESSION_GONE' }])
        expect(isCleared(outcome.answer)).toBe(true)
        await expectGone(outcome)
      })

      it('and saves by itself, is told so', async () => {
        const outcome = await outlive(end, async (session) => {
          session.list?.push('late')
          await session.save()
        })
        expect(outcome.answer).toMatchObject({ status: 500, text: 'SESSION_GONE' })
        expect(outcome.told).toMatchObject([{ code: 'SESSION_GONE' }])
        expect(isCleared(outcome.answer)).toBe(true)
        await expectGone(outcome)
      })

      it('and updates the session, is told so', async () => {
        const outcome = await outlive(end, (session) =>
          session.update((fresh) => {
            fresh.n = 1
          }),
        )
        expect(outcome.answer).toMatchObject({ status: 500, text: 'SESSION_GONE' })
        expect(outcome.told).toMatchObject([{ code: 'SESSION_GONE' }])
        expect(isCleared(outcome.answer)).toBe(true)
        await expectGone(outcome)
      })

      it('and has only read, leaves it gone', async () => {
        const outcome = await outlive(end, () => {})
        expect(outcome.answer).toMatchObject({ status: 200, text: 'done' })
        expect(outcome.told).toEqual([])
        await expectGone(outcome)
      })

      it('and logs in anew when it hears so, has a session again', async () => {
        const { answer, visitor } = await outlive(end, async (session) => {
          const error = await session.update(() => {}).catch((error: unknown) => error)
          expect(error).toMatchObject({ code: 'SESSION_GONE' })
          const fresh = await session.regenerate()
          Object.assign(fresh, { user: 'grace' })
        })
        expect(answer).toMatchObject({ status: 200, text: 'done' })
        expect(await visitor.see(({ user }) => user)).toBe('grace')
      })
    })
  })
})
