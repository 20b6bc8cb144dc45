import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { codecs } from './codecs.ts'

describe.each(codecs)('values on the engine %s', (_, { encode, decode }) => {
  const passed = (value: unknown) => decode(encode(value))
  const hex = (value: unknown) => Buffer.from(encode(value)).toString('hex')

  it('writes integers in their shortest form', () => {
    const forms: ReadonlyArray<readonly [number, string]> = [
      [0, '00'],
      [127, '7f'],
      [128, 'cc80'],
      [255, 'ccff'],
      [256, 'cd0100'],
      [65535, 'cdffff'],
      [65536, 'ce00010000'],
      [2 ** 31, 'ce80000000'],
      [2 ** 32 - 1, 'ceffffffff'],
      [2 ** 32, 'cf0000000100000000'],
      [Number.MAX_SAFE_INTEGER, 'cf001fffffffffffff'],
      [-1, 'ff'],
      [-32, 'e0'],
      [-33, 'd0df'],
      [-128, 'd080'],
      [-129, 'd1ff7f'],
      [-32768, 'd18000'],
      [-32769, 'd2ffff7fff'],
      [-(2 ** 31), 'd280000000'],
      [-(2 ** 31) - 1, 'd3ffffffff7fffffff'],
      [Number.MIN_SAFE_INTEGER, 'd3ffe0000000000001'],
    ]
    for (const [value, form] of forms) {
      expect([value, hex(value)]).toEqual([value, form])
      expect(passed(value)).toBe(value)
    }
  })

  it('writes all other numbers as float 64', () => {
    expect(hex(1.5)).toBe('cb3ff8000000000000')
    expect(hex(-0)).toBe('cb8000000000000000')
    expect(hex(Number.NaN)).toBe('cb7ff8000000000000')
    expect(hex(2 ** 53)).toBe('cb4340000000000000')
    for (const value of [
      1.5,
      -0,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      2 ** 53,
      1e300,
    ]) {
      expect(passed(value)).toBe(value)
    }
  })

  it('keeps a BigInt a BigInt, of whatever size', () => {
    // What no number can be is an integer of MessagePack; what could be one is an extension.
    expect(hex(2n ** 63n)).toBe('cf8000000000000000')
    expect(hex(-(2n ** 63n))).toBe('d38000000000000000')
    expect(hex(5n)).toBe('d40305')
    expect(hex(-129n)).toBe('d503ff7f')
    for (const value of [
      0n,
      5n,
      -5n,
      127n,
      128n,
      -128n,
      2n ** 53n,
      2n ** 64n - 1n,
      2n ** 64n,
      -(2n ** 90n),
    ]) {
      expect(passed(value)).toBe(value)
    }
  })

  it('keeps text of every length', () => {
    for (const unit of ['x', 'é', '京', '🎉']) {
      for (const length of [
        0, 1, 3, 8, 15, 16, 31, 32, 33, 39, 40, 63, 64, 85, 86, 127, 255, 256, 21846, 65535, 65536,
      ]) {
        const text = unit.repeat(length)
        expect(passed(text)).toBe(text)
        expect(passed(`a${text}`)).toBe(`a${text}`)
      }
    }
  })

  it('writes well-formed text as UTF-8, and text with lone surrogates as an extension of UTF-16', () => {
    expect(hex('é')).toBe('a2c3a9')
    expect(hex('\ud83c\udf89')).toBe('a4f09f8e89')
    expect(hex('\ud83c')).toBe('d5043cd8')
    for (const text of [
      '\ud800',
      'a\udc00b',
      '\udc00\ud800',
      `${'x'.repeat(30)}\udc00`,
      `${'long '.repeat(50)}\udbff`,
    ]) {
      expect(passed(text)).toBe(text)
      expect(passed({ [text]: 1 })).toEqual({ [text]: 1 })
    }
  })

  it('writes dates as timestamps', () => {
    expect(hex(new Date(0))).toBe('d6ff00000000')
    expect(hex(new Date(1.7e12))).toBe('d6ff6553f100')
    expect(hex(new Date(1))).toBe('d7ff003d090000000000')
    expect(hex(new Date(-1))).toBe('c70cff3b8b87c0ffffffffffffffff')
    for (const time of [0, 1, -1, 999, 1.7e12 + 123, 2 ** 32 * 1000, 2 ** 34 * 1000, 8.64e15, -8.64e15]) {
      expect(passed(new Date(time))).toEqual(new Date(time))
    }
  })

  it('writes an invalid date as null, as JSON does', () => {
    expect(passed([new Date(Number.NaN)])).toEqual([null])
  })

  it('answers binary data as a Uint8Array of its own', () => {
    const sent = Buffer.from([1, 2, 3])
    const bytes = encode(sent)
    const received = decode(bytes) as Uint8Array
    expect(received).toStrictEqual(new Uint8Array([1, 2, 3]))
    bytes.fill(0)
    expect(received).toStrictEqual(new Uint8Array([1, 2, 3]))
    for (const length of [0, 255, 256, 65535, 65536]) {
      expect((passed(new Uint8Array(length).fill(7)) as Uint8Array).length).toBe(length)
    }
  })

  it('keeps Map and Set, with keys and members of any kind', () => {
    const map = new Map<unknown, unknown>([
      [1, 'number'],
      ['1', 'string'],
      [{ a: 1 }, new Set([[1], 'x', null])],
      [Number.NaN, new Map()],
    ])
    expect(passed(map)).toEqual(map)
    expect(hex(new Map([['a', 1]]))).toBe('d60181a16101')
    expect(hex(new Set([1, 2]))).toBe('c70302920102')
  })

  it('keeps objects and arrays of every size', () => {
    for (const size of [0, 1, 15, 16, 17, 65, 65535, 65536]) {
      const list = Array.from({ length: size }, (_, i) => i & 63)
      expect(passed(list)).toEqual(list)
      if (size > 70_000) continue
      const object = Object.fromEntries(list.map((value, i) => [`key ${i}`, value]))
      expect(passed({ object })).toEqual({ object })
    }
  })

  it('keeps the order of keys', () => {
    const names = ['b', 'a', 'c', 'a2']
    const object = Object.fromEntries(names.map((name, i) => [name, i]))
    expect(Object.keys(passed(object) as object)).toEqual(names)
  })

  it('takes own __proto__, constructor and toString for data', () => {
    const object = JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toString":2,"hasOwnProperty":3}')
    const received = passed({ object }) as { object: object }
    expect(received.object).toStrictEqual(object)
    expect(Object.getPrototypeOf(received.object)).toBe(Object.prototype)
    expect({}).not.toHaveProperty('admin')
  })
})

