/** A client that follows a login at once, as soon as the headers are there, is logged in: however slow the store is. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApp } from '../fixtures/live-app.ts'
import { type Home, sessionStores } from '../fixtures/session-stores.ts'
import { watch } from '../fixtures/watched-records.ts'

const LOGINS = 2000
const AT_ONCE = 100
/** In ms, of every call, half of it on the way there and half on the way back. */
const LATENCY = 50

describe.each(sessionStores)('$name', ({ isMissing, find }) => {
  describe.skipIf(isMissing)('with a store that takes 0 to 50 ms', () => {
    let home: Home
    beforeAll(async () => {
      home = await find()
    })
    afterAll(() => home?.close())

    /** Both processes of the application see the store through a network that takes its time. */
    async function startSlowApp() {
      const watched = watch((await home.open()).records, { isAtOnce: false })
      watched.interfere = async (_call, goOn) => {
        const latency = Math.random() * LATENCY
        await sleep(latency / 2)
        const answer = await goOn()
        await sleep(latency / 2)
        return answer
      }
      return startApp({ store: watched.records, storeTimeout: 60_000 })
    }

    it(`${LOGINS} logins, each followed at once by a request, are all seen`, async () => {
      const [app, other] = [await startSlowApp(), await startSlowApp()]
      const seen: Array<string | undefined> = []
      let logins = 0
      const logInOverAndOver = async () => {
        while (logins < LOGINS) {
          const number = logins++
          const user = `user ${number}`
          const visitor = app.visitor()
          // Every fourth visitor has a session before, whose id the login replaces.
          if (number % 4 === 0) await visitor.change((session) => Object.assign(session, { n: 1 }))
          const { location } = await visitor.askForHeaders(async (req, res) => {
            const session = number % 4 === 0 ? await req.session.regenerate() : req.session
            Object.assign(session, { user })
            res.redirect('/home')
          })
          expect(location).toBe('/home')
          const next = number % 3 === 0 ? other.visitor(visitor.cookie) : visitor
          seen[number] = await next.see<string>((session) => session.user)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, logInOverAndOver))
      expect(seen).toEqual(Array.from({ length: LOGINS }, (_, number) => `user ${number}`))
    }, 60_000)
  })
})
