/**
 * A handler that looks at its session for the first time in the arguments of what answers: `res.end(req.session.name)`.
 * JavaScript knows the function by then, so the response has to wait for its session before anybody looks at it.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryStore, type SessionOptions } from 'fast-session'
import { lmdbStore } from 'fast-session/lmdb'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answeringLater } from './fixtures/later-records.ts'
import { type LiveHandler, type LiveRequest, startApp } from './fixtures/live-app.ts'

const stores: ReadonlyArray<[name: string, open: () => Promise<NonNullable<SessionOptions['store']>>]> = [
  ['answers at once', async () => new MemoryStore()],
  ['reads at once and writes later', newLmdb],
  ['answers later', async () => answeringLater()],
]

async function newLmdb() {
  const path = await mkdtemp(join(tmpdir(), 'fast-session-first-look-'))
  const store = lmdbStore({ path })
  onTestFinished(async () => {
    await store.close()
    await rm(path, { recursive: true })
  })
  return store
}

/** Each answers with what it looked up. */
type Answers = ReadonlyArray<[how: string, answer: (look: (req: LiveRequest) => string) => LiveHandler]>

const answers: Answers = [
  ['end', (look) => (req, res) => res.end(look(req))],
  [
    'write',
    (look) => (req, res) => {
      res.write(look(req))
      res.end()
    },
  ],
  ['writeHead', (look) => (req, res) => res.writeHead(200, { 'X-Seen': look(req) }).end()],
  [
    'setHeader',
    (look) => (req, res) => {
      res.setHeader('X-Seen', look(req))
      res.end()
    },
  ],
  ['redirect', (look) => (req, res) => res.redirect(look(req))],
  ['json', (look) => (req, res) => res.json(look(req))],
]

const count = ({ session }: LiveRequest) => {
  session.n = (session.n ?? 0) + 1
  return `/${session.n}`
}

describe.each(stores)('in a store that %s', (_store, open) => {
  it.each(answers)('a session is found first in the arguments of %s', async (_how, answer) => {
    const app = await startApp({ store: await open() })
    const visitor = app.visitor()
    for (const n of ['/1', '/2', '/3']) {
      const { headers, text } = await visitor.ask(answer(count))
      expect(headers['x-seen'] ?? headers.location ?? text.replaceAll('"', '')).toBe(n)
      expect(visitor.sid).not.toBe('')
    }
    expect(await visitor.see()).toMatchObject({ n: 3 })
  })

  it.each(answers)('nothing leaves by %s of a session that can not be stored', async (_how, answer) => {
    const told: unknown[] = []
    const app = await startApp({
      store: await open(),
      onError: (error) => told.push((error as { code?: string }).code),
    })
    const visitor = app.visitor()
    const { status, headers, text } = await visitor.ask(
      answer(({ session }) => {
        session['itself'] = session
        return '/all of it'
      }),
    )
    expect([status, text]).toEqual([500, 'ERR_SESSION_ENCODE'])
    expect(headers).not.toHaveProperty('set-cookie')
    expect(headers).not.toHaveProperty('location')
    expect(told).toEqual(['ERR_SESSION_ENCODE'])
  })
})
