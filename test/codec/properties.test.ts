import { Buffer } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import * as msgpack from '@msgpack/msgpack'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodePlain, encodePlain } from '../../src/codec/plain.ts'
import { dictionaries, keys, objectOf, PATIENCE, RUNS, sessions, strings, values } from './arbitraries.ts'
import { codecs } from './codecs.ts'

describe('any value', () => {
  it(
    'comes back as it went, by the same bytes on every engine',
    () => {
      fc.assert(
        fc.property(fc.oneof(values, sessions), (value) => {
          const plain = encodePlain(value, Number.MAX_SAFE_INTEGER)
          for (const [engine, { encode, decode }] of codecs) {
            const bytes = encode(value)
            if (!isDeepStrictEqual(bytes, plain)) expect([engine, bytes]).toEqual([engine, plain])
            const received = decode(bytes)
            if (!isDeepStrictEqual(received, value)) expect([engine, received]).toEqual([engine, value])
          }
        }),
        { numRuns: RUNS },
      )
    },
    PATIENCE,
  )
})

describe('dictionaries', () => {
  it(
    'come back as they went, with their keys in the same order, as plain objects',
    () => {
      fc.assert(
        fc.property(dictionaries, dictionaries, (first, second) => {
          const value = { first, second }
          const plain = encodePlain(value, Number.MAX_SAFE_INTEGER)
          for (const [engine, { encode, decode }] of codecs) {
            for (const turn of [1, 2]) {
              const received = decode(plain) as typeof value
              const orders = [received, value].map((object) => [
                Object.keys(object.first),
                Object.keys(object.second),
              ])
              if (!isDeepStrictEqual([received, orders[0]], [value, orders[1]]))
                expect([engine, turn, received]).toEqual([engine, turn, value])
              const bytes = encode(received)
              if (!isDeepStrictEqual(bytes, plain))
                expect([engine, turn, bytes]).toEqual([engine, turn, plain])
            }
          }
        }),
        { numRuns: RUNS / 2 },
      )
    },
    PATIENCE,
  )

  it(
    'that are cut or damaged give the same value or the same error on every engine, and by the book',
    () => {
      const damaged = fc
        .tuple(dictionaries, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat())
        .map(([value, at, byte, cut]) => {
          const whole = encodePlain(value, Number.MAX_SAFE_INTEGER)
          const bytes = whole.slice()
          bytes[at % bytes.length] = byte
          return { whole, bytes: cut % 2 === 0 ? bytes : bytes.subarray(0, cut % bytes.length) }
        })
      const outcome = (decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array) => {
        try {
          const value = decode(bytes)
          return { value, keys: Object.keys(Object(value)) }
        } catch (error) {
          return { message: (error as Error).message }
        }
      }
      fc.assert(
        fc.property(damaged, ({ whole, bytes }) => {
          const expected = outcome(decodePlain, bytes)
          for (const [engine, { decode }] of codecs) {
            decode(whole)
            const got = outcome(decode, bytes)
            if (!isDeepStrictEqual(got, expected)) expect([engine, got]).toEqual([engine, expected])
          }
        }),
        { numRuns: RUNS / 2 },
      )
    },
    PATIENCE,
  )

  it('are plain objects whatever their number, and give equal keys their later value', () => {
    const token = (text: string) => [0xa0 + text.length, ...Buffer.from(text)]
    for (const [engine, { decode }] of codecs) {
      for (let i = 0; i < 9000; i++) {
        // All keys new, then the same hundred again and again.
        const id = i < 5000 ? i : i % 100
        const names = [
          `a${id}`,
          'b',
          '7',
          '__proto__',
          'toString',
          'b',
          `${id}`,
          '',
          'c',
          'a key of 20 letters.',
        ]
        const bytes = Uint8Array.from([0x8a, ...names.flatMap((name, value) => [...token(name), value])])
        const value = decode(bytes) as object
        const expected = objectOf(names.map((name, value) => [name, value]))
        if (!isDeepStrictEqual(Object.entries(value), Object.entries(expected)))
          expect([engine, i, value]).toEqual([engine, i, expected])
        if (Object.getPrototypeOf(value) !== Object.prototype) expect([engine, i]).toBe('a plain object')
      }
    }
  })
})

