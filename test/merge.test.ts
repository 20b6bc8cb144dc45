/** Two requests change one session at the same time: what is left of both, as the next request sees it. */
import fc from 'fast-check'
import type { SessionOptions } from 'fast-session'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LiveApp, type LiveSession, signal, startApp, type Visitor } from './fixtures/live-app.ts'

type Change = (session: LiveSession) => unknown

/** Both requests have read what `begin` made when one stores what `theirs` makes of it, and then one what `mine` does. */
async function overlap(
  { begin, theirs, mine }: { begin: Change; theirs: Change; mine: Change },
  options: SessionOptions = {},
): Promise<LiveSession> {
  const visitor = await overlapIn(await startApp(options), begin, theirs, mine)
  return dataOf(visitor)
}

async function dataOf(visitor: Visitor): Promise<LiveSession> {
  const { cookie: _cookie, begun: _begun, ...data } = await visitor.see()
  return data as LiveSession
}

async function overlapIn(app: LiveApp, begin: Change, theirs: Change, mine: Change): Promise<Visitor> {
  const visitor = app.visitor()
  await visitor.change((session) => {
    session['begun'] = true
    begin(session)
  })
  const [hasRead, read] = signal()
  const [mayGoOn, goOn] = signal()
  const slow = visitor.change(async (session) => {
    expect(session['begun']).toBe(true)
    read()
    await mayGoOn
    await mine(session)
  })
  await hasRead
  expect(await app.visitor(visitor.cookie).change(theirs)).toMatchObject({ status: 200 })
  goOn()
  expect(await slow).toMatchObject({ status: 200 })
  return visitor
}

const assign = (data: object) => (session: LiveSession) => void Object.assign(session, data)
const remove = (key: string) => (session: LiveSession) => void delete session[key]
const nothing = () => {}

