import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodePlain } from '../../src/codec/plain.ts'
import { keys, objectOf, PATIENCE, RUNS } from './arbitraries.ts'
import { codecs } from './codecs.ts'

/** Text that is not ASCII before it, of which the codec foresees more, or text that is. */
const BEFORE = ['ż'.repeat(200), '']

/** What has no place in an object, as JSON.stringify has it, and what has. */
const members = fc.oneof(
  fc.constantFrom(undefined, () => 1, Symbol('none'), { toJSON: () => undefined }),
  fc.constantFrom(1, 'text', 'zażółć gęślą jaźń', '京'.repeat(50), null, { toJSON: () => 'zażółć gęślą' }),
)

const names = fc.oneof(keys, fc.string({ unit: fc.constantFrom('a', 'ż', '京', '🎉'), maxLength: 70 }))

const objects = fc
  .array(fc.tuple(names, fc.oneof(members, fc.array(fc.tuple(names, members)).map(objectOf))), {
    maxLength: 40,
  })
  .map(objectOf)

describe.each(codecs)('members that have no place in an object, on the engine %s', (_, codec) => {
  it(
    'are left out with their keys',
    () => {
      fc.assert(
        fc.property(fc.array(objects, { maxLength: 3 }), (value) => {
          const expected = Buffer.from(encodePlain(value, Number.MAX_SAFE_INTEGER))
          for (const before of BEFORE) {
            codec.encode(before)
            expect(Buffer.from(codec.encode(value))).toEqual(expected)
          }
        }),
        { numRuns: RUNS / 20 },
      )
    },
    PATIENCE,
  )

  it('are left out of what is a dictionary by now', () => {
    for (let i = 0; i < 100; i++) {
      for (const length of [3, 15, 16, 17, 40]) {
        const entries = Array.from({ length }, (_, j) => [
          `klucz żółty ${i}-${j}`,
          (i + j) % 3 === 1 ? undefined : j,
        ])
        const value = { dictionary: Object.fromEntries(entries), after: 'zażółć gęślą jaźń' }
        const expected = Buffer.from(encodePlain(value, Number.MAX_SAFE_INTEGER))
        codec.encode(BEFORE[i % 2])
        expect(Buffer.from(codec.encode(value))).toEqual(expected)
      }
    }
  })
})
