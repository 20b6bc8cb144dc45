import { describe, expect, it } from 'vitest'
import { createDecoder } from '../../src/codec/decode.ts'
import { encodePlain } from '../../src/codec/plain.ts'

const encode = (value: unknown) => encodePlain(value, Number.MAX_SAFE_INTEGER)

/** Dictionaries of keys that never come again. */
let used = 0
const stranger = (count: number): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length: count }, () => [`k${(used++).toString(36)}`, used % 100]))

describe('dictionaries', () => {
  it('of any size come back as plain objects, in the order of their keys', () => {
    const { decode } = createDecoder()
    for (const count of [4, 5, 24, 25, 48, 49, 80, 81, 128, 129, 300]) {
      for (let i = 0; i < 40; i++) {
        const value = [stranger(count)]
        for (let again = 0; again < 2; again++) {
          const [decoded] = decode(encode(value)) as [object]
          expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype)
          expect(Object.entries(decoded)).toStrictEqual(Object.entries(value[0] as object))
        }
      }
    }
  })

  it('with a key named __proto__ change no prototype, however many keys they have', () => {
    const { decode } = createDecoder()
    for (const count of [30, 100, 200]) {
      for (let i = 0; i < 40; i++) {
        const value = stranger(count)
        Object.defineProperty(value, '__proto__', { value: { admin: true }, enumerable: true })
        const decoded = decode(encode([value])) as [Record<string, unknown>]
        expect(Object.getPrototypeOf(decoded[0])).toBe(Object.prototype)
        expect(Object.entries(decoded[0])).toStrictEqual(Object.entries(value))
      }
    }
  })

  it('keep their keys when all lists are made anew within them', () => {
    const { decode } = createDecoder()
    const inner = { b1: 1, b2: 2, b3: 3, b4: 4, b5: 5 }
    const outer = (nested: unknown) => [{ a1: 1, a2: 2, a3: nested, b4: 4, b5: 5 }]
    const several = (count: number, size: number) => Array.from({ length: count }, () => stranger(size))
    // The first list; many more, of which a sample is learned from; then what fills the lists over and over.
    decode(encode([...several(17, 5), { a1: 1, a2: 2, a3: 3, a4: 4, a5: 5 }, ...several(1100, 5)]))
    decode(encode(outer(several(18, 5))))
    for (let i = 0; i < 12; i++) {
      const value = outer(several(700, 30).flatMap((each) => [inner, each]))
      expect(decode(encode(value))).toStrictEqual(value)
    }
  })
})
