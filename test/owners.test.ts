/** Signing out everywhere: the sessions of an owner, listed and ended, whatever the store. */
import type { OwnedSession, SessionStore } from 'fast-session'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type LiveApp, startApp, type Visitor } from './fixtures/live-app.ts'
import { type Home, newTable, sessionStores } from './fixtures/session-stores.ts'

const MINUTE = 60_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
  return () => vi.useRealTimers()
})

describe.each(sessionStores)('$name', ({ isMissing, find }) => {
  describe.skipIf(isMissing)('the sessions of an owner', () => {
    let home: Home
    let store: SessionStore
    let elsewhere: SessionStore
    let app: LiveApp
    let owner: string
    beforeAll(async () => {
      home = await find()
      store = await home.open({ touchAfter: 0 })
      elsewhere = await home.open({ touchAfter: 0 })
    })
    afterAll(() => home?.close())
    beforeEach(async () => {
      const options = { idleTimeout: 30 * MINUTE, touchAfter: 0 }
      app = await startApp({ store, ...options })
      // A store knows how long sessions last by the middleware that uses it.
      await startApp({ store: elsewhere, ...options })
      owner = `user-${newTable()}`
    })

    async function signIn(label?: string, whose: unknown = owner): Promise<Visitor> {
      const visitor = app.visitor()
      await visitor.change((session) => Object.assign(session, { owner: whose, label, user: 'ada' }))
      return visitor
    }

    const isSignedIn = async (visitor: Visitor) =>
      (await visitor.see<string>(({ user }) => user ?? 'nobody')) === 'ada'

    const labels = (sessions: OwnedSession[]) => sessions.map(({ label }) => label)

    it('are listed, the last used first', async () => {
      const begun = Date.now()
      const phone = await signIn('phone')
      await home.later(MINUTE)
      await signIn('laptop')
      await home.later(MINUTE)
      await isSignedIn(phone)
      // A moved expiry may reach other clients of a store a little later.
      await vi.waitFor(async () =>
        expect(await elsewhere.sessionsOf(owner)).toMatchObject([
          { label: 'phone', created: new Date(begun), lastSeen: new Date(begun + 2 * MINUTE) },
          { label: 'laptop', created: new Date(begun + MINUTE), lastSeen: new Date(begun + MINUTE) },
        ]),
      )
      const sessions = await elsewhere.sessionsOf(owner)
      expect(new Set(sessions.map(({ key }) => key)).size).toBe(2)
      expect(sessions[0]!.key).not.toContain(phone.sid)
    })

    it('are listed with when they were used, however long a session may last', async () => {
      const begun = Date.now()
      app = await startApp({ store, idleTimeout: 30 * MINUTE, absoluteTimeout: 40 * MINUTE, touchAfter: 0 })
      const visitor = await signIn('phone')
      await home.later(25 * MINUTE)
      await isSignedIn(visitor)
      const [session] = await store.sessionsOf(owner)
      expect(session).toMatchObject({
        created: new Date(begun),
        lastSeen: new Date(begun + 25 * MINUTE),
      })
      await home.later(15 * MINUTE)
      expect(await store.sessionsOf(owner)).toEqual([])
      expect(await isSignedIn(visitor)).toBe(false)
    })

    it('are listed once for a session that was given a new id, with a grace for the old one', async () => {
      const visitor = await signIn('phone')
      await visitor.change(async (session) => {
        const { owner, label, user } = session
        Object.assign(await session.regenerate({ grace: MINUTE }), { owner, label, user })
      })
      expect(labels(await store.sessionsOf(owner))).toEqual(['phone'])
    })

    it('are listed without those that are over, that signed out, and those of others', async () => {
      await signIn('over')
      await home.later(30 * MINUTE)
      await signIn('here')
      const out = await signIn('out')
      await out.ask((req, res) => req.session.destroy(() => res.end()))
      await signIn('another', `${owner}0`)
      const changed = await signIn('changed')
      await changed.change((session) => Object.assign(session, { owner: 'somebody else' }))
      const nobody = await signIn('nobody')
      await nobody.change((session) => {
        delete session['owner']
      })
      expect(labels(await elsewhere.sessionsOf(owner))).toEqual(['here'])
      expect(labels(await elsewhere.sessionsOf(`${owner}0`))).toEqual(['another'])
    })

    it('are ended everywhere at once', async () => {
      const visitors = await Promise.all(['phone', 'laptop', 'tablet'].map((label) => signIn(label)))
      const another = await signIn('another', `${owner}0`)
      expect(await elsewhere.revokeOwner(owner)).toBe(3)
      for (const visitor of visitors) expect(await isSignedIn(visitor)).toBe(false)
      expect(await isSignedIn(another)).toBe(true)
      expect(await elsewhere.revokeOwner(owner)).toBe(0)
    })

    it('are ended but for the one that asks', async () => {
      const [phone, laptop] = [await signIn('phone'), await signIn('laptop')]
      const { text } = await phone.ask(async (req, res) => {
        res.json(await req.sessionStore.revokeOwner(owner, { except: req.sessionID }))
      })
      expect(text).toBe('1')
      expect(await isSignedIn(phone)).toBe(true)
      expect(await isSignedIn(laptop)).toBe(false)
      expect(labels(await elsewhere.sessionsOf(owner))).toEqual(['phone'])
    })

    it('are ended one by one, by the key that the list has', async () => {
      const [phone, laptop] = [await signIn('phone'), await signIn('laptop')]
      const { key } = (await store.sessionsOf(owner)).find(({ label }) => label === 'phone')!
      expect(await elsewhere.revoke(`${owner}0`, key)).toBe(false)
      expect(await isSignedIn(phone)).toBe(true)
      expect(await elsewhere.revoke(owner, key)).toBe(true)
      expect(await isSignedIn(phone)).toBe(false)
      expect(await isSignedIn(laptop)).toBe(true)
      expect(await elsewhere.revoke(owner, key)).toBe(false)
    })

    it('include the old id of a session that has a new one, when they are ended', async () => {
      const visitor = await signIn('phone')
      const { cookie } = visitor
      await visitor.change((session) => session.regenerate({ grace: MINUTE }))
      expect(await isSignedIn(app.visitor(cookie))).toBe(true)
      await store.revokeOwner(owner)
      expect(await isSignedIn(app.visitor(cookie))).toBe(false)
    })

    it('are found by a number or by an id object, as well as by its text', async () => {
      const number = Math.floor(Math.random() * 1e9)
      await signIn('number', number)
      expect(labels(await store.sessionsOf(number))).toEqual(['number'])
      expect(labels(await store.sessionsOf(String(number)))).toEqual(['number'])
      const id = { toJSON: () => owner }
      await signIn('object', id)
      expect(labels(await store.sessionsOf(id as unknown as string))).toEqual(['object'])
      expect(labels(await store.sessionsOf(owner))).toEqual(['object'])
      expect(await store.revokeOwner(id as unknown as string)).toBe(1)
    })

    it.each([
      ['an empty text', ''],
      ['a text beyond what a store can index', 'x'.repeat(257)],
      ['control characters', 'ada\0'],
      ['half of a character', '\ud800'],
      ['an object', { id: 1 }],
      ['nothing', null],
    ])('can not be asked for by %s; a session with such a field belongs to nobody', async (_what, field) => {
      const visitor = await signIn('odd', field)
      expect(await isSignedIn(visitor)).toBe(true)
      for (const call of [
        store.sessionsOf(field as string),
        store.revokeOwner(field as string),
        store.revoke(field as string, 'key'),
      ]) {
        await expect(call).rejects.toMatchObject({ code: 'ERR_SESSION_OPTION' })
      }
    })

    it('keep their owner through merges, logins and logouts of other sessions', async () => {
      const [phone, laptop] = [await signIn('phone'), await signIn('laptop')]
      await Promise.all(
        Array.from({ length: 10 }, (_, at) =>
          app.visitor(phone.cookie).change((session) => Object.assign(session, { [`key ${at}`]: at })),
        ),
      )
      await laptop.ask((req, res) => req.session.destroy(() => res.end()))
      expect(labels(await elsewhere.sessionsOf(owner))).toEqual(['phone'])
      expect(await elsewhere.revokeOwner(owner)).toBe(1)
    })
  })
})
