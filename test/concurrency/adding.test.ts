/** Many requests add to one session at the same time: whatever the store, nothing is lost. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LiveSession, meetingOf, startApp, type Visitor } from '../fixtures/live-app.ts'
import { type Home, sessionStores } from '../fixtures/session-stores.ts'

const MANY = 64

describe.each(sessionStores)('$name', ({ isMissing, find }) => {
  describe.skipIf(isMissing)(`${MANY} requests at once, in two processes' worth of clients`, () => {
    let home: Home
    beforeAll(async () => {
      home = await find()
    })
    afterAll(() => home?.close())

    /** All of them have read the session before the first of them changes it. */
    async function addAtOnce(add: (session: LiveSession, number: number) => unknown): Promise<Visitor> {
      const apps = [
        await startApp({ store: await home.open() }),
        await startApp({ store: await home.open() }),
      ] as const
      const first = apps[0].visitor()
      await first.change((session) => {
        session.user = 'ada'
      })
      const meet = meetingOf(MANY)
      const requests = Array.from({ length: MANY }, (_, number) =>
        apps[number % 2]!.visitor(first.cookie).ask(async (req, res) => {
          const { session } = req
          await meet()
          await add(session, number)
          res.end()
        }),
      )
      for (const { status, text } of await Promise.all(requests)) expect([status, text]).toEqual([200, ''])
      return first
    }

    const numbers = Array.from({ length: MANY }, (_, number) => number)
    const words = numbers.map((number) => `word ${number}`)

    it('each adds a key: all are there', async () => {
      const visitor = await addAtOnce((session, number) => {
        session[`key ${number}`] = number
      })
      const session = await visitor.see()
      expect(numbers.map((number) => session[`key ${number}`])).toEqual(numbers)
      expect(session.user).toBe('ada')
    })

    it('each adds a key and saves by itself: all are there', async () => {
      const visitor = await addAtOnce(async (session, number) => {
        session[`key ${number}`] = number
        await session.save()
      })
      const session = await visitor.see()
      expect(numbers.map((number) => session[`key ${number}`])).toEqual(numbers)
    })

    it('each adds an item to a cart, kept as an object: all are there', async () => {
      const visitor = await addAtOnce((session, number) => {
        session['cart'] ??= {}
        const cart = session['cart'] as Record<string, number>
        cart[`tea ${number}`] = number
      })
      const cart = await visitor.see<Record<string, number>>((session) => session['cart'])
      expect(cart).toEqual(Object.fromEntries(numbers.map((number) => [`tea ${number}`, number])))
    })

    it('each appends to a list that is not there yet: all are there, each once', async () => {
      const visitor = await addAtOnce((session, number) => {
        session.list ??= []
        session.list.push(words[number]!)
      })
      const list = await visitor.see<string[]>((session) => session.list)
      expect(list.sort()).toEqual([...words].sort())
    })

    it('each leaves a flash message: all are shown, each once', async () => {
      const apps = await startApp({ store: await home.open() })
      const visitor = apps.visitor()
      await visitor.change((session) => {
        session.user = 'ada'
      })
      const meet = meetingOf(MANY)
      await Promise.all(
        words.map((word) =>
          apps.visitor(visitor.cookie).ask(async (req, res) => {
            expect(req.session.user).toBe('ada')
            await meet()
            req.flash('info', word)
            res.end()
          }),
        ),
      )
      const shown = await visitor.ask((req, res) => res.json(req.flash('info')))
      expect((JSON.parse(shown.text) as string[]).sort()).toEqual([...words].sort())
      expect((await visitor.ask((req, res) => res.json(req.flash('info')))).text).toBe('[]')
    })
  })
})