describe('text of all scripts', () => {
  // So much of it in a row that the kernels take it on, where there are any.
  const scripts = fc.constantFrom(
    'zażółć gęślą jaźń ',
    'Ελληνικά',
    '日本語',
    '🎉👩‍👩‍👧',
    'Привет, мир. ',
    'é',
    'plain',
  )
  const text = fc
    .tuple(
      fc.array(scripts, { maxLength: 12 }),
      fc.string({ maxLength: 3 }),
      fc.string({ unit: 'binary', maxLength: 4 }),
    )
    .map(([parts, start, end]) => start + parts.join('') + end)
  const entry = fc.tuple(
    text,
    fc.oneof(text, fc.integer(), fc.array(text, { maxLength: 3 }), fc.uint8Array()),
  )
  const texts = fc
    .tuple(text, fc.array(entry, { minLength: 1, maxLength: 24 }), fc.option(strings))
    .map(([first, entries, last]) => ({
      first: first.repeat(4),
      rest: objectOf(entries),
      日本: [first, last],
    }))

  it(
    'comes back as it went, by the same bytes on every engine',
    () => {
      fc.assert(
        fc.property(texts, (value) => {
          const plain = encodePlain(value, Number.MAX_SAFE_INTEGER)
          for (const [engine, { encode, decode }] of codecs) {
            for (const turn of [1, 2]) {
              const bytes = encode(value)
              if (!isDeepStrictEqual(bytes, plain))
                expect([engine, turn, bytes]).toEqual([engine, turn, plain])
              const received = decode(bytes)
              if (!isDeepStrictEqual(received, value))
                expect([engine, turn, received]).toEqual([engine, turn, value])
            }
          }
        }),
        { numRuns: RUNS / 10 },
      )
    },
    PATIENCE,
  )

  it('may change anywhere from characters of any size to any other, or be wrong there', () => {
    const before = 'ż'.repeat(300)
    const right = [0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff].map((point) => [
      ...Buffer.from(String.fromCodePoint(point)),
    ])
    const wrong = [
      '80',
      'c1bf',
      'c3',
      'c3c3',
      'e09fbf',
      'eda080',
      'e282',
      'f08fbfbf',
      'f4908080',
      'f09f8e',
      'f8',
    ]
    const middles = [...right, ...wrong.map((hex) => [...Buffer.from(hex, 'hex')])]
    for (const filler of ['x', 'ż', '京', '🎉', 'xż', 'ż京']) {
      for (let start = 0; start < 20; start++) {
        for (const middle of middles) {
          const text = Buffer.concat([
            Buffer.from(filler.repeat(start)),
            Uint8Array.from(middle),
            Buffer.from(filler.repeat(start % 7)),
          ])
          const bytes = Buffer.concat([
            Uint8Array.of(0x92),
            encodePlain(before, 1000),
            Uint8Array.of(0xd9, text.length),
            text,
          ])
          const outcomes = [decodePlain, ...codecs.map(([, { decode }]) => decode)].map((decode) => {
            try {
              return decode(bytes) as string[]
            } catch (error) {
              return (error as Error).message
            }
          })
          for (const outcome of outcomes)
            if (!isDeepStrictEqual(outcome, outcomes[0]))
              expect([filler, start, middle, outcome]).toEqual([filler, start, middle, outcomes[0]])
          if (typeof outcomes[0] === 'string') continue
          for (const [engine, { encode }] of codecs)
            if (
              !isDeepStrictEqual(
                Buffer.from(encode(outcomes[0])),
                Buffer.from(encodePlain(outcomes[0], 2000)),
              )
            )
              expect([engine, filler, start, middle]).toBe('the same bytes')
        }
      }
    }
  })

  it('gives the same error on every engine when it is cut or damaged', () => {
    const damaged = fc
      .tuple(texts, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat())
      .map(([value, at, byte, cut]) => {
        const whole = encodePlain(value, Number.MAX_SAFE_INTEGER)
        const bytes = whole.slice()
        bytes[at % bytes.length] = byte
        return { whole, bytes: cut % 2 === 0 ? bytes : bytes.subarray(0, cut % bytes.length) }
      })
    fc.assert(
      fc.property(damaged, ({ whole, bytes }) => {
        const outcomes = codecs.map(([, { decode }]) => {
          decode(whole)
          try {
            return { value: decode(bytes) }
          } catch (error) {
            return { message: (error as Error).message }
          }
        })
        for (const outcome of outcomes)
          if (!isDeepStrictEqual(outcome, outcomes[0])) expect(outcome).toEqual(outcomes[0])
      }),
      { numRuns: RUNS / 10 },
    )
  })
})

describe('@msgpack/msgpack', () => {
  // What both know: it has no lone surrogates, takes no __proto__, makes 0 of -0, and drops a byte order mark.
  const text = strings.filter((text) => text.isWellFormed() && !text.startsWith('\ufeff'))
  const leaves = fc.oneof(
    fc.maxSafeInteger(),
    fc.integer({ min: -300, max: 70_000 }),
    fc.double().filter((number) => !Object.is(number, -0)),
    text,
    fc.constantFrom(null, true, false),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array(),
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leaves,
      fc.array(tie('tree'), { maxLength: 5 }),
      fc
        .array(fc.tuple(fc.oneof(keys, text), tie('tree')), { maxLength: 5 })
        .map((entries) => objectOf(entries.filter(([key]) => key !== '__proto__' && key.isWellFormed()))),
    ),
  }))

  it(
    'reads what every engine writes, and is read by every engine',
    () => {
      fc.assert(
        fc.property(tree, (value) => {
          const theirs = msgpack.encode(value)
          for (const [engine, { encode, decode }] of codecs) {
            const read = msgpack.decode(encode(value))
            if (!isDeepStrictEqual(read, value)) expect([engine, read]).toEqual([engine, value])
            const received = decode(theirs)
            if (!isDeepStrictEqual(received, value)) expect([engine, received]).toEqual([engine, value])
          }
        }),
        { numRuns: RUNS },
      )
    },
    PATIENCE,
  )

  it('reads a BigInt that no number can hold as one', () => {
    for (const [, { encode, decode }] of codecs) {
      for (const value of [2n ** 63n - 1n, 2n ** 64n - 1n, -(2n ** 63n), 2n ** 53n]) {
        expect(msgpack.decode(encode(value), { useBigInt64: true })).toBe(value)
        expect(decode(msgpack.encode(value, { useBigInt64: true }))).toBe(value)
      }
    }
  })
})
