/**
 * Mutated, truncated, oversized and random Cookie headers: none is accepted, none throws, each leaves a clean new
 * session. 20,000 of them, 200,000 where the variable CI is set; FUZZ_SEED picks others.
 */
import { EventEmitter } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseCookie } from 'cookie'
import { sign, unsign } from 'cookie-signature'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fast, type Middleware, type Session, type SessionRequest } from '../differential/contender.ts'
import { RawConnection } from '../differential/raw-client.ts'

const SECRET = 'the hostile suite signs with this one, and nobody knows'
const FOREIGN_SECRET = 'what an attacker would have to guess: not this, either'
const NAME = 'connect.sid'

const HEADERS = process.env['CI'] ? 200_000 : 20_000
const SEED = Number(process.env['FUZZ_SEED'] ?? 1)

/** mulberry32: small, seedable, and good enough to make headers. */
class Random {
  #state: number
  constructor(seed: number) {
    this.#state = seed
  }
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }
  text(alphabet: string, length: number): string {
    return Array.from({ length }, () => alphabet[this.below(alphabet.length)]).join('')
  }
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const MARKS = ' \t";=,.:%/+\\!#$&\'()*<>?@[]^`{|}~'
/** What Node lets pass in a header: every character up to 0xff but most controls. */
const ANY = `\t${Array.from({ length: 0xff - 0x1f }, (_, n) => String.fromCharCode(0x20 + n)).join('')}`

const ids = Array.from({ length: 64 }, (_, n) => `valid-id-number-${n}`.padEnd(32, '-'))
const signed = (id: string, secret = SECRET): string => `s:${sign(id, secret)}`

/** Ways in which a header goes wrong. Some of what they make is whole after all: `isWhole` tells. */
const kinds: Record<string, (random: Random) => string> = {
  'one character changed': (random) => {
    const value = encodeURIComponent(signed(random.of(ids)))
    const at = random.below(value.length)
    return named(value.slice(0, at) + random.of([...ANY]) + value.slice(at + 1))
  },
  'one bit flipped': (random) => {
    const value = signed(random.of(ids))
    const at = random.below(value.length)
    const flipped = String.fromCharCode(value.charCodeAt(at) ^ (1 << random.below(7)))
    return named(ANY.includes(flipped) ? value.slice(0, at) + flipped + value.slice(at + 1) : value.slice(at))
  },
  'several characters changed': (random) => {
    const characters = [...encodeURIComponent(signed(random.of(ids)))]
    for (let n = random.below(8) + 1; n > 0; n--)
      characters[random.below(characters.length)] = random.of([...ANY])
    return named(characters.join(''))
  },
  'a piece inserted': (random) => {
    const value = signed(random.of(ids))
    const at = random.below(value.length + 1)
    return named(
      value.slice(0, at) +
        random.text(random.of([BASE64URL, MARKS, ANY]), random.below(6) + 1) +
        value.slice(at),
    )
  },
  'a piece cut out': (random) => {
    const value = encodeURIComponent(signed(random.of(ids)))
    const at = random.below(value.length)
    return named(value.slice(0, at) + value.slice(at + 1 + random.below(10)))
  },
  'cut short': (random) => {
    const header = named(encodeURIComponent(signed(random.of(ids))))
    return header.slice(0, random.below(header.length))
  },
  'its beginning lost': (random) => {
    const header = named(encodeURIComponent(signed(random.of(ids))))
    return header.slice(random.below(header.length) + 1)
  },
  'too long': (random) =>
    named(signed(random.of(ids)) + random.text(BASE64URL, random.of([1, 10, 100, 4000, 15_000]))),
  'an id of any length': (random) =>
    named(`s:${random.text(BASE64URL, random.below(4000))}.${random.text(BASE64URL, 43)}`),
  'hundreds of cookies': (random) =>
    Array.from(
      { length: random.below(300) + 2 },
      () => `${random.text(BASE64URL, 5)}=${random.text(BASE64URL, 9)}`,
    ).join('; '),
  'the name again and again': (random) =>
    Array.from({ length: random.below(40) + 2 }, () =>
      named(`s:${random.text(BASE64URL, random.below(80))}`),
    ).join(';'),
  'random characters': (random) => random.text(ANY, random.below(200)),
  'random marks': (random) => random.text(MARKS, random.below(60)),
  'the name and random characters': (random) => named(random.text(ANY, random.below(120))),
  'the prefix and random characters': (random) => named(`s:${random.text(ANY, random.below(120))}`),
  'percent signs': (random) => named(random.text('%0123456789abcdefABCDEFs:.', random.below(120))),
  'the signature of another id': (random) => {
    const [id, other] = [random.of(ids), random.of(ids)]
    return named(`s:${id}.${signed(other).slice(other.length + 3)}`)
  },
  'the signature of an attacker': (random) => named(signed(random.of(ids), FOREIGN_SECRET)),
  'the signature in other letters': (random) => {
    const [id, signature] = signed(random.of(ids)).slice(2).split('.') as [string, string]
    return named(
      `s:${id}.${random.of([signature.toLowerCase(), signature.toUpperCase(), `${signature}=`, [...signature].reverse().join('')])}`,
    )
  },
  'pieces in disorder': (random) => {
    const pieces = [
      NAME,
      '=',
      ';',
      '; ',
      '"',
      's:',
      's%3A',
      '.',
      '%2E',
      random.of(ids),
      signed(random.of(ids)).slice(35),
      '\t',
      'Path=/',
    ]
    return Array.from({ length: random.below(12) + 1 }, () => random.of(pieces)).join('')
  },
  'names of prototypes': (random) =>
    `${random.of(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])}=${signed(random.of(ids))}; ${named(random.of(['__proto__', 's:__proto__', 's:constructor.prototype', '{}']))}`,
  'other kinds of cookies': (random) =>
    named(
      random.of(['j:{"a":1}', 'true', 'null', '[object Object]', '0', '-1', 's:.', 's:', 's', '.', '..']),
    ),
}

