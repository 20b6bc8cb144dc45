import { Buffer } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Codec } from '../../src/codec/codec.ts'
import { encodePlain } from '../../src/codec/plain.ts'
import { SessionError } from '../../src/errors.ts'
import { PATIENCE, RUNS, sessions, values } from './arbitraries.ts'
import { codecs } from './codecs.ts'

/** What decoding answers or throws. */
function outcome(codec: Codec, bytes: Uint8Array): unknown {
  try {
    return { value: codec.decode(bytes) }
  } catch (error) {
    return error instanceof SessionError ? { code: error.code, message: error.message } : { error }
  }
}

/** Bytes that some kind of accident happened to. */
const accidents = fc
  .tuple(
    fc.oneof(values, sessions).map((value) => encodePlain(value, Number.MAX_SAFE_INTEGER)),
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 0, maxLength: 4 }),
    fc.option(fc.nat()),
    fc.uint8Array({ maxLength: 4 }),
  )
  .map(([bytes, changes, cut, appended]) => {
    const damaged = Uint8Array.from(bytes)
    for (const [place, byte] of changes) damaged[place % damaged.length] = byte
    const kept = cut === null ? damaged : damaged.subarray(0, cut % (damaged.length + 1))
    return cut !== null && cut % 3 !== 0 ? kept : Buffer.concat([kept, appended])
  })

describe('bytes that nobody encoded', () => {
  const [[, reference], ...others] = codecs as [(typeof codecs)[0], ...typeof codecs]

  it(
    'give the same value or the same error on every engine, and change no prototype',
    () => {
      const before = Reflect.ownKeys(Object.prototype).length
      fc.assert(
        fc.property(fc.oneof(accidents, fc.uint8Array({ maxLength: 60 })), (bytes) => {
          const expected = outcome(reference, bytes)
          expect(expected).not.toHaveProperty('error')
          for (const [engine, codec] of others) {
            const got = outcome(codec, bytes)
            if (!isDeepStrictEqual(got, expected)) expect([engine, got]).toEqual([engine, expected])
          }
        }),
        { numRuns: RUNS },
      )
      expect(Reflect.ownKeys(Object.prototype)).toHaveLength(before)
    },
    PATIENCE,
  )

  it(
    'that happen to decode, encode to bytes that decode to the same',
    () => {
      fc.assert(
        fc.property(accidents, (bytes) => {
          const first = outcome(reference, bytes) as { value?: unknown }
          if (!('value' in first)) return
          const again = reference.decode(reference.encode(first.value))
          if (!isDeepStrictEqual(again, first.value)) expect(again).toEqual(first.value)
        }),
        { numRuns: RUNS / 4 },
      )
    },
    PATIENCE,
  )
})

