import { describe, expect, it } from 'vitest'
import { createDecoder as createDecoderOf } from '../../src/codec/decode.ts'
import { wasmKernels } from '../../src/codec/kernels.ts'
import { decodePlain, encodePlain } from '../../src/codec/plain.ts'

const encode = (value: unknown) => encodePlain(value, Number.MAX_SAFE_INTEGER)

/** Dictionaries of keys that never come again. */
let used = 0
const stranger = (count: number): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length: count }, () => [`k${(used++).toString(36)}`, used % 100]))

describe.each([
  ['JavaScript', false],
  ['the kernels', true],
])('dictionaries, by %s,', (_name, hasKernels) => {
  const createDecoder = () => createDecoderOf(hasKernels ? wasmKernels() : undefined)

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

  describe('of many keys', () => {
    // What JSON.parse could take for something else, at the borders of every form and size.
    const texts = [
      ...[
        '',
        '"',
        '\\',
        '\\u0041',
        '\n',
        '\u0000',
        '\u001f',
        ' ',
        '\u007f',
        '\u0080',
        'é',
        '€',
        '😀',
        '\u2028',
      ],
      ...['__proto__', 'constructor', 'toJSON', '7', '07', '-1', '4294967295', '{"a":1}', '",":', 'null'],
      // What adds a member, if quotation marks are not looked for.
      ...['a","admin":"', 'a":1,"admin'],
      ...[15, 16, 17, 31, 32, 33, 47, 48, 49, 254, 255, 256, 300].flatMap((length) =>
        ['', '"', '\n', 'é'].map((last) => 'x'.repeat(length - last.length) + last),
      ),
    ]
    const numbers = [0, 7, 8, 15, 16, 31, 32].flatMap((bits) => [2 ** bits - 1, 2 ** bits, -(2 ** bits)])
    const tens = [1, 10, 99, 100, 999, 1000, 999_999, 1_000_000, 1_000_007, 999_999_999, 1e9, 4_000_000_000]
    const others = [-0, 0.5, 1e21, Number.NaN, 2n ** 60n, null, true, false, [1], { a: 'b' }, new Date(0)]
    const values = [...texts, ...numbers, ...tens, ...tens.map((number) => -number), ...others]

    /** With room to be read at once, and where the payload ends with it. */
    const around = [(value: object) => [value, 'more'], (value: object) => [value]]

    function trained(): ReturnType<typeof createDecoder>['decode'] {
      const { decode } = createDecoder()
      for (let i = 0; i < 20; i++) decode(encode([stranger(6)]))
      return decode
    }

    function same(decode: (payload: Uint8Array) => unknown, payload: Uint8Array): void {
      const [object] = decode(payload) as [object]
      const [expected] = decodePlain(payload) as [object]
      expect(Object.entries(object)).toStrictEqual(Object.entries(expected))
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype)
    }

    /** Puts each of the replacements into dictionaries of so many members, as a key (0) or as a value (1). */
    function sameWithEach(replacements: readonly unknown[], part: 0 | 1, count: number): void {
      const decode = trained()
      for (const wrap of around) {
        for (const replacement of replacements) {
          for (const at of [0, 1, count - 1]) {
            const entries = Object.entries(stranger(count))
            ;(entries[at] as unknown[])[part] = replacement
            same(decode, encode(wrap(Object.fromEntries(entries))))
          }
        }
      }
    }

    it.each([57, 100, 128, 129])('hold whatever it is, %i of it', (count) => sameWithEach(values, 1, count))

    it.each([57, 100, 128, 129])('have whatever keys, %i of them', (count) => sameWithEach(texts, 0, count))

    it('that come twice have their later value, in the earlier place', () => {
      const decode = trained()
      for (const key of ['a', '7', '__proto__']) {
        const member = (value: number) => [0xa0 + key.length, ...Buffer.from(key), value]
        const middle = encode(stranger(98)).subarray(3)
        same(decode, Uint8Array.of(0x91, 0xde, 0, 100, ...member(1), ...middle, ...member(2)))
      }
    })

    it('with headers longer than they have to be are read all the same', () => {
      const decode = trained()
      const long = [0xd9, 1, 0x6b, 0xd9, 0, 0xd9, 2, 0x61, 0x62, 0xd2, 0, 0, 0, 5, 0xd9, 1, 0x63, 0xd0, 0]
      const middle = encode(stranger(97)).subarray(3)
      same(decode, Uint8Array.of(0x91, 0xde, 0, 100, ...long, ...middle))
      same(decode, Uint8Array.of(0x91, 0xde, 0, 100, ...middle, ...long))
    })

    it('are refused as ever where they are cut', () => {
      const decode = trained()
      const payload = encode([{ ...stranger(98), a: 'x'.repeat(40), ['y'.repeat(40)]: 100_000 }])
      for (let end = 0; end < payload.length; end++) {
        const message = (run: () => unknown) => {
          try {
            return run()
          } catch (error) {
            return (error as Error).message
          }
        }
        const cut = payload.subarray(0, end)
        expect(message(() => decode(cut))).toStrictEqual(message(() => decodePlain(cut)))
        // What the one before has left behind the end is not read.
        decode(payload)
      }
    })
  })
})

