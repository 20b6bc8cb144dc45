/** How long sessions last, on every store: unused, at most, each for itself, and after they were given a new id. */
import type { SessionOptions, SessionStore } from 'fast-session'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Lifetime } from '../src/lifetime.ts'
import { type LiveApp, signal, startApp, type Visitor } from './fixtures/live-app.ts'
import { type Home, sessionStores } from './fixtures/session-stores.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
  return () => vi.useRealTimers()
})

describe.each(sessionStores)('$name', ({ isMissing, find }) => {
  describe.skipIf(isMissing)('a session', () => {
    let home: Home
    let store: SessionStore
    beforeAll(async () => {
      home = await find()
      store = await home.open({ touchAfter: 0 })
    })
    afterAll(() => home?.close())

    async function signIn(options: SessionOptions): Promise<{ app: LiveApp; visitor: Visitor }> {
      const app = await startApp({ store, ...options })
      const visitor = app.visitor()
      await visitor.change((session) => Object.assign(session, { user: 'ada' }))
      return { app, visitor }
    }

    const isSignedIn = async (visitor: Visitor) =>
      (await visitor.see<string>(({ user }) => user ?? 'nobody')) === 'ada'

    /** A request whose handler never looks at the session. */
    const passBy = (visitor: Visitor) => visitor.ask((_req, res) => res.end())

    describe('that may be idle for so long', () => {
      const options = { idleTimeout: 30 * MINUTE }

      it('is over after that', async () => {
        const { visitor } = await signIn(options)
        await home.later(30 * MINUTE)
        expect(await isSignedIn(visitor)).toBe(false)
      })

      it('lives on as long as it is read', async () => {
        const { visitor } = await signIn(options)
        for (let visits = 0; visits < 5; visits++) {
          await home.later(20 * MINUTE)
          expect(await isSignedIn(visitor)).toBe(true)
        }
      })

      it('lives on as long as requests come that never look at it', async () => {
        const { visitor } = await signIn(options)
        for (let visits = 0; visits < 5; visits++) {
          await home.later(20 * MINUTE)
          await passBy(visitor)
        }
        await home.later(20 * MINUTE)
        expect(await isSignedIn(visitor)).toBe(true)
      })

      it('ends before its cookie does', async () => {
        const { visitor } = await signIn({ ...options, cookie: { maxAge: DAY } })
        await home.later(30 * MINUTE)
        expect(await isSignedIn(visitor)).toBe(false)
      })

      it('ends with its cookie if that is sooner', async () => {
        const { visitor } = await signIn({ ...options, cookie: { maxAge: 10 * MINUTE } })
        await home.later(10 * MINUTE)
        expect(await isSignedIn(visitor)).toBe(false)
      })
    })

    describe('that may last so long at most', () => {
      it('is over after that, however much it was used and changed', async () => {
        const { visitor } = await signIn({ idleTimeout: 30 * MINUTE, absoluteTimeout: 60 * MINUTE })
        for (let visits = 0; visits < 5; visits++) {
          await home.later(10 * MINUTE)
          await visitor.change((session) => {
            session.n = visits
          })
        }
        expect(await isSignedIn(visitor)).toBe(true)
        await home.later(10 * MINUTE)
        expect(await isSignedIn(visitor)).toBe(false)
        expect(await store.get(visitor.sid)).toBeUndefined()
      })

      it('is over after that for a merge, too', async () => {
        const { app, visitor } = await signIn({ absoluteTimeout: 60 * MINUTE })
        await home.later(40 * MINUTE)
        await Promise.all(
          ['a', 'b', 'c'].map((key) =>
            app.visitor(visitor.cookie).change((session) => Object.assign(session, { [key]: 1 })),
          ),
        )
        await home.later(20 * MINUTE)
        expect(await isSignedIn(visitor)).toBe(false)
      })

      it('begins anew with a new id', async () => {
        const { visitor } = await signIn({ absoluteTimeout: 60 * MINUTE })
        await home.later(50 * MINUTE)
        await visitor.change(async (session) => Object.assign(await session.regenerate(), { user: 'ada' }))
        await home.later(50 * MINUTE)
        expect(await isSignedIn(visitor)).toBe(true)
      })
    })

    describe('with a maxAge of its own', () => {
      const options = { cookie: { maxAge: 60 * MINUTE } }

      it.each([
        ['longer', 30 * DAY],
        ['shorter', 10 * MINUTE],
      ])('that is %s than the configured one, lasts that long', async (_which, maxAge) => {
        const { visitor } = await signIn(options)
        const { headers } = await visitor.change(({ cookie }) => {
          cookie.maxAge = maxAge
        })
        // A cookie alone is no change to the data: it is stored, and goes out with the next change.
        expect(headers['set-cookie']).toBeUndefined()
        const until = new Date(Date.now() + maxAge).toUTCString()
        const { headers: next } = await visitor.change((session) => {
          session.n = 1
        })
        expect(next['set-cookie']?.[0]).toContain(`Expires=${until}`)

        await home.later(maxAge - SECOND)
        expect(await visitor.see(({ cookie, n }) => [cookie.originalMaxAge, n])).toEqual([maxAge, 1])
        await home.later(maxAge - SECOND)
        expect(await isSignedIn(visitor)).toBe(true)
        await home.later(maxAge)
        expect(await isSignedIn(visitor)).toBe(false)
      })

      it('lasts that long also where requests never look at it', async () => {
        const { visitor } = await signIn(options)
        await visitor.change(({ cookie }) => {
          cookie.maxAge = 30 * DAY
        })
        for (let visits = 0; visits < 3; visits++) {
          await home.later(20 * DAY)
          await passBy(visitor)
        }
        await home.later(20 * DAY)
        expect(await isSignedIn(visitor)).toBe(true)
      })

      it('keeps it in an app that is started anew', async () => {
        const { visitor } = await signIn(options)
        await visitor.change(({ cookie }) => {
          cookie.maxAge = 30 * DAY
        })
        const restarted = await startApp({ store, ...options })
        const returning = restarted.visitor(visitor.cookie)
        await home.later(29 * DAY)
        await passBy(returning)
        await home.later(29 * DAY)
        expect(await isSignedIn(returning)).toBe(true)
      })

      it.each([
        ['maxAge = null', 'maxAge', null],
        ['expires = null', 'expires', null],
        ['expires = false, as the README of express-session has it', 'expires', false],
        ['maxAge = false', 'maxAge', false],
        ['expires = undefined', 'expires', undefined],
        ['originalMaxAge = NaN', 'originalMaxAge', Number.NaN],
      ])('of none, by %s, lasts for a day after its last use', async (_how, name, value) => {
        const { visitor } = await signIn({ ...options, rolling: true })
        const { headers } = await visitor.change(({ cookie }) => {
          Object.assign(cookie, { [name]: value })
        })
        expect(headers['set-cookie']?.[0]).not.toContain('Expires')
        for (let visits = 0; visits < 3; visits++) expect(await isSignedIn(visitor)).toBe(true)
        await home.later(DAY - SECOND)
        expect(await isSignedIn(visitor)).toBe(true)
        await home.later(DAY)
        expect(await isSignedIn(visitor)).toBe(false)
      })
    })

    describe('whose cookie is to last for more time than there is', () => {
      it.each([Number.POSITIVE_INFINITY, 1e20, Number.MAX_SAFE_INTEGER])('(%d ms) lasts', async (maxAge) => {
        const { visitor } = await signIn({ rolling: true })
        const { headers } = await visitor.change(({ cookie }) => {
          cookie.maxAge = maxAge
        })
        // Browsers read years of four digits.
        expect(headers['set-cookie']?.[0]).toContain('Expires=Fri, 31 Dec 9999 23:59:59 GMT')
        for (let visits = 0; visits < 3; visits++) {
          await home.later(300 * DAY)
          expect(await visitor.see(({ user, cookie }) => [user, cookie.expires])).toEqual([
            'ada',
            '9999-12-31T23:59:59.000Z',
          ])
        }
      })

      it('or is long over, ends', async () => {
        const { visitor } = await signIn({ rolling: true })
        const { status } = await visitor.change(({ cookie }) => {
          cookie.maxAge = Number.NEGATIVE_INFINITY
        })
        expect(status).toBe(200)
        expect(await isSignedIn(visitor)).toBe(false)
      })
    })

    it('whose cookie is given a lifetime that is none, keeps its own', async () => {
      const { visitor } = await signIn({ cookie: { maxAge: DAY } })
      const told = await visitor.see<string[]>(({ cookie }) =>
        [{ maxAge: Number.NaN }, { expires: new Date(Number.NaN) }, { maxAge: new Date(Number.NaN) }].map(
          (lifetime) => {
            try {
              return String(Object.assign(cookie, lifetime))
            } catch (error) {
              return String(error)
            }
          },
        ),
      )
      expect(told).toEqual([
        'TypeError: maxAge is NaN; it must be a number or Date',
        'TypeError: expires is an invalid Date',
        'TypeError: expires is an invalid Date',
      ])
      expect(await visitor.see(({ user, cookie }) => [user, cookie.originalMaxAge])).toEqual(['ada', DAY])
    })

    describe('that is read from the store and put back', () => {
      it.each([
        ['as it is', (session: object) => session],
        ['as JSON', (session: object) => JSON.parse(JSON.stringify(session)) as object],
      ])('%s, keeps its cookie', async (_how, form) => {
        const { visitor } = await signIn({ cookie: { maxAge: DAY } })
        await visitor.change(({ cookie }) => {
          cookie.maxAge = 30 * DAY
          cookie.path = '/'
        })
        await home.later(10 * MINUTE)
        const before = (await store.get(visitor.sid))!
        for (let times = 0; times < 3; times++) {
          await home.later(10 * MINUTE)
          await store.set(visitor.sid, form((await store.get(visitor.sid))!))
        }
        expect((await store.get(visitor.sid))!).toEqual(before)
        await home.later(29 * DAY)
        expect(await isSignedIn(visitor)).toBe(true)
      })
    })

    describe('that may be touched late', () => {
      it('lives on while it is used, even if touchAfter is longer than its lifetime', async () => {
        const { visitor } = await signIn({ idleTimeout: 10 * MINUTE, touchAfter: DAY })
        for (let minute = 0; minute < 30; minute += 3) {
          await home.later(3 * MINUTE)
          await passBy(visitor)
        }
        expect(await isSignedIn(visitor)).toBe(true)
      })

      it('lives on in the hands of several processes that each see little of it', async () => {
        const options = { idleTimeout: 10 * MINUTE, touchAfter: 4 * MINUTE }
        const { visitor } = await signIn(options)
        const apps = [await startApp({ store, ...options }), await startApp({ store, ...options })]
        for (let minute = 0; minute < 30; minute += 3) {
          await home.later(3 * MINUTE)
          await passBy(apps[minute % 2]!.visitor(visitor.cookie))
        }
        expect(await isSignedIn(visitor)).toBe(true)
      })
    })

    describe('that was given a new id', () => {
      const GRACE = 30 * SECOND

      async function renew(grace?: number) {
        const { app, visitor } = await signIn({ idleTimeout: 30 * MINUTE, touchAfter: 0 })
        const { cookie } = visitor
        await visitor.change(async (session) => {
          const { user } = session
          const fresh = await (grace === undefined ? session.regenerate() : session.regenerate({ grace }))
          Object.assign(fresh, { user, fresh: true })
        })
        expect(visitor.cookie).not.toBe(cookie)
        return { app, visitor, old: () => app.visitor(cookie), oldId: app.visitor(cookie).sid }
      }

      it('is not to be had under the old one', async () => {
        const { visitor, old } = await renew()
        expect(await isSignedIn(old())).toBe(false)
        expect(await isSignedIn(visitor)).toBe(true)
      })

      it('is to be had under the old one within the grace, and not beyond', async () => {
        const { visitor, old, oldId } = await renew(GRACE)
        await home.later(GRACE - SECOND)
        expect(await isSignedIn(old())).toBe(true)
        await home.later(SECOND)
        expect(await isSignedIn(old())).toBe(false)
        expect(await store.get(oldId)).toBeUndefined()
        expect(await isSignedIn(visitor)).toBe(true)
      })

      it('is not kept under the old one by being used, touched, changed, saved, updated or given ids anew', async () => {
        const { app, old, oldId } = await renew(GRACE)
        for (let second = 0; second < 25; second += 5) {
          await home.later(5 * SECOND)
          await passBy(old())
          expect(await isSignedIn(old())).toBe(true)
          await old().change((session) => {
            session.n = second
          })
          await old().change(async (session) => {
            session['saved'] = second
            await session.save()
          })
          await old().change(({ cookie }) => {
            cookie.maxAge = DAY + second
          })
          await Promise.all(
            [1, 2, 3].map((at) =>
              old().change((session) => session.update((fresh) => Object.assign(fresh, { [at]: second }))),
            ),
          )
          await app.visitor(old().cookie).change((session) => session.regenerate({ grace: DAY }))
          await store.touch(oldId, { cookie: { maxAge: DAY } })
        }
        await home.later(5 * SECOND)
        expect(await isSignedIn(old())).toBe(false)
        expect(await store.get(oldId)).toBeUndefined()
      })

      it('ends under the old one although a slow request from before stores it later', async () => {
        const { app, visitor } = await signIn({ touchAfter: 0 })
        const { cookie } = visitor
        const [hasRead, read] = signal()
        const [mayGoOn, goOn] = signal()
        const slow = app.visitor(cookie).change(async (session) => {
          expect(session.user).toBe('ada')
          read()
          await mayGoOn
          session.n = 1
        })
        await hasRead
        await visitor.change((session) => session.regenerate({ grace: GRACE }))
        goOn()
        expect((await slow).status).toBe(200)
        expect(await app.visitor(cookie).see(({ n }) => n)).toBe(1)
        await home.later(GRACE)
        expect(await isSignedIn(app.visitor(cookie))).toBe(false)
      })

      it('ends under the old one although another request stored it just before', async () => {
        const { app, visitor } = await signIn({ touchAfter: 0 })
        const { cookie } = visitor
        await visitor.change(async (session) => {
          expect(session.user).toBe('ada')
          await app.visitor(cookie).change((other) => Object.assign(other, { n: 1 }))
          await session.regenerate({ grace: GRACE })
        })
        expect(await app.visitor(cookie).see(({ n }) => n)).toBe(1)
        await home.later(GRACE)
        expect(await isSignedIn(app.visitor(cookie))).toBe(false)
      })
    })
  })
})

describe('a record that is still there', () => {
  const ago = (ms: number) => Date.now() - ms

  it.each([
    ['began long ago, where nothing limits it', {}, ago(DAY), undefined, false],
    ['began longer ago than it may last', { absoluteTimeout: MINUTE }, ago(DAY), undefined, true],
    ['began just now', { absoluteTimeout: MINUTE }, ago(0), undefined, false],
    ['has been replaced, and its grace is over', {}, ago(DAY), ago(SECOND), true],
    ['has been replaced, and its grace goes on', {}, ago(DAY), ago(-DAY), false],
    ['began nobody knows when', { absoluteTimeout: MINUTE }, Number.NaN, undefined, false],
    ['began nobody knows when, and its grace is over', {}, Number.NaN, ago(SECOND), true],
    ['the same, where sessions end', { absoluteTimeout: MINUTE }, Number.NaN, ago(SECOND), true],
  ])('%s', (_what, options, created, until, isOver) => {
    expect(new Lifetime(options).isOver({ created, extras: until === undefined ? null : { until } })).toBe(
      isOver,
    )
  })
})