function named(value: string): string {
  return `${NAME}=${value}`
}

/** Whether express-session would take it: the cookie package finds the value, cookie-signature knows it. */
function isWhole(header: string): boolean {
  const value = parseCookie(header)[NAME] ?? ''
  const bare = /^".*"$/.test(value) ? value.slice(1, -1) : value
  return [value, bare, decoded(bare)].some(
    (one) => one.startsWith('s:') && unsign(one.slice(2), SECRET) !== false,
  )
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** A store that has a session for every id: whoever gets in is `stolen`. */
class OpenStore extends EventEmitter {
  get(_id: string, callback: (error: unknown, session: object) => void): void {
    callback(null, { stolen: true, cookie: { path: '/', expires: null, originalMaxAge: null } })
  }
  set(_id: string, _session: object, callback?: () => void): void {
    callback?.()
  }
  destroy(_id: string, callback?: () => void): void {
    callback?.()
  }
}

/** The package's own store, which is asked when the session is looked at, with a session for each of the ids. */
async function ownStore(): Promise<unknown> {
  const store = new fast.MemoryStore()
  let next = 0
  const making = fast.middleware({ secret: SECRET, store, genid: () => ids[next++] as string })
  for (const _ of ids) {
    const session = sessionFor(making, '')
    session['stolen'] = true
    await session.save()
  }
  return store
}

/** The session that a request with this header gets. */
function sessionFor(middleware: Middleware, cookie: string): Session {
  const req = { url: '/', method: 'GET', headers: { cookie }, socket: {} } as unknown as IncomingMessage &
    SessionRequest
  const told: unknown[] = []
  middleware(req, {} as ServerResponse, (error) => told.push(error))
  if (told.length !== 1 || told[0] !== undefined) throw new Error(`next was told ${JSON.stringify(told)}`)
  return req.session
}

const setups: Array<[engine: string, store: string, makeStore: () => unknown]> = [
  ['wasm', 'a store of the app', () => new OpenStore()],
  ['node', 'a store of the app', () => new OpenStore()],
  ['js', 'a store of the app', () => new OpenStore()],
  ['wasm', "the package's own store", ownStore],
]

describe.each(setups)('hostile cookies, with the engine %s and %s', (engine, _store, makeStore) => {
  let middleware: Middleware

  beforeAll(async () => {
    const options = { secret: SECRET, engine, store: (await makeStore()) as never }
    middleware = fast.middleware(options)
  })

  it('takes the cookies that are whole', () => {
    for (const id of ids) {
      expect(sessionFor(middleware, named(signed(id)))).toMatchObject({ id, stolen: true })
      expect(sessionFor(middleware, named(encodeURIComponent(signed(id))))).toMatchObject({
        id,
        stolen: true,
      })
    }
  })

  describe.each(Object.entries(kinds))('%s', (_kind, make) => {
    it('is never accepted and leaves a clean new session', () => {
      const random = new Random(SEED)
      const known = new Set(ids)
      const share = Math.ceil(HEADERS / Object.keys(kinds).length / setups.length)
      let refused = 0
      for (let n = 0; n < share; n++) {
        const header = make(random)
        if (isWhole(header)) continue
        const session = sessionFor(middleware, header)
        // Compared by hand: an expect for each of 200,000 headers takes a minute.
        if (
          Object.keys(session).join() !== 'cookie' ||
          !/^[\w-]{32}$/.test(session.id) ||
          known.has(session.id)
        ) {
          expect({ header, session, id: session.id }).toBe('a clean new session')
        }
        known.add(session.id)
        refused++
      }
      expect(refused).toBeGreaterThan(share / 2)
      expect(Object.prototype).not.toHaveProperty('stolen')
    })
  })
})

describe('hostile cookies over HTTP', () => {
  const middleware = fast.middleware({ secret: SECRET, store: new OpenStore() as never })
  const server = http.createServer((req, res) => {
    middleware(req, res, (error) => {
      const { session } = req as unknown as SessionRequest
      if (error === undefined) session['visited'] = true
      const body = JSON.stringify(
        error === undefined ? { id: session.id, fields: Object.keys(session) } : String(error),
      )
      res.end(body)
    })
  })

  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  it.each(Object.entries(kinds))(
    '%s: a new session and its cookie, or a refusal by Node',
    async (_kind, make) => {
      const random = new Random(SEED + 1)
      for (let n = 0; n < 20; n++) {
        const header = make(random)
        if (isWhole(Buffer.from(header, 'latin1').toString('latin1').trim())) continue
        const connection = await RawConnection.open((server.address() as AddressInfo).port, false)
        connection.send(
          Buffer.from(
            `GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: ${header}\r\n\r\n`,
            'latin1',
          ),
        )
        const { status, headers, body } = await connection.response('GET', 10_000)
        connection.close()
        expect([200, 400, 431], header).toContain(status)
        if (status !== 200) continue
        const { id, fields } = JSON.parse(body.toString())
        expect(fields, header).toEqual(['cookie', 'visited'])
        expect(
          headers.filter(([name]) => name === 'Set-Cookie').map(([, line]) => line.split(';')[0]),
        ).toEqual([`${NAME}=${encodeURIComponent(signed(id))}`])
      }
    },
  )
})