describe('keys', () => {
  it('that each side adds are both there', async () => {
    const session = await overlap({ begin: nothing, theirs: assign({ a: 1 }), mine: assign({ b: 2 }) })
    expect(session).toEqual({ a: 1, b: 2 })
  })

  it('that one side changes take its value', async () => {
    const begin = assign({ a: 1, b: 1, c: 1 })
    const session = await overlap({ begin, theirs: assign({ a: 2 }), mine: assign({ b: 2 }) })
    expect(session).toEqual({ a: 2, b: 2, c: 1 })
  })

  it('that both change take the value that is stored later', async () => {
    const session = await overlap({
      begin: assign({ a: 1 }),
      theirs: assign({ a: 2 }),
      mine: assign({ a: 3 }),
    })
    expect(session).toEqual({ a: 3 })
  })

  it('that one side deletes are gone', async () => {
    const begin = assign({ a: 1, b: 1, c: 1 })
    const session = await overlap({ begin, theirs: remove('a'), mine: remove('b') })
    expect(session).toEqual({ c: 1 })
  })

  it('that one side deletes and the other changes go by who is later', async () => {
    const begin = assign({ a: 1, b: 1 })
    const deleted = await overlap({ begin, theirs: assign({ a: 2 }), mine: remove('a') })
    expect(deleted).toEqual({ b: 1 })
    const changed = await overlap({ begin, theirs: remove('a'), mine: assign({ a: 2 }) })
    expect(changed).toEqual({ a: 2, b: 1 })
  })

  it('named like parts of every object are data, and pollute no prototype', async () => {
    const own = (key: string, value: unknown) => (session: LiveSession) => {
      session['data'] = Object.defineProperty({}, key, { value, enumerable: true })
    }
    const session = await overlap({
      begin: nothing,
      theirs: own('__proto__', { polluted: 'theirs' }),
      mine: own('constructor', { prototype: { polluted: 'mine' } }),
    })
    const data = session['data'] as object
    expect(Object.entries(data).sort()).toEqual([
      ['__proto__', { polluted: 'theirs' }],
      ['constructor', { prototype: { polluted: 'mine' } }],
    ])
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('named __proto__ at the top of a session are data, too', async () => {
    const define = (session: LiveSession) => {
      Object.defineProperty(session, '__proto__', { value: { polluted: true }, enumerable: true })
    }
    const session = await overlap({ begin: nothing, theirs: define, mine: assign({ b: 2 }) })
    expect(Object.entries(session).sort()).toEqual([
      ['__proto__', { polluted: true }],
      ['b', 2],
    ])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('whose values are null, false, empty or dates count as values', async () => {
    const when = new Date(1e12)
    const session = await overlap({
      begin: assign({ a: 1, b: 1, c: 1 }),
      theirs: assign({ a: null, b: false, e: when }),
      mine: assign({ c: '', d: 0 }),
    })
    expect(session).toEqual({ a: null, b: false, c: '', d: 0, e: when.toJSON() })
  })
})

describe('objects', () => {
  it('are merged by their keys, however deep', async () => {
    const session = await overlap({
      begin: assign({ cart: { tea: { tins: 1 }, rest: { kept: true } } }),
      theirs: ({ cart }) => void Object.assign(cart as object, { milk: { tins: 2 } }),
      mine: ({ cart }) => void Object.assign((cart as { tea: object }).tea, { gift: true }),
    })
    expect(session['cart']).toEqual({ tea: { tins: 1, gift: true }, milk: { tins: 2 }, rest: { kept: true } })
  })

  it('that both sides make are merged, too', async () => {
    const session = await overlap({
      begin: nothing,
      theirs: assign({ states: { google: 'x' } }),
      mine: assign({ states: { github: 'y' } }),
    })
    expect(session['states']).toEqual({ google: 'x', github: 'y' })
  })

  it('with the same keys in another order are the same', async () => {
    const session = await overlap({
      begin: assign({ at: { x: 1, y: 1 } }),
      theirs: assign({ at: { x: 2, y: 1 } }),
      mine: assign({ at: { y: 1, x: 1 } }),
    })
    expect(session['at']).toEqual({ x: 2, y: 1 })
  })
})

describe('lists', () => {
  const append = (item: unknown) => (session: LiveSession) => {
    session['list'] ??= []
    ;(session['list'] as unknown[]).push(item)
  }

  it('keep what each side has appended', async () => {
    const session = await overlap({ begin: append('a'), theirs: append('b'), mine: append('c') })
    expect(session.list).toEqual(['a', 'b', 'c'])
  })

  it('of objects keep what each side has appended', async () => {
    const begin = append({ tea: 'a', n: 1 })
    const session = await overlap({ begin, theirs: append({ tea: 'b' }), mine: append({ tea: 'c' }) })
    expect(session.list).toEqual([{ tea: 'a', n: 1 }, { tea: 'b' }, { tea: 'c' }])
  })

  it('keep what is appended while they are shown and emptied', async () => {
    const begin = append('shown')
    const empty = (session: LiveSession) => void session.list?.splice(0)
    const late = await overlap({ begin, theirs: append('new'), mine: empty })
    expect(late.list).toEqual(['new'])
    const early = await overlap({ begin, theirs: empty, mine: append('new') })
    expect(early.list).toEqual(['new'])
  })

  it('keep what is appended while they are deleted', async () => {
    const begin = append('shown')
    expect((await overlap({ begin, theirs: append('new'), mine: remove('list') })).list).toEqual(['new'])
    expect((await overlap({ begin, theirs: remove('list'), mine: append('new') })).list).toEqual(['new'])
  })

  it('keep what is appended while something in the middle is removed', async () => {
    const begin = assign({ list: ['a', 'b', 'c'] })
    const removeB = (session: LiveSession) => void session.list?.splice(1, 1)
    expect((await overlap({ begin, theirs: append('d'), mine: removeB })).list).toEqual(['a', 'c', 'd'])
    expect((await overlap({ begin, theirs: removeB, mine: append('d') })).list).toEqual(['a', 'c', 'd'])
  })

  it('in which both sides changed something else are the later one', async () => {
    const begin = assign({ list: ['a', 'b'] })
    const theirs = assign({ list: ['b', 'a'] })
    expect((await overlap({ begin, theirs, mine: assign({ list: ['x', 'b'] }) })).list).toEqual(['x', 'b'])
  })
})

describe('flash messages', () => {
  it('that come while others are shown wait for the next page', async () => {
    const app = await startApp({})
    const visitor = app.visitor()
    await visitor.ask((req, res) => res.json(req.flash('info', 'first')))
    const [hasRead, read] = signal()
    const [mayGoOn, goOn] = signal()
    const page = visitor.ask(async (req, res) => {
      const shown = req.flash('info')
      read()
      await mayGoOn
      res.json(shown)
    })
    await hasRead
    await app.visitor(visitor.cookie).ask((req, res) => res.json(req.flash('info', 'second')))
    goOn()
    expect((await page).text).toBe('["first"]')
    expect((await visitor.ask((req, res) => res.json(req.flash('info')))).text).toBe('["second"]')
  })
})

describe('the option merge', () => {
  it('decides about each value that both sides changed, and about no other', async () => {
    const asked: unknown[] = []
    const session = await overlap(
      {
        begin: assign({ score: { best: 3, last: 3 }, name: 'ada', gone: 1 }),
        theirs: (session) => {
          assign({ score: { best: 9, last: 4 }, theirs: 1 })(session)
          remove('gone')(session)
        },
        mine: assign({ score: { best: 7, last: 7 }, mine: 1, gone: 2, name: 'grace' }),
      },
      {
        merge(base, mine, theirs, path) {
          asked.push([path, base, mine, theirs])
          return path.join('.') === 'score.best' ? Math.max(mine as number, theirs as number) : mine
        },
      },
    )
    expect(session).toEqual({ score: { best: 9, last: 7 }, name: 'grace', gone: 2, mine: 1, theirs: 1 })
    expect(asked.sort()).toEqual([
      [['gone'], 1, 2, undefined],
      [['score', 'best'], 3, 7, 9],
      [['score', 'last'], 3, 7, 4],
    ])
  })

  it('leaves out what it answers undefined for', async () => {
    const session = await overlap(
      { begin: assign({ a: 1, b: 1 }), theirs: assign({ a: 2 }), mine: assign({ a: 3 }) },
      { merge: () => undefined },
    )
    expect(session).toEqual({ b: 1 })
  })

  it('fails the request when it throws, and leaves what the other one has stored', async () => {
    const app = await startApp({
      merge() {
        throw new Error('undecided')
      },
    })
    const visitor = app.visitor()
    await visitor.change(assign({ a: 1 }))
    const [hasRead, read] = signal()
    const [mayGoOn, goOn] = signal()
    const slow = visitor.change(async (session) => {
      session['a'] = 3
      read()
      await mayGoOn
    })
    await hasRead
    await app.visitor(visitor.cookie).change(assign({ a: 2 }))
    goOn()
    expect(await slow).toMatchObject({ status: 500, text: 'undecided' })
    expect(await visitor.see(({ a }) => a)).toBe(2)
  })
})

describe('the cookie', () => {
  const DAY = 86_400_000
  const remember = ({ cookie }: LiveSession) => {
    cookie.maxAge = 30 * DAY
    cookie.sameSite = 'strict'
  }

  it('that one side changed stays so when the other side stores later', async () => {
    const app = await startApp({ cookie: { maxAge: DAY } })
    const visitor = await overlapIn(app, nothing, remember, assign({ a: 1 }))
    expect(await visitor.see()).toMatchObject({
      a: 1,
      cookie: { originalMaxAge: 30 * DAY, sameSite: 'strict' },
    })
  })

  it('that both sides changed is the later one', async () => {
    const app = await startApp({ cookie: { maxAge: DAY } })
    const visitor = await overlapIn(app, nothing, remember, ({ cookie }) => {
      cookie.maxAge = 7 * DAY
    })
    expect(await visitor.see()).toMatchObject({ cookie: { originalMaxAge: 7 * DAY, sameSite: 'lax' } })
  })

  it('keeps what one side made of it through an update of the other', async () => {
    const app = await startApp({ cookie: { maxAge: DAY } })
    const visitor = await overlapIn(
      app,
      remember,
      ({ cookie }) => void Object.assign(cookie, { sameSite: 'none' }),
      (session) => session.update(assign({ a: 1 })),
    )
    expect(await visitor.see()).toMatchObject({
      a: 1,
      cookie: { originalMaxAge: 30 * DAY, sameSite: 'none' },
    })
  })
})

describe('what a handler holds on to', () => {
  it('is still part of the session after a save, unless the other side changed it', async () => {
    const session = await overlap({
      begin: assign({ cart: { tea: 1 } }),
      theirs: assign({ b: 2 }),
      async mine(session) {
        const cart = session['cart'] as Record<string, number>
        cart['tea'] = 2
        await session.save()
        cart['milk'] = 1
      },
    })
    expect(session).toEqual({ cart: { tea: 2, milk: 1 }, b: 2 })
  })

  it('includes functions that it has put there for the rest of the request', async () => {
    const session = await overlap({
      begin: nothing,
      theirs: assign({ b: 2 }),
      async mine(session) {
        session['helper'] = () => 'help'
        session['a'] = 1
        await session.save()
        session['helped'] = (session['helper'] as () => string)()
      },
    })
    expect(session).toEqual({ a: 1, b: 2, helped: 'help' })
  })
})

describe('update', () => {
  it('runs again on what the other side has left, and keeps what the handler changed before', async () => {
    let runs = 0
    const session = await overlap({
      begin: assign({ n: 1 }),
      theirs: assign({ n: 10, b: 2 }),
      async mine(session) {
        session['a'] = 1
        const answered = await session.update((fresh) => {
          runs++
          fresh.n = (fresh.n ?? 0) + 1
          return fresh.n
        })
        session['answered'] = answered
      },
    })
    expect(session).toEqual({ n: 11, a: 1, b: 2, answered: 11 })
    expect(runs).toBe(2)
  })

  it('that throws leaves the session as it was, and tells nobody but its caller', async () => {
    const told: unknown[] = []
    const session = await overlap(
      {
        begin: assign({ n: 1 }),
        theirs: assign({ b: 2 }),
        async mine(session) {
          session['a'] = 1
          const updating = session.update((fresh) => {
            fresh.n = 2
            throw new Error('rather not')
          })
          await expect(updating).rejects.toThrow('rather not')
        },
      },
      { onError: (error) => told.push(error) },
    )
    expect(session).toEqual({ n: 1, a: 1, b: 2 })
    expect(told).toEqual([])
  })

  it('within an update is no trap', async () => {
    const session = await overlap({
      begin: assign({ n: 1 }),
      theirs: assign({ b: 2 }),
      mine: (session) =>
        session.update(async (outer) => {
          await outer.update((inner) => {
            inner['inner'] = 1
          })
          outer['outer'] = 1
        }),
    })
    expect(session).toEqual({ n: 1, b: 2, inner: 1, outer: 1 })
  })

  it('that never ends holds up only the request that it is part of', async () => {
    const app = await startApp({})
    const visitor = app.visitor()
    await visitor.change(assign({ n: 1 }))
    const [hasBegun, begin] = signal()
    const [mayEnd, end] = signal()
    const stuck = visitor.change((session) =>
      session.update(async () => {
        begin()
        await mayEnd
      }),
    )
    await hasBegun
    const others = Array.from({ length: 10 }, () =>
      app.visitor(visitor.cookie).change((session) =>
        session.update((fresh) => {
          fresh.n = (fresh.n ?? 0) + 1
        }),
      ),
    )
    for (const { status } of await Promise.all(others)) expect(status).toBe(200)
    end()
    expect((await stuck).status).toBe(200)
    expect(await visitor.see(({ n }) => n)).toBe(11)
  })
})

describe('any two changes of different values', () => {
  let app: LiveApp
  beforeEach(async () => {
    app = await startApp({})
  })

  const key = fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'toString')
  const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null), fc.array(fc.integer()))
  const tree = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, leaf, fc.dictionary(key, tie('value'), { maxKeys: 4 })),
  })).value
  const data = fc.dictionary(key, tree, { maxKeys: 5 })
  /** For each place of the data, by its number: which side changes it, and to what; undefined deletes it. */
  const changes = fc.array(
    fc.record({
      side: fc.constantFrom('theirs', 'mine', 'nobody'),
      value: fc.option(leaf, { nil: undefined }),
    }),
    { minLength: 1, maxLength: 8 },
  )

  afterEach(() => {
    expect(({} as Record<string, unknown>)['a']).toBeUndefined()
  })

  it('are merged to the same in either order, and to what one of both alone would have made', async () => {
    await fc.assert(
      fc.asyncProperty(data, changes, async (begin, plan) => {
        const apply = (side: string) => (session: LiveSession) => {
          change(session['data'] as Data, plan, (change) => side === 'both' || change.side === side)
        }
        const start = (session: LiveSession) => assign({ data: structuredClone(begin) })(session)
        const one = await dataOf(await overlapIn(app, start, apply('theirs'), apply('mine')))
        const other = await dataOf(await overlapIn(app, start, apply('mine'), apply('theirs')))
        expect(sorted(one)).toEqual(sorted(other))

        const expected = structuredClone(begin) as Data
        change(expected, plan, ({ side }) => side !== 'nobody')
        expect(sorted(one['data'])).toEqual(sorted(expected))
      }),
      { numRuns: 60 },
    )
  }, 60_000)
})

type Data = Record<string, unknown>
type Plan = ReadonlyArray<{ readonly side: string; readonly value: unknown }>

/** Changes the leaves of `data` as planned; the number of a leaf decides whose it is. */
function change(data: Data, plan: Plan, isMeant: (change: Plan[number]) => boolean): void {
  let number = 0
  const visit = (node: Data): void => {
    for (const key of Object.keys(node)) {
      const value = node[key]
      if (isObject(value) && Object.keys(value).length > 0) {
        visit(value)
        continue
      }
      const change = plan[number++ % plan.length]!
      if (!isMeant(change)) continue
      if (change.value === undefined) delete node[key]
      else
        Object.defineProperty(node, key, {
          value: change.value,
          enumerable: true,
          configurable: true,
          writable: true,
        })
    }
  }
  visit(data)
}

function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** With the keys of all objects in one order: a merge promises none. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, sorted(inner)])
}