describe('the kernel for dictionaries', () => {
  const kernels = wasmKernels()
  if (kernels === undefined) throw new Error('These tests are about WebAssembly.')

  const json = (value: object): string | undefined => {
    const payload = encode(value)
    kernels.payload.set(payload)
    const members = Object.keys(value).length
    return kernels.json(members < 16 ? 1 : 3, members, payload.length)
  }

  it('makes the JSON that JSON.stringify makes', () => {
    const simple = [
      ...['', 'a', 'b c', '[]', 'x'.repeat(255), null, true, false],
      ...Array.from({ length: 32 }, (_, bits) => [2 ** bits - 1, 2 ** bits, -(2 ** bits)]).flat(),
      ...Array.from({ length: 10 }, (_, zeros) => [10 ** zeros - 1, 10 ** zeros, -(10 ** zeros)]).flat(),
      ...[1_000_001, 10_020_030, 4_294_967_295],
    ]
    for (const member of simple) {
      const value = { member, ['k'.repeat(31)]: member, ['k'.repeat(255)]: 1 }
      expect(json(value)).toBe(JSON.stringify(value))
    }
    const all = Object.fromEntries(simple.map((member, i) => [`k${i}`, member]))
    expect(json(all)).toBe(JSON.stringify(all))
  })

  it('leaves what is not simple to others', () => {
    const texts = ['"', '\\', '\n', '\u001f', 'é', 'x'.repeat(256)]
    for (const text of texts.flatMap((text) => [text, 'x'.repeat(20) + text, 'x'.repeat(40) + text])) {
      expect(json({ a: text })).toBeUndefined()
      expect(json({ [text]: 1 })).toBeUndefined()
    }
    for (const other of [0.5, 2 ** 32, -(2 ** 31) - 1, [], {}, new Date(0)]) {
      expect(json({ a: other })).toBeUndefined()
    }
    expect(json({})).toBeUndefined()
  })

  it('reads no further than the payload goes', () => {
    const payload = encode({ a: 'x'.repeat(40), b: 100_000, c: 'text' })
    kernels.payload.set(payload)
    for (let end = 1; end < payload.length; end++) expect(kernels.json(1, 3, end)).toBeUndefined()
    expect(kernels.json(1, 4, payload.length)).toBeUndefined()
    expect(kernels.json(1, 3, payload.length)).toBeDefined()
    expect(kernels.unicode[0]).toBe(payload.length)
  })

  it('has room for no more than fits', () => {
    const members = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [i.toString(36).padStart(250, '_'), null]))
    expect(json(members(1000))).toBe(JSON.stringify(members(1000)))
    expect(json(members(1030))).toBeUndefined()
  })
})
