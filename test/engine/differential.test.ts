import { createHash, createHmac } from 'node:crypto'
import cookieSignature from 'cookie-signature'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes, coreWith, ENGINES, SECRET, text } from './engines.ts'

const MESSAGES = Array.from({ length: 301 }, (_, length) => text(length, length + 1))

/** The words that node:crypto and cookie-signature take for a key. */
const asKey = (secret: string | Uint8Array) => (typeof secret === 'string' ? secret : Buffer.from(secret))

/** UTF-16 code units without a rule, so lone surrogates as well. */
const codeUnits = fc
  .array(fc.oneof(fc.nat(0xff), fc.integer({ min: 0xd7f0, max: 0xe010 }), fc.nat(0xffff)), { maxLength: 80 })
  .map((units) => String.fromCharCode(...units))

describe.each(ENGINES)('the engine %s agrees with cookie-signature', (engine) => {
  it('for every key of 1 to 200 bytes and every message of 0 to 300 characters', () => {
    const wrong: string[] = []
    for (let length = 1; length <= 200; length++) {
      const key = bytes(length, length)
      const core = coreWith(key, engine)
      for (const message of MESSAGES) {
        const signed = core.sign(message)
        const same = signed === cookieSignature.sign(message, asKey(key))
        if (!same || core.verify(signed) !== message) wrong.push(`key ${length}, message ${message.length}`)
      }
      core.dispose()
    }
    expect(wrong).toEqual([])
  })

  it('for secrets that are text, in any script', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }),
        fc.string(),
        (secret, value) => {
          const core = coreWith(secret, engine)
          expect(core.sign(value)).toBe(cookieSignature.sign(value, secret))
          core.dispose()
        },
      ),
    )
  })

  it('for values that are text in any script, whole or with broken surrogate pairs', () => {
    const core = coreWith(SECRET, engine)
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), codeUnits), (value) => {
        const signed = cookieSignature.sign(value, SECRET)
        expect(core.sign(value)).toBe(signed)
        expect(core.verify(signed)).toBe(cookieSignature.unsign(signed, SECRET))
      }),
      { numRuns: 2000 },
    )
  })

  it('for messages around and beyond what fits into the memory of the module', () => {
    const core = coreWith(SECRET, engine)
    const wrong: string[] = []
    const around = [4096, 8128, 65536].flatMap((size) => Array.from({ length: 141 }, (_, n) => size - 70 + n))
    for (const length of [...around, 100_000, 1_000_000]) {
      for (const filler of ['x', 'é', '😀']) {
        const value = filler.repeat(Math.ceil(length / Buffer.byteLength(filler)))
        const signed = cookieSignature.sign(value, SECRET)
        const tampered = `y${signed}`
        if (core.sign(value) !== signed || core.verify(signed) !== value || core.verify(tampered) !== false) {
          wrong.push(`${value.length} times ${filler}`)
        }
      }
    }
    expect(wrong).toEqual([])
  })

  it('for signed text that was changed anywhere, and for text that nobody signed', () => {
    const core = coreWith(SECRET, engine)
    const edited = fc.tuple(codeUnits, fc.nat(), fc.nat(), codeUnits).map(([value, at, remove, insert]) => {
      const signed = cookieSignature.sign(value, SECRET)
      const start = at % (signed.length + 1)
      return signed.slice(0, start) + insert.slice(0, at % 3) + signed.slice(start + (remove % 3))
    })
    fc.assert(
      fc.property(fc.oneof(edited, codeUnits, fc.string({ maxLength: 100 })), (signed) => {
        expect(core.verify(signed)).toBe(cookieSignature.unsign(signed, SECRET))
      }),
      { numRuns: 5000 },
    )
  })

  it.each([
    ['nothing', ''],
    ['a dot', '.'],
    ['two dots', '..'],
    ['a value without a signature', 'value'],
    ['a value with an empty signature', 'value.'],
    ['a signature without a dot', 'a'.repeat(43)],
    ['a signature without a value', `.${'a'.repeat(43)}`],
    ['the signature of the empty value', cookieSignature.sign('', SECRET)],
    ['a signature with its padding', `${cookieSignature.sign('value', SECRET)}=`],
    [
      'a signature in base64url',
      cookieSignature.sign('value', SECRET).replaceAll('+', '-').replaceAll('/', '_'),
    ],
    ['a signature with a line break', `${cookieSignature.sign('value', SECRET)}\n`],
    ['a value that has dots', cookieSignature.sign('a.b..c.', SECRET)],
    ['a value that was signed already', cookieSignature.sign(cookieSignature.sign('value', SECRET), SECRET)],
    ['a value with NUL', cookieSignature.sign('a\0b', SECRET)],
    ['full-width characters that end in the same bytes', `value.${'\uff21'.repeat(43)}`],
    ['a signature by another secret', cookieSignature.sign('value', `${SECRET}!`)],
  ])('about %s', (_, signed) => {
    const core = coreWith(SECRET, engine)
    expect(core.verify(signed)).toBe(cookieSignature.unsign(signed, SECRET))
  })
})

describe.each(ENGINES)('the engine %s agrees with node:crypto', (engine) => {
  it('about the hash of every id of 0 to 300 characters, and of long and non-ASCII ones', () => {
    const core = coreWith(SECRET, engine)
    const ids = [
      ...MESSAGES,
      ...['x', 'é', '😀', '\udc00'].flatMap((char) => [4095, 4096, 4097, 99_999].map((n) => char.repeat(n))),
    ]
    const wrong = ids.filter((id) => core.hashId(id) !== createHash('sha256').update(id).digest('base64url'))
    expect(wrong).toEqual([])
  })

  it('about the HMAC under keys of up to 20,000 bytes', () => {
    const wrong = [201, 1000, 4095, 4096, 4097, 4160, 8191, 8192, 20_000].filter((length) => {
      const key = bytes(length, length)
      const signature = createHmac('sha256', key).update('value').digest('base64').replace('=', '')
      return coreWith(key, engine).sign('value') !== `value.${signature}`
    })
    expect(wrong).toEqual([])
  })
})
