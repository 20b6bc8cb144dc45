import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { createEncoder } from '../../src/codec/encode.ts'
import { wasmKernels } from '../../src/codec/kernels.ts'
import { encodeDataPlain, encodePlain } from '../../src/codec/plain.ts'

const NO_LIMIT = Number.MAX_SAFE_INTEGER

/** Around the sizes at which the way there changes. */
const SIZES = [0, 1, 15, 16, 17, 31, 32, 33, 34, 127, 128, 129, 130, 300]

const MEMBERS = [1, 'text', undefined, [0], { qty: 1 }, null, -0, 0.5, new Date(0), () => 1, 'żółw', true]

let used = 0
const stranger = (count: number): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length: count }, () => [`k${(used++).toString(36)}`, MEMBERS[used % 12]]))

/** What V8 makes of objects: one that lost a key, one that was made key by key, and one that is read from JSON. */
const representations: Record<string, (of: Record<string, unknown>) => Record<string, unknown>> = {
  'that are as they were made': (of) => of,
  'that lost a key': (of) => {
    const one = { lost: 1, ...of }
    delete (one as { lost?: number }).lost
    return one
  },
  'that were made key by key': (of) => {
    const one: Record<string, unknown> = {}
    for (const key of Object.keys(of)) one[key] = of[key]
    return one
  },
}

describe.each([
  ['JavaScript', false],
  ['the kernels', true],
])('dictionaries, by %s,', (_name, hasKernels) => {
  /** An encoder that expects dictionaries in every place that this test has. */
  const trained = () => {
    const encoder = createEncoder(hasKernels ? wasmKernels() : undefined)
    for (let i = 0; i < 40; i++) {
      encoder.encode({ inner: stranger(3), list: [stranger(3)] }, NO_LIMIT)
      encoder.encode(stranger(3), NO_LIMIT)
      encoder.encodeData(stranger(3), NO_LIMIT)
    }
    return encoder
  }

  describe.each(Object.entries(representations))('%s', (_representation, represent) => {
    it.each(SIZES)('are encoded as ever when they have %d keys', (size) => {
      const encoder = trained()
      for (let i = 0; i < 10; i++) {
        const one = represent(stranger(size))
        for (const value of [one, { inner: one, list: [one, one], after: 1 }]) {
          expect(Buffer.from(encoder.encode(value, NO_LIMIT))).toEqual(
            Buffer.from(encodePlain(value, NO_LIMIT)),
          )
        }
      }
    })

    it('leave out the cookie where they are sessions, and nowhere else', () => {
      const encoder = trained()
      for (const size of SIZES) {
        const half = stranger(size >> 1)
        const session = represent({ ...half, cookie: { path: '/' }, ...stranger(size - (size >> 1)) })
        const expected = Buffer.from(encodeDataPlain(session, NO_LIMIT))
        expect(Buffer.from(encoder.encodeData(session, NO_LIMIT))).toEqual(expected)
        expect(encoder.encodeDataIfChanged(session, expected, NO_LIMIT)).toBeUndefined()
        session['cookie'] = { path: '/other' }
        expect(encoder.encodeDataIfChanged(session, expected, NO_LIMIT)).toBeUndefined()
        const inner = { inner: session }
        expect(Buffer.from(encoder.encodeData(inner, NO_LIMIT))).toEqual(
          Buffer.from(encodeDataPlain(inner, NO_LIMIT)),
        )
      }
    })
  })

  it('whose keys are known are encoded as ever', () => {
    const encoder = trained()
    const [first, second] = [stranger(40), stranger(3)]
    for (let i = 0; i < 5000; i++) encoder.encode(i % 2 === 0 ? first : second, NO_LIMIT)
    for (const value of [first, second, { ...first, ...second }, { ...second, ...first }]) {
      expect(Buffer.from(encoder.encode(value, NO_LIMIT))).toEqual(Buffer.from(encodePlain(value, NO_LIMIT)))
    }
  })

  it.each(SIZES.slice(2))('keep keys and values together when a getter deletes one of %d', (size) => {
    const encoder = trained()
    for (const deleted of [0, size >> 1, size - 1]) {
      const make = () => {
        const object: Record<string, unknown> = { ...stranger(0) }
        for (let i = 0; i < size; i++) object[`key${i}`] = i
        Object.defineProperty(object, 'key1', {
          enumerable: true,
          configurable: true,
          get() {
            delete object[`key${deleted}`]
            return 'the getter'
          },
        })
        return object
      }
      expect(Buffer.from(encoder.encode({ inner: make() }, NO_LIMIT))).toEqual(
        Buffer.from(encodePlain({ inner: make() }, NO_LIMIT)),
      )
    }
  })

  it('that inherit keys are encoded with their own alone', () => {
    const encoder = trained()
    const inherited = 'a key that all objects inherit'
    ;(Object.prototype as Record<string, unknown>)[inherited] = 1
    try {
      for (const size of SIZES) {
        const one = stranger(size)
        expect(Buffer.from(encoder.encode(one, NO_LIMIT))).toEqual(Buffer.from(encodePlain(one, NO_LIMIT)))
      }
    } finally {
      delete (Object.prototype as Record<string, unknown>)[inherited]
    }
  })
})
