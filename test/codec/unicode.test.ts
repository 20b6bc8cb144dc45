import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Codec } from '../../src/codec/codec.ts'
import { encodePlain } from '../../src/codec/plain.ts'
import { SessionError } from '../../src/errors.ts'
import { PATIENCE, RUNS } from './arbitraries.ts'
import { codecs } from './codecs.ts'

/** Enough text that is not ASCII for the codec to foresee more of it, which the kernels read and write. */
const ENOUGH = 'ż'.repeat(200)

/** The first and the last character of each length in UTF-8 (RFC 3629), and those next to the surrogates. */
const CHARACTERS = [
  'a',
  '\x7f',
  '\x80',
  '\u07ff',
  '\u0800',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{10ffff}',
]

const OF_EACH_LENGTH = ['x', 'ż', '京', '🎉']

function decodeText(codec: Codec, text: Uint8Array, foreseen: boolean): string | undefined {
  codec.decode(codec.encode(foreseen ? ENOUGH : ''))
  const header = Buffer.from([0x91, 0xda, text.length >> 8, text.length])
  try {
    return (codec.decode(Buffer.concat([header, text])) as [string])[0]
  } catch (error) {
    if (error instanceof SessionError) return undefined
    throw error
  }
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

describe.each(codecs)('text that is not ASCII on the engine %s', (_, codec) => {
  const roundTrip = (value: unknown) => {
    for (const before of ['', ENOUGH]) {
      codec.encode(before)
      const encoded = codec.encode(value)
      expect(Buffer.from(encoded)).toEqual(Buffer.from(encodePlain(value, Number.MAX_SAFE_INTEGER)))
      codec.decode(codec.encode(before))
      expect(codec.decode(encoded)).toStrictEqual(value)
    }
  }

  it('comes back whatever its length is, and whatever characters meet at the edge of a step', () => {
    for (const filler of OF_EACH_LENGTH) {
      for (let count = 0; count <= 80; count++) {
        const texts = CHARACTERS.map((character) => filler.repeat(count) + character)
        roundTrip([texts, texts.map((text) => text + filler), filler.repeat(count)])
      }
    }
  })

  it(
    'comes back when characters of all lengths are mixed',
    () => {
      fc.assert(
        fc.property(
          fc.array(
            fc.array(fc.constantFrom(...CHARACTERS, ...OF_EACH_LENGTH, 'żółć', '東京タワー漢字'), {
              maxLength: 60,
            }),
            {
              maxLength: 6,
            },
          ),
          (texts) => roundTrip(texts.map((text) => text.join(''))),
        ),
        { numRuns: RUNS / 20 },
      )
    },
    PATIENCE,
  )

  it('comes back with lone surrogates, wherever they are', () => {
    for (const filler of OF_EACH_LENGTH) {
      for (let count = 0; count <= 40; count++) {
        for (const lone of ['\ud800', '\udbff', '\udc00', '\udfff', '\udc00\ud800']) {
          roundTrip([filler.repeat(count) + lone + filler, filler.repeat(count) + lone])
        }
      }
    }
  })

  it('comes back in long lists, and where there is too much of it for the kernels', () => {
    for (const count of [15, 16, 17, 18, 255, 256, 257, 300, 9000]) {
      roundTrip(Array.from({ length: count }, (_, i) => `${'żółć'.repeat(1 + (i % 5))} ${i}`))
    }
    roundTrip(Array.from({ length: 20_000 }, () => 'żółćżółć'))
  })

  it('is refused wherever a byte of it is wrong', () => {
    const WRONG = [
      0x00, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5,
      0xff,
    ]
    for (const character of CHARACTERS) {
      const text = Buffer.from(`${character.repeat(24)}żx京🎉`)
      for (let place = 0; place < text.length; place++) {
        for (const byte of WRONG) {
          const damaged = Buffer.from(text)
          damaged[place] = byte
          const got = decodeText(codec, damaged, true)
          if (got !== utf8(damaged))
            expect([damaged.toString('hex'), got]).toEqual([damaged.toString('hex'), utf8(damaged)])
        }
      }
    }
  })

  it('is refused wherever it is cut, and not completed by what comes after it', () => {
    for (const filler of OF_EACH_LENGTH) {
      for (let count = 0; count <= 50; count++) {
        for (const last of OF_EACH_LENGTH) {
          const text = Buffer.from(`ż${filler.repeat(count)}${last}`)
          for (let end = text.length; end > text.length - 4 && end > 0; end--) {
            const cut = text.subarray(0, end)
            expect(decodeText(codec, cut, true)).toBe(utf8(cut))
            if (utf8(cut) !== undefined) continue
            const payload = Uint8Array.from([0x92, 0xd9, end, ...text, 0xc0])
            expect(() => codec.decode(payload)).toThrow(SessionError)
          }
        }
      }
    }
  })

  it('does not continue what its header ends in', () => {
    for (const lead of [0xc3, 0xe3, 0xf0]) {
      const text = Buffer.from(`${'ż'.repeat(lead)}`.slice(0, lead >> 1))
      const padded = Buffer.concat([text, Buffer.alloc(lead - text.length, 0x61)])
      padded[0] = 0x85
      codec.decode(codec.encode(ENOUGH))
      expect(() => codec.decode(Buffer.concat([Buffer.from([0x91, 0xd9, lead]), padded]))).toThrow(
        SessionError,
      )
    }
  })
})
