/** What a handler still says when it has ended the response: Node.js would end the process for it. */
import { MemoryStore, type SessionOptions, Store } from 'fast-session'
import { describe, expect, it } from 'vitest'
import { answeringLater } from './fixtures/later-records.ts'
import { type LiveHandler, startApp } from './fixtures/live-app.ts'

const stores: ReadonlyArray<[name: string, open: () => NonNullable<SessionOptions['store']>]> = [
  ['answers at once', () => new MemoryStore()],
  ['answers later', () => answeringLater()],
  ['was made for express-session', () => new LateStore()],
]

class LateStore extends Store {
  override get(_id: string, callback: (error: unknown, session?: undefined) => void): void {
    setImmediate(callback, null)
  }

  override set(_id: string, _session: object, callback: () => void): void {
    setImmediate(callback)
  }

  override destroy(_id: string, callback: () => void): void {
    setImmediate(callback)
  }
}

/** What comes after the end: at once, or when it has long left. */
const after: ReadonlyArray<[what: string, say: LiveHandler]> = [
  ['another end', (_req, res) => res.end('second')],
  ['another end with a callback', (_req, res) => res.end('second', () => {})],
  ['an end of nothing', (_req, res) => res.end()],
  ['a write', (_req, res) => res.write('second')],
  ['a write and an end', (_req, res) => [res.write('second'), res.end('third')]],
]

describe.each(stores)('behind a store that %s', (_name, open) => {
  describe.each([
    ['was changed', true],
    ['nobody looked at', false],
  ])('when the session %s,', (_what, isChanged) => {
    describe.each(after)('%s after the end', (_what, say) => {
      it.each([
        ['at once', undefined],
        ['later', 20],
      ])('%s is left out', async (_when, delay) => {
        const app = await startApp({ store: open() })
        const errors: unknown[] = []
        let said: Promise<void> | undefined
        const answer = await app.visitor().ask((req, res) => {
          if (isChanged) req.session.n = 1
          res.on('error', (error) => errors.push(error))
          res.end('first')
          if (delay === undefined) say(req, res)
          else said = new Promise((resolve) => setTimeout(() => resolve(void say(req, res)), delay))
        })
        await said
        await new Promise((resolve) => setTimeout(resolve, 10))
        expect(answer).toMatchObject({ status: 200, text: 'first' })
        expect(errors).toEqual([])
      })
    })
  })

  it('what is no body is refused, and an error handler can answer', async () => {
    const app = await startApp({ store: open() })
    const { status, text } = await app.visitor().ask((_req, res) => {
      res.end({ not: 'a body' })
    })
    expect([status, text]).toEqual([500, 'ERR_INVALID_ARG_TYPE'])
  })
})