describe.each(codecs)('hostile bytes on the engine %s', (_, codec) => {
  const bytes = (hex: string) => Buffer.from(hex, 'hex')
  const refused = (hex: string) => {
    expect(outcome(codec, bytes(hex))).toMatchObject({ code: 'ERR_SESSION_DECODE' })
  }

  it('that announce four gigabytes are refused before anything is made for them', () => {
    const before = process.memoryUsage.rss()
    for (const tag of [
      'ddffffffff',
      'dfffffffff',
      'dbffffffff',
      'c6ffffffff',
      'c9ffffffff01',
      'dcffff',
      'deffff',
    ]) {
      refused(tag)
      refused(`81a161${tag}`)
      refused(`91${tag}c0c0`)
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20)
  })

  it('that are no MessagePack are refused', () => {
    refused('')
    refused('c1')
    refused('81')
    refused('81a161')
    refused('c0c0')
    refused('cc')
    refused('cb00')
    refused('a3616')
  })

  it('that hold text which is not UTF-8 are refused', () => {
    for (const text of [
      '80',
      'c0af',
      'c3',
      'e08080',
      'eda080',
      'f0808080',
      'f4908080',
      'f8',
      'ff',
      'e282',
      'c328',
    ]) {
      const size = text.length / 2
      refused((0xa0 + size).toString(16) + text)
      refused(`d9${(size + 60).toString(16)}${'78'.repeat(60)}${text}`)
      refused(`81${(0xa0 + size).toString(16)}${text}01`)
    }
  })

  it('that hold an extension nobody defined are refused', () => {
    refused('d46300')
    refused('c7007f')
    // A map that is none, a set with something behind it, half a code unit, no BigInt, no such date.
    refused('d40100')
    refused('d5029000')
    refused('d40461')
    refused('c70003')
    refused('d7ffffffffff00000000')
    refused('c70cff000000007fffffffffffffff')
  })

  it('that nest more than a hundred levels are refused, a hundred are not', () => {
    expect(outcome(codec, bytes(`${'91'.repeat(100)}c0`))).toHaveProperty('value')
    refused(`${'91'.repeat(101)}c0`)
    expect(outcome(codec, bytes(`${'91'.repeat(99)}80`))).toHaveProperty('value')
    refused(`${'91'.repeat(100)}80`)
    refused(`${'81a161'.repeat(101)}c0`)
    refused(`${'91'.repeat(50)}c7${(60).toString(16)}02${'91'.repeat(59)}c0`)
    refused('91'.repeat(1e5))
  })

  it('with keys that are numbers give objects, with other keys they are refused', () => {
    expect(codec.decode(bytes('8201a16102a162'))).toStrictEqual({ 1: 'a', 2: 'b' })
    expect(codec.decode(bytes('81cb3ff8000000000000a161'))).toStrictEqual({ 1.5: 'a' })
    for (const key of ['c0', 'c3', '90', '80', 'c40100', 'd6ff00000000']) refused(`81${key}01`)
  })

  it('with one key twice give the later value, in the place of the earlier', () => {
    const decoded = codec.decode(bytes('83a16101a16202a16103')) as object
    expect(Object.entries(decoded)).toStrictEqual([
      ['a', 3],
      ['b', 2],
    ])
  })

  it('in forms that are longer than need be are read', () => {
    expect(codec.decode(bytes('dc0001ce00000005'))).toStrictEqual([5])
    expect(codec.decode(bytes('de0001da000161d3fffffffffffffffb'))).toStrictEqual({ a: -5 })
    expect(codec.decode(bytes('df00000001db0000000161ca3fc00000'))).toStrictEqual({ a: 1.5 })
    expect(codec.decode(bytes('cf0000000000000005'))).toBe(5)
  })

  it('are not read beyond their end, whatever was decoded before', () => {
    const long = codec.encode({ key: 'a longer text than the next one', list: [1, 2, 3, 4, 5] })
    for (let end = 0; end < long.length; end++) {
      codec.decode(long)
      expect(outcome(codec, long.subarray(0, end))).toMatchObject({ code: 'ERR_SESSION_DECODE' })
    }
  })
})

describe.each(codecs)('values that can not be encoded on the engine %s', (_, codec) => {
  const message = (value: unknown, of = codec) => {
    try {
      of.encode(value)
    } catch (error) {
      expect(error).toBeInstanceOf(SessionError)
      expect(error).toHaveProperty('code', 'ERR_SESSION_ENCODE')
      return (error as Error).message
    }
    return 'encoded'
  }

  it('are told by the path to the offender', () => {
    const cart: { items: unknown[] } = { items: [{}, {}, {}, { x: null as unknown }] }
    ;(cart.items[3] as { x: unknown }).x = cart
    expect(message({ cart })).toMatch(/^"cart\.items\[3\]\.x" refers back/)
    const odd: Record<string, unknown> = {}
    odd['a key'] = { ok: odd }
    expect(message(odd)).toMatch(/^"\["a key"\]\.ok" refers back/)
  })

  it('are cycles through arrays, maps and sets', () => {
    const array: unknown[] = []
    array.push([array])
    const map = new Map()
    map.set('self', { map })
    const set = new Set()
    set.add(set)
    for (const value of [array, map, set]) expect(message({ value })).toMatch(/refers back/)
  })

  it('are nested more than a hundred levels deep', () => {
    const nested = (depth: number) => {
      let value: unknown = 1
      for (let i = 0; i < depth; i++) value = i % 2 ? { in: value } : [value]
      return value
    }
    expect(message(nested(100))).toBe('encoded')
    expect(message(nested(101))).toMatch(/is nested more than 100 levels deep/)
    expect(message(nested(1e5))).toMatch(/is nested more than 100 levels deep/)
    let map: unknown = new Map()
    for (let i = 0; i < 100; i++) map = new Map([['in', map]])
    expect(message(map)).toMatch(/is nested more than 100 levels deep/)
  })

  it('are not values that share a part', () => {
    const shared = { a: 1 }
    expect(message([shared, shared, { shared }])).toBe('encoded')
  })

  it('pass on what a getter throws', () => {
    const error = new RangeError('mine')
    const value = {
      get bad() {
        throw error
      },
    }
    expect(() => codec.encode({ value })).toThrow(error)
    expect(codec.decode(codec.encode({ fine: 1 }))).toStrictEqual({ fine: 1 })
  })
})
