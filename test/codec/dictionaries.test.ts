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

  it('that are seen again come back the same, whatever the length of their keys and whatever they hold', () => {
    const { decode } = createDecoder()
    const values = [0, 127, 128, 255, 256, 65_535, 65_536, -1, 0.5, 'ä', 'text', null, true, [1], { a: 1 }]
    const texts = ['', 'é', 'ab', 'abc', 'abcd', 'żółć', 'z'.repeat(31), 'z'.repeat(40), 'a-b-c']
    // At the beginning of a payload, where there is no whole word that ends with a short key, and within it.
    for (const inside of [(value: object): object => value, (value: object): object => [true, value]]) {
      for (let i = 0; i < 20; i++) decode(encode(inside(stranger(6))))
      for (const keys of [texts, [...texts].reverse(), ['7', '42', ...texts]]) {
        for (let turn = 0; turn < values.length; turn++) {
          const value = inside(
            Object.fromEntries(keys.map((key, i) => [key, values[(i + turn) % values.length]])),
          )
          const decoded = decode(encode(value))
          expect(decoded).toStrictEqual(value)
          expect(JSON.stringify(decoded)).toBe(JSON.stringify(value))
        }
      }
    }
  })

  it('that begin with the same key as another but differ later are told from it', () => {
    const { decode } = createDecoder()
    for (let i = 0; i < 20; i++) decode(encode(stranger(6)))
    for (const key of ['a', 'abc', 'abcdefgh', 'k'.repeat(20)]) {
      const listed = { first: 1, [key]: 2, c: 3, d: 4, e: 5, f: 6 }
      for (let i = 0; i < 3; i++) expect(decode(encode(listed))).toStrictEqual(listed)
      for (let at = 0; at < key.length; at++) {
        const similar = `${key.slice(0, at)}_${key.slice(at + 1)}`
        const other = { first: 1, [similar]: 2, c: 3, d: 4, e: 5, f: 6 }
        expect(decode(encode(other))).toStrictEqual(other)
        expect(Object.keys(decode(encode(other)) as object)).toStrictEqual(Object.keys(other))
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