describe.each(codecs)('what JSON.stringify does on the engine %s', (_, { encode, decode }) => {
  const passed = (value: unknown) => decode(encode(value))
  const json = (value: unknown) => JSON.parse(JSON.stringify(value))

  it('drops undefined, functions and symbols in objects, and makes them null in arrays', () => {
    const value = {
      a: undefined,
      b: () => 1,
      c: Symbol('s'),
      d: [undefined, () => 1, Symbol('s')],
      [Symbol('k')]: 1,
    }
    expect(passed(value)).toStrictEqual(json(value))
    expect(passed(value)).toStrictEqual({ d: [null, null, null] })
  })

  it('makes null of undefined, functions and symbols that are all there is', () => {
    for (const value of [undefined, () => 1, Symbol('s')]) expect(passed(value)).toBeNull()
  })

  it('fills the holes of sparse arrays with null', () => {
    const value = [1]
    value[2] = 3
    expect(passed(value)).toStrictEqual(json(value))
  })

  it('calls toJSON with the key', () => {
    class Money {
      toJSON(key: string) {
        return `money at ${key}`
      }
    }
    const value = { price: new Money(), list: [new Money()], deep: { x: { toJSON: (key: string) => [key] } } }
    expect(passed(value)).toStrictEqual(json(value))
    expect(passed(new Money())).toBe(json(new Money()))
  })

  it('calls toJSON wherever it comes from', () => {
    const hidden = Object.defineProperty({ password: 'x' }, 'toJSON', { value: () => 'hidden' })
    const inherited = Object.create({ toJSON: () => 'inherited' })
    const list = Object.assign([1, 2], { toJSON: () => 'list' })
    const callable = Object.assign(() => 1, { toJSON: () => 'callable' })
    const nothing = { toJSON: () => undefined }
    const value = {
      a: { password: 'y' },
      hidden,
      inherited,
      list,
      callable,
      nothing,
      others: [nothing, hidden],
    }
    for (let i = 0; i < 40; i++) expect(passed(value)).toStrictEqual(json(value))
  })

  it('does not call toJSON on what toJSON answered', () => {
    const value = { x: { toJSON: () => ({ y: 1, toJSON: () => 2 }) } }
    expect(passed(value)).toStrictEqual(json(value))
  })

  it('takes an instance of a class for its own enumerable properties', () => {
    class Base {
      inherited = 1
      get computed() {
        return 2
      }
    }
    class Point extends Base {
      x = 1
      #secret = 2
      static z = 3
      secret() {
        return this.#secret
      }
    }
    function Old(this: { a: number }) {
      this.a = 1
    }
    Old.prototype.b = 2
    const old = Reflect.construct(Old, [])
    const value = {
      point: new Point(),
      old,
      bare: Object.assign(Object.create(null), { c: 3 }),
      error: new Error('e'),
    }
    for (let i = 0; i < 40; i++) expect(passed(value)).toStrictEqual(json(value))
  })

  it('unwraps boxed primitives', () => {
    const value = { a: Object(1), b: Object('text'), c: Object(false), d: Object(Symbol('s')) }
    expect(passed(value)).toStrictEqual(json(value))
    expect(passed({ e: Object(5n) })).toStrictEqual({ e: 5n })
  })

  it('reads getters and proxies', () => {
    const value = {
      get computed() {
        return { x: 1 }
      },
      proxy: new Proxy({ a: 1, b: [2] }, {}),
      list: new Proxy([1, 2], {}),
    }
    expect(passed(value)).toStrictEqual(json(value))
  })

  it('looks alike things through, whatever came in their place before', () => {
    const variants = [
      { a: 1, b: 'two' },
      { b: 'two', a: 1 },
      { a: 1 },
      { a: 1, b: 'two', c: [3] },
      { a: { a: 1 } },
      { a: [{ b: 1 }, { c: 1, d: 2 }, 3] },
      {},
      Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, i])),
    ]
    for (let i = 0; i < 200; i++) {
      const value = { list: [variants[i % 8], variants[(i * 3 + 1) % 8]], one: variants[(i * 5 + 2) % 8] }
      expect(passed(value)).toStrictEqual(value)
    }
  })
})
