/** Values for the codec's benchmark: sessions as apps have them, and what its predictions don't help with. */

/** Numbers that look random and are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const random = seeded(1)
const below = (limit: number) => Math.floor(random() * limit)
const oneOf = <T>(list: readonly T[]): T => list[below(list.length)] as T
const times = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i))

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const token = (length: number) => times(length, () => BASE64URL[below(64)]).join('')
const word = (length: number) => times(length, () => BASE64URL[26 + below(26)]).join('')
const now = () => 1.7e12 + below(1e10)

const FIRST = ['Ann', 'Robert', 'Maria', 'Li', 'Christopher', 'Eve', 'Olga', 'Tom']
const LAST = ['Example', 'Smith', 'Garcia', 'Wei', 'Andersson', 'Novak']
const TITLES = [
  'Zażółć gęślą jaźń',
  'Crème brûlée',
  '東京タワー',
  'Köln Dom',
  'Ελληνικά',
  'A plain ASCII title',
]

const item = () => ({ id: below(1e5), qty: 1 + below(5), price: below(1e4) / 100 })

/** About as many bytes of JSON as each name says. */
export const kind: Readonly<Record<string, () => unknown>> = {
  '80 B': () => ({ passport: { user: below(1e6) }, csrf: token(18), views: below(300) }),

  '240 B': () => ({
    user: {
      id: below(1e6),
      name: `${oneOf(FIRST)} ${oneOf(LAST)}`,
      roles: ['reader', oneOf(['editor', 'admin'])],
    },
    csrf: token(18),
    lastSeen: now(),
    views: below(500),
    cart: { items: [item(), item()], currency: oneOf(['EUR', 'USD', 'GBP']) },
    theme: oneOf(['dark', 'light', 'auto']),
  }),

  '4 KB, some of it not ASCII': () => ({
    user: {
      id: below(1e6),
      name: `${oneOf(FIRST)} ${oneOf(LAST)}`,
      verified: true,
      roles: ['reader', 'editor'],
    },
    csrf: token(18),
    cart: {
      items: times(20, () => ({
        sku: `${token(3)}-${below(1e5)}`,
        title: oneOf(TITLES),
        qty: 1 + below(9),
        price: below(1e5) / 100,
        gift: random() < 0.5,
      })),
      currency: oneOf(['EUR', 'USD', 'GBP']),
    },
    history: times(24, () => ({
      path: `/products/${word(8)}`,
      at: now(),
      ref: random() < 0.5 ? null : word(10),
    })),
    flash: {},
  }),

  '64 KB, some of it not ASCII': () => ({
    user: { id: below(1e6), name: `${oneOf(FIRST)} ${oneOf(LAST)}` },
    items: times(520, () => ({
      sku: `${token(3)}-${below(1e5)}`,
      title: oneOf(TITLES),
      qty: 1 + below(9),
      price: below(1e5) / 100,
      added: now(),
      path: `/products/${word(8)}`,
    })),
  }),
}

/** What the codec can't foresee, or what JSON has little to do for. */
export const unkind: Readonly<Record<string, () => unknown>> = {
  'a dictionary of 30 random keys': () => Object.fromEntries(times(30, () => [token(8), below(1000)])),
  'every object different': () => different(0),
  'long ASCII texts': () => ({ texts: times(20, () => token(200)) }),
  'texts that are not ASCII': () => ({ texts: times(30, () => oneOf(TITLES) + oneOf(TITLES)) }),
  'objects 40 levels deep': () => {
    let value: unknown = { leaf: below(9) }
    for (let i = 0; i < 40; i++) value = { next: value, i: below(300) }
    return value
  },
}

function different(depth: number): unknown {
  const value: Record<string, unknown> = {}
  for (let left = 3 + below(6); left > 0; left--) {
    const key = word(2 + below(8))
    const choice = depth < 2 ? below(6) : below(4)
    if (choice === 0) value[key] = word(below(20))
    else if (choice === 1) value[key] = below(1e6)
    else if (choice === 2) value[key] = random()
    else if (choice === 3) value[key] = null
    else if (choice === 4) value[key] = different(depth + 1)
    else value[key] = [different(depth + 1), below(5)]
  }
  return value
}

/** Payloads for the question whether a kernel or JavaScript is faster. */
export const crossover: Readonly<Record<string, () => unknown>> = {
  'a dictionary of 5 random keys': () => Object.fromEntries(times(5, () => [token(8), below(1000)])),
  'a dictionary of 30 out of 1000 keys': () =>
    Object.fromEntries(times(30, () => [`sku-${1000 + below(1000)}`, below(1000)])),
  'a dictionary of 60 random keys': () => Object.fromEntries(times(60, () => [token(8), below(1000)])),
  'a dictionary of 100 random keys': () => Object.fromEntries(times(100, () => [token(8), below(1000)])),
  'a dictionary of 200 random keys': () => Object.fromEntries(times(200, () => [token(8), below(1000)])),
  'a dictionary of 30 random keys of 36 characters': () =>
    Object.fromEntries(times(30, () => [token(36), below(1000)])),
  '60 texts of 16 ASCII characters': () => ({ texts: times(60, () => token(16)) }),
  '20 texts of 64 ASCII characters': () => ({ texts: times(20, () => token(64)) }),
  '10 texts of 400 ASCII characters': () => ({ texts: times(10, () => token(400)) }),
  'one text in eight of 17 Polish characters': () => ({
    texts: times(60, (i) => (i % 8 === 0 ? TITLES[0] : token(17))),
  }),
  '60 texts of 17 Polish characters': () => ({ texts: times(60, () => `${TITLES[0]}`.slice(below(3))) }),
  '30 texts of 51 Polish characters': () => ({
    texts: times(30, () => `${TITLES[0]}`.repeat(3).slice(below(3))),
  }),
  '30 texts of 30 Japanese characters': () => ({
    texts: times(30, () => `${TITLES[2]}`.repeat(6).slice(below(3))),
  }),
}

/** So many dictionaries of 30 random keys, as JSON: so many objects would slow V8 down. */
export const dictionaries = (count: number): readonly string[] =>
  times(count, () => JSON.stringify(Object.fromEntries(times(30, () => [token(8), below(1000)]))))

/** So many different values of a kind that their JSON is about a megabyte, but at least 16 and at most 256. */
export function values(make: () => unknown): unknown[] {
  const first = make()
  const count = Math.max(16, Math.min(256, Math.floor(2 ** 20 / JSON.stringify(first).length)))
  // As a session is in an app: read from a store, by whatever read it.
  return [first, ...times(count - 1, make)].map((value) => JSON.parse(JSON.stringify(value)))
}
