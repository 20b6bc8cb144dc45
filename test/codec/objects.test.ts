import { Buffer } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodePlain, encodeDataPlain, encodePlain } from '../../src/codec/plain.ts'
import { keys, objectOf, PATIENCE, RUNS, strings, values } from './arbitraries.ts'
import { codecs } from './codecs.ts'

class Point {
  x = 1
  y = 'zażółć gęślą jaźń'
  readonly z: unknown

  constructor(z: unknown) {
    this.z = z
  }

  get sum(): number {
    return 3
  }
}

class KeyTeller {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }

  toJSON(key: unknown): unknown {
    return [key, this.value]
  }
}

class List extends Array {}

const names = fc.oneof(
  keys,
  fc.string({ unit: fc.constantFrom('a', 'ż', '京', '🎉'), maxLength: 70 }),
  fc.constantFrom('\ud800', 'x\udc00żżżżżżżżżż', 'żżżżżżżżżżż\ud800'),
)

const oddities = fc.constantFrom<unknown>(
  undefined,
  () => 1,
  Symbol('a symbol'),
  new Date(Number.NaN),
  new Date(0.5),
  new Date(-1),
  new Date(8.64e15),
  Object(1n),
  Object(true),
  Object('boxed żółw'),
  Object(3),
  Object(Symbol('boxed')),
  new Uint16Array([1, 2]),
  new ArrayBuffer(3),
  Buffer.from('żółw'),
  /a pattern/,
  new Error('żółw'),
  Object.create(null),
  new Set([undefined]),
  new WeakMap(),
  JSON,
  Math,
  new URL('http://example.com/żółw'),
  new Proxy({ a: 1 }, {}),
  new Proxy([1, 2], {}),
)

const { tree } = fc.letrec((tie) => {
  const members = fc.array(fc.tuple(names, tie('tree')), { maxLength: 6 })
  return {
    tree: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      values,
      strings,
      oddities,
      fc.array(tie('tree'), { maxLength: 20 }),
      fc.array(fc.tuple(names, tie('tree')), { maxLength: 20 }).map(objectOf),
      members.map((entries) => Object.assign(Object.create(null), objectOf(entries))),
      members.map((entries) =>
        Object.create({ inherited: 1 }, Object.getOwnPropertyDescriptors(objectOf(entries))),
      ),
      members.map((entries) => {
        const object = objectOf(entries)
        object['itself'] = object
        return object
      }),
      fc
        .tuple(names, names, tie('tree'))
        .map(([name, other, value]) =>
          Object.defineProperty({ [other]: 1 }, name, { enumerable: true, get: () => value }),
        ),
      fc
        .tuple(names, names, tie('tree'))
        .map(([name, other, value]) =>
          Object.defineProperty({ [other]: 1 }, name, { enumerable: false, value }),
        ),
      fc.tuple(names, tie('tree')).map(([name, value]) => {
        const object: Record<string, unknown> = { gone: 1, [name]: value, b: 2 }
        delete object['gone']
        return object
      }),
      tie('tree').map((value) => new Point(value)),
      tie('tree').map((value) => new KeyTeller(value)),
      tie('tree').map((value) => ({ toJSON: () => value })),
      tie('tree').map((value) => Object.assign(() => 1, { toJSON: () => value })),
      tie('tree').map((value) => List.from([value, 1])),
      // biome-ignore lint/suspicious/noSparseArray: a hole is what it is about
      tie('tree').map((value) => [1, , value]),
      tie('tree').map((value) => Object.assign([1, value], { beside: 1 })),
      tie('tree').map((value) => Object.assign([1, value], { toJSON: () => value })),
      fc.array(fc.tuple(tie('tree'), tie('tree')), { maxLength: 4 }).map((entries) => new Map(entries)),
      fc.array(tie('tree'), { maxLength: 4 }).map((entries) => new Set(entries)),
    ),
  }
})

/** What the payload before made the codec foresee: nothing new, text that is not ASCII, or text that is. */
const FORESEEN = [undefined, 'ż'.repeat(200), 'ascii']

type Outcome = { readonly value: unknown } | { readonly name: string; readonly message: string }

function outcome(action: () => unknown): Outcome {
  try {
    return { value: action() }
  } catch (error) {
    const { name, message } = error as Error
    return { name, message }
  }
}

describe('objects of every kind, and what is none', () => {
  it(
    'give the same bytes or the same error on every engine, and are unchanged then',
    () => {
      fc.assert(
        fc.property(tree, fc.constantFrom(...FORESEEN), fc.boolean(), (value, before, asSession) => {
          const isSession = asSession && typeof value === 'object' && value !== null && !Array.isArray(value)
          const expected = outcome(() =>
            isSession
              ? encodeDataPlain(value, Number.MAX_SAFE_INTEGER)
              : encodePlain(value, Number.MAX_SAFE_INTEGER),
          )
          for (const [engine, codec] of codecs) {
            if (before !== undefined) codec.encode(before)
            const got = outcome(() => (isSession ? codec.encodeData(value) : codec.encode(value)))
            if (!isDeepStrictEqual(got, expected)) expect([engine, got]).toEqual([engine, expected])
            if (!('value' in expected)) continue
            const bytes = expected.value as Uint8Array
            const changed = isSession
              ? codec.encodeDataIfChanged(value, bytes)
              : codec.encodeIfChanged(value, bytes)
            if (changed !== undefined) expect([engine, changed]).toEqual([engine, undefined])
            const [decoded, plain] = [codec.decode, decodePlain].map((decode) => outcome(() => decode(bytes)))
            if (!isDeepStrictEqual(decoded, plain)) expect([engine, decoded]).toEqual([engine, plain])
          }
        }),
        { numRuns: RUNS / 5 },
      )
    },
    PATIENCE,
  )
})
