import { isDeepStrictEqual } from 'node:util'
import * as msgpack from '@msgpack/msgpack'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodePlain } from '../../src/codec/plain.ts'
import { keys, objectOf, PATIENCE, RUNS, sessions, strings, values } from './arbitraries.ts'
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
