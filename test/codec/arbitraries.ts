/** What the codec's property tests are made of: values of every kind it keeps, and sessions as apps have them. */
import fc from 'fast-check'

/** How many values a property sees. All of them in CI; fewer while somebody waits for it. */
export const RUNS = process.env['CI'] ? 100_000 : 10_000

/** For a property of so many runs. */
export const PATIENCE = 170_000

const boundaries = [7, 8, 15, 16, 31, 32, 53].flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1])

const integers = fc.oneof(
  fc.integer({ min: -40, max: 300 }),
  fc.constantFrom(...boundaries, ...boundaries.map((n) => -n)),
  fc.maxSafeInteger(),
)

const bigints = fc.oneof(
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 65n }),
  fc.constantFrom(0n, -1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, -(2n ** 63n), 2n ** 64n - 1n, 2n ** 64n),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
)

const codeUnits = fc.oneof(
  fc.integer({ min: 0x20, max: 0x7e }),
  fc.integer({ min: 0, max: 0xffff }),
  // Half of a surrogate pair.
  fc.integer({ min: 0xd7f0, max: 0xe010 }),
)

export const strings = fc.oneof(
  { weight: 8, arbitrary: fc.string() },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
  { weight: 2, arbitrary: fc.string({ unit: codeUnits.map((unit) => String.fromCharCode(unit)) }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.string({ maxLength: 5 }),
        fc.constantFrom('é', 'ż', '京', '🎉', 'x'),
        fc.integer({ min: 0, max: 70 }),
      )
      .map(([start, unit, count]) => start + unit.repeat(count)),
  },
  { weight: 1, arbitrary: fc.string({ minLength: 25, maxLength: 300 }) },
)

/** Few, so that the same keys come again in other orders and companies. */
export const keys = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('id', 'name', 'items', 'qty', 'price', 'aLongerKeyThanOthers', 'at'),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '',
      '0',
      '17',
      '__proto__',
      'constructor',
      'toString',
      'toJSON',
      'zażółć',
      'cookie',
    ),
  },
  { weight: 1, arbitrary: strings },
)

const leaves = fc.oneof(
  { weight: 4, arbitrary: integers },
  { weight: 5, arbitrary: strings },
  { weight: 1, arbitrary: fc.constantFrom(null, true, false) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, 5e-324) },
  { weight: 1, arbitrary: bigints },
  { weight: 1, arbitrary: fc.date({ noInvalidDate: true }) },
  { weight: 1, arbitrary: fc.uint8Array() },
)

/** A plain object of these entries, whatever their keys are called; of equal keys the last one counts. */
export function objectOf(entries: ReadonlyArray<readonly [string, unknown]>): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  }
  return object
}

const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaves,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.tuple(keys, tie('tree')), { maxLength: 5 }).map(objectOf),
    fc.oneof(
      {
        weight: 2,
        arbitrary: fc.array(fc.tuple(tie('tree'), tie('tree')), { maxLength: 2 }).map((e) => new Map(e)),
      },
      { weight: 2, arbitrary: fc.array(tie('tree'), { maxLength: 3 }).map((members) => new Set(members)) },
      { weight: 1, arbitrary: fc.array(fc.tuple(keys, leaves), { maxLength: 20 }).map(objectOf) },
    ),
  ),
}))

/**
 * A dictionary in places where there are only such: of few keys, so that some come again in the same order, or of any
 * keys, that have to be escaped, take many bytes, look like numbers or are called `__proto__`.
 */
export const dictionaries: fc.Arbitrary<Record<string, unknown>> = fc
  .oneof(
    fc
      .nat({ max: 40 })
      .chain((from) =>
        fc
          .array(leaves, { minLength: 5, maxLength: 12 })
          .map((members) => members.map((member, i) => [`key ${from + i * (from % 5)}`, member] as const)),
      ),
    fc.array(fc.tuple(fc.oneof(keys, strings, fc.nat().map(String)), leaves), {
      minLength: 5,
      maxLength: 40,
    }),
  )
  .map(objectOf)

/** Any value that comes back as it went. */
export const values: fc.Arbitrary<unknown> = tree

/** What a session holds: few shapes, with a field that is there or not, and lists of things that look alike. */
export const sessions: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    userId: fc.integer({ min: 0, max: 1e9 }),
    name: strings,
    roles: fc.array(fc.constantFrom('admin', 'editor', 'reader'), { maxLength: 3 }),
    lastSeen: fc.integer({ min: 1.7e12, max: 1.8e12 }),
    cart: fc.record(
      {
        items: fc.array(
          fc.record(
            { sku: fc.string({ maxLength: 20 }), qty: fc.integer(), price: fc.double(), note: strings },
            {
              requiredKeys: ['sku', 'qty'],
              noNullPrototype: true,
            },
          ),
          { maxLength: 4 },
        ),
        total: fc.double(),
      },
      { requiredKeys: ['items'], noNullPrototype: true },
    ),
    flash: fc.dictionary(fc.string({ maxLength: 12 }), fc.array(strings, { maxLength: 2 }), {
      maxKeys: 20,
    }),
    extra: values,
  },
  { requiredKeys: ['userId'], noNullPrototype: true },
)
