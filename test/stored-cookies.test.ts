import stock from 'express-session'
import fc from 'fast-check'
import { Store } from 'fast-session'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

type Attributes = Record<string, unknown>

/** What stores have been seen to keep of a cookie, and what they should not. */
const attributes = fc.record(
  {
    originalMaxAge: fc.constantFrom(5000, 0, null, undefined),
    expires: fc.constantFrom('2100-01-01T00:00:00.000Z', 'no date', new Date(4e12), null, false, undefined),
    maxAge: fc.constantFrom(1000, null, undefined),
    path: fc.constantFrom('/app', null, undefined),
    httpOnly: fc.constantFrom(false, true, undefined),
    secure: fc.constantFrom(false, true, 'auto'),
    sameSite: fc.constantFrom('strict', true, undefined),
    domain: fc.constantFrom('example.com', undefined),
    partitioned: fc.boolean(),
    priority: fc.constantFrom('high', undefined),
    unheardOf: fc.constant(1),
  },
  { requiredKeys: [] },
)

/** In every order: of `expires` and `maxAge`, the later one holds. */
const cookies = fc.tuple(attributes, fc.infiniteStream(fc.nat())).map(([given, ranks]) =>
  Object.fromEntries(
    Object.entries(given)
      .map((entry) => ({ entry, rank: ranks.next().value as number }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ entry }) => entry),
  ),
)

describe('a cookie that a store kept', () => {
  // `maxAge` counts from now.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is read as express-session reads it', () => {
    const theirs = new (class extends (stock.Store as unknown as new () => Creator) {})()
    const ours = new (class extends (Store as unknown as new () => Creator) {})()
    fc.assert(
      fc.property(cookies, (cookie) => {
        expect(read(ours, cookie)).toEqual(read(theirs, cookie))
      }),
      { numRuns: 5000 },
    )
  })

  it('is refused when it is none', () => {
    const ours = new (class extends (Store as unknown as new () => Creator) {})()
    for (const cookie of [undefined, null, 'connect.sid', 1]) {
      expect(() => read(ours, cookie as never)).toThrow(/has no cookie/)
    }
  })
})

interface Creator {
  createSession(req: object, session: object): { cookie: Attributes }
}

const NAMES = [
  'originalMaxAge',
  'expires',
  'path',
  'httpOnly',
  'secure',
  'sameSite',
  'domain',
  'partitioned',
  'priority',
]

function read(store: Creator, cookie: Attributes): Attributes {
  const created = store.createSession({ sessionID: 'id', sessionStore: store }, { cookie }).cookie
  return Object.fromEntries(NAMES.map((name) => [name, created[name]]))
}
