/** A counter in the session, counted up from several processes at once: every increment counts. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LiveSession, SECRET, startApp } from '../fixtures/live-app.ts'
import { type Home, type Place, sessionStores, sharedStores } from '../fixtures/session-stores.ts'

const COUNTS = 1000
const PROCESSES = 4

const upToAll = Array.from({ length: COUNTS }, (_, at) => at + 1)
const byValue = (a: number, b: number) => a - b

describe.each(sharedStores)('$name', ({ isMissing, find }) => {
  describe.skipIf(isMissing)(`${PROCESSES} processes with one session`, () => {
    let home: Home
    const processes: ChildProcess[] = []
    beforeAll(async () => {
      home = await find()
    })
    afterAll(async () => {
      await Promise.all(processes.map(stop))
      await home?.close()
    })

    it(`${COUNTS} updates at once count to ${COUNTS}, and no number is given twice`, async () => {
      const app = await startApp({ store: await home.open() })
      const visitor = app.visitor()
      await visitor.change((session) => {
        session.user = 'ada'
      })
      const ports = await Promise.all(
        Array.from({ length: PROCESSES }, () => startCounter(home.place, processes)),
      )

      const agent = new http.Agent({ keepAlive: true })
      const numbers = await Promise.all(
        upToAll.map((at) => count(agent, ports[at % PROCESSES]!, visitor.cookie)),
      )
      agent.destroy()

      expect(numbers.sort(byValue)).toEqual(upToAll)
      expect(await visitor.see(({ n, user }) => ({ n, user }))).toEqual({ n: COUNTS, user: 'ada' })
    }, 60_000)
  })
})

describe.each(sessionStores)('$name', ({ name, isMissing, find }) => {
  it.skipIf(isMissing)('counts every update of one process, beside requests that just save', async () => {
    const home = await find()
    try {
      const app = await startApp({ store: await home.open() })
      const visitor = app.visitor()
      await visitor.change((session) => {
        session.user = 'ada'
      })
      const updates = name === 'memory' ? COUNTS : 200
      const requests = Array.from({ length: updates * 1.25 }, async (_, at) => {
        const { status } = await app.visitor(visitor.cookie).change(async (session) => {
          if (at % 5 === 0) session[`visit ${at}`] = at
          else await session.update(countUp)
        })
        return status
      })
      expect(new Set(await Promise.all(requests))).toEqual(new Set([200]))
      const session = await visitor.see()
      expect(session.n).toBe(updates)
      expect(Object.keys(session).filter((key) => key.startsWith('visit'))).toHaveLength(updates / 4)
    } finally {
      await home.close()
    }
  })
})

function countUp(session: LiveSession): void {
  session.n = (session.n ?? 0) + 1
}

async function startCounter(place: Place, processes: ChildProcess[]): Promise<number> {
  const child = fork(new URL('counter.mjs', import.meta.url), [JSON.stringify(place), SECRET])
  processes.push(child)
  return new Promise((resolve, reject) => {
    child.once('message', (port) => resolve(port as number))
    child.once('exit', (code) => reject(new Error(`The process ended with ${code}.`)))
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = once(child, 'exit')
  child.disconnect()
  const killing = setTimeout(() => child.kill('SIGKILL'), 5000)
  await ended
  clearTimeout(killing)
}

async function count(agent: http.Agent, port: number, cookie: string): Promise<number> {
  const request = http.get({ agent, port, path: '/count', headers: { cookie } })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  const body = await text(response)
  if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${body}`)
  return JSON.parse(body) as number
}
