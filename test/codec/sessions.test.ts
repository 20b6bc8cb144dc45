import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeDataPlain } from '../../src/codec/plain.ts'
import { keys, PATIENCE, RUNS, sessions, values } from './arbitraries.ts'
import { codecs } from './codecs.ts'

/** As the middleware's: data is copied into it, beside a cookie and methods. */
class Session {
  [key: string]: unknown
  cookie: unknown = { maxAge: 1 }
  get id() {
    return 'an id'
  }
  save() {
    return this
  }
}

function sessionOf(data: object): Session {
  const session = new Session()
  for (const key of Object.keys(data)) {
    if (key === 'cookie') continue
    Object.defineProperty(session, key, {
      value: (data as Record<string, unknown>)[key],
      writable: true,
      enumerable: true,
      configurable: true,
    })
  }
  return session
}

const withoutCookie = ({ cookie: _, ...data }: Record<string, unknown>) => data

describe.each(codecs)('a session on the engine %s', (_, codec) => {
  const { encodeData, encodeDataIfChanged, decodeInto } = codec

  it('is encoded without its cookie and its methods', () => {
    const session = sessionOf({ user: 'ann', views: 1 })
    expect(codec.decode(encodeData(session))).toStrictEqual({ user: 'ann', views: 1 })
    expect(codec.decode(encodeData(new Session()))).toStrictEqual({})
  })

  it('keeps a cookie that is not its own', () => {
    const session = sessionOf({ jar: { cookie: 'oats' } })
    for (let i = 0; i < 30; i++) {
      expect(codec.decode(encodeData(session))).toStrictEqual({ jar: { cookie: 'oats' } })
    }
  })

  it('comes back into an object that has properties already', () => {
    const session = new Session()
    decodeInto(encodeData(sessionOf({ user: 'ann' })), session)
    expect(session).toStrictEqual(sessionOf({ user: 'ann' }))
    expect(Object.keys(session)).toStrictEqual(['cookie', 'user'])
  })

  it('takes data named like a method, a getter or __proto__ for data', () => {
    const data = JSON.parse(
      '{"save":1,"id":2,"constructor":3,"__proto__":{"admin":true},"toString":4,"user":"ann"}',
    )
    for (let i = 0; i < 30; i++) {
      const session = new Session()
      decodeInto(codec.encode(data), session)
      for (const key of Object.keys(data)) {
        expect(Object.getOwnPropertyDescriptor(session, key)).toMatchObject({
          value: data[key],
          enumerable: true,
        })
      }
      expect(Object.getPrototypeOf(session)).toBe(Session.prototype)
    }
    expect(Session.prototype.save).toBeTypeOf('function')
  })

  it('leaves out a cookie that a payload brings', () => {
    const payload = codec.encode({ cookie: 'forged', user: 'ann' })
    for (let i = 0; i < 30; i++) {
      const session = new Session()
      decodeInto(payload, session)
      expect(session).toStrictEqual(sessionOf({ user: 'ann' }))
    }
  })

  it('comes back the same into objects of several classes', () => {
    class Other {
      [key: string]: unknown
      get user() {
        return 'from the class'
      }
    }
    const payload = codec.encode({ user: 'ann', views: 1 })
    for (let i = 0; i < 30; i++) {
      const [session, other, plain] = [new Session(), new Other(), {}]
      for (const target of [session, other, plain]) decodeInto(payload, target)
      expect(session).toStrictEqual(sessionOf({ user: 'ann', views: 1 }))
      expect(Object.entries(other)).toStrictEqual(Object.entries(plain))
      expect(plain).toStrictEqual({ user: 'ann', views: 1 })
    }
  })

  it('is refused when it is no map', () => {
    for (const value of [1, [1], 'text', null, new Map()]) {
      expect(() => decodeInto(codec.encode(value), {})).toThrow(/session data must be a map/)
    }
    expect(() => decodeInto(new Uint8Array(), {})).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_DECODE' }),
    )
  })

  it('that is too large names what takes it there', () => {
    expect(() => encodeData({ history: 'x'.repeat(2 ** 21) })).toThrow(
      /^"history" takes the session beyond 1048576 bytes/,
    )
  })

  it(
    'changes exactly when its bytes do',
    () => {
      fc.assert(
        fc.property(sessions, keys, values, (data, key, value) => {
          const previous = encodeData(data)
          const session = new Session()
          decodeInto(previous, session)
          if (encodeDataIfChanged(session, previous) !== undefined) {
            expect(session).toEqual(sessionOf(withoutCookie(data)))
            expect.unreachable('an unchanged session counts as changed')
          }
          Object.defineProperty(session, key, { value, writable: true, enumerable: true, configurable: true })
          const expected = encodeDataPlain(session, Number.MAX_SAFE_INTEGER)
          const changed = encodeDataIfChanged(session, previous)
          if (!isDeepStrictEqual(changed ?? previous, expected)) expect(changed).toEqual(expected)
          expect(changed === undefined).toBe(isDeepStrictEqual(previous, expected))
        }),
        { numRuns: RUNS / 4 },
      )
    },
    PATIENCE,
  )

  it('changes when a character, a number, a key or their order does', () => {
    const session = { a: 'text', b: [1, 2, { c: 1.5 }], d: new Date(5) }
    const previous = encodeData(session)
    const variants: object[] = [
      { ...session, a: 'texT' },
      { ...session, a: 'texts' },
      { ...session, b: [1, 2, { c: 1.25 }] },
      { ...session, b: [1, 2, { c: 1.5, e: undefined }, null] },
      { ...session, d: new Date(6) },
      { b: session.b, a: session.a, d: session.d },
      { a: session.a, b: session.b },
      { ...session, e: null },
    ]
    for (const variant of variants)
      expect(encodeDataIfChanged(variant, previous)).toStrictEqual(encodeData(variant))
    expect(encodeDataIfChanged({ ...session, gone: undefined, method: () => 1 }, previous)).toBeUndefined()
  })

  it('leaves bytes that later sessions do not change', () => {
    const first = encodeData({ user: 'ann' })
    const copy = first.slice()
    for (let i = 0; i < 5000; i++) encodeData({ user: `somebody ${i}`, more: 'x'.repeat(i) })
    expect(first).toStrictEqual(copy)
  })
})
