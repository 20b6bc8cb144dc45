import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeRecord, encodeRecord, type RecordHeader } from '../../src/codec/record.ts'
import { sessions } from './arbitraries.ts'

const payload = Uint8Array.of(0x81, 0xa1, 0x61, 0x01)
const header: RecordHeader = { created: 1.7e12, expires: 1.8e12, originalMaxAge: 60_000, extras: null }

describe('a record', () => {
  it('has its version, flags and times in front of the payload', () => {
    const bytes = encodeRecord(header, payload)
    expect(Buffer.from(bytes).toString('hex')).toBe(
      '01' + '02' + '4278bcfe56800000' + '427a3185c5000000' + '40ed4c0000000000' + '81a16101',
    )
  })

  it('has no times of a cookie that ends with the browser', () => {
    const bytes = encodeRecord({ ...header, expires: null, originalMaxAge: null }, payload)
    expect(Buffer.from(bytes).toString('hex')).toBe('01' + '00' + '4278bcfe56800000' + '81a16101')
  })

  it('comes back as it went', () => {
    const times = fc.oneof(fc.integer({ min: 0, max: 2 ** 42 }), fc.double({ noNaN: true }))
    const headers = fc.record({
      created: times,
      expires: fc.option(times),
      originalMaxAge: fc.option(times),
      extras: fc.option(
        fc.record(
          {
            cookie: fc.record({ path: fc.string(), secure: fc.boolean() }),
            owner: fc.string(),
            unheard: fc.jsonValue(),
          },
          { requiredKeys: [] },
        ),
      ),
    })
    const plain = (value: unknown) => JSON.parse(JSON.stringify(value))
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 400 }), (header, payload) => {
        const sent = { ...header, extras: header.extras && plain(header.extras) }
        const record = decodeRecord(encodeRecord(sent, payload))
        expect(record).toStrictEqual({ kind: 'record', header: sent, payload })
      }),
    )
  })

  it('knows no creation time, no expiry and no maxAge', () => {
    const unknown = { created: Number.NaN, expires: null, originalMaxAge: null, extras: null }
    expect(decodeRecord(encodeRecord(unknown, payload))).toStrictEqual({
      kind: 'record',
      header: unknown,
      payload,
    })
  })

  it('is read wherever it lies in a buffer', () => {
    const bytes = encodeRecord({ ...header, extras: { owner: 'ann' } }, payload)
    const shifted = Buffer.concat([Buffer.from('xyz'), bytes, Buffer.from('xyz')]).subarray(
      3,
      3 + bytes.length,
    )
    expect(decodeRecord(shifted)).toMatchObject({ header: { extras: { owner: 'ann' } } })
    expect(Buffer.from((decodeRecord(shifted) as { payload: Uint8Array }).payload)).toEqual(
      Buffer.from(payload),
    )
  })

  it('is refused when its version, its flags or its extras are unknown, or when it is cut short', () => {
    const bytes = encodeRecord({ ...header, extras: { owner: 'ann' } }, payload)
    const refused = (change: (bytes: Uint8Array) => Uint8Array | undefined) => {
      const changed = bytes.slice()
      const input = change(changed) ?? changed
      expect(() => decodeRecord(input)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_DECODE' }))
    }
    refused((bytes) => bytes.fill(2, 0, 1))
    refused((bytes) => bytes.fill(0, 0, 1))
    refused((bytes) => bytes.fill(4, 1, 2))
    refused((bytes) => bytes.fill(7, 1, 2))
    refused((bytes) => bytes.fill(0x91, 26, 27))
    refused((bytes) => bytes.fill(0xc1, 26, 27))
    for (let end = 0; end < 34; end++) refused((bytes) => bytes.subarray(0, end))
  })

  it('never fails in another way, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.option(fc.nat(3)), (bytes, flags) => {
        if (flags !== null) bytes.set([1, flags].slice(0, bytes.length))
        try {
          decodeRecord(bytes)
        } catch (error) {
          expect(error).toHaveProperty('code', 'ERR_SESSION_DECODE')
        }
      }),
      { numRuns: 5000 },
    )
  })
})

describe('a session that express-session wrote', () => {
  const read = (session: unknown) => decodeRecord(Buffer.from(JSON.stringify(session)))

  it('is read with its cookie in the header', () => {
    const cookie = {
      originalMaxAge: 60_000,
      expires: '2030-01-01T00:00:00.000Z',
      httpOnly: true,
      secure: 'auto',
      path: '/app',
      domain: 'shop.example',
      sameSite: 'strict',
      priority: 'high',
      partitioned: true,
    }
    expect(read({ cookie, user: 'zażółć', cart: [1] })).toStrictEqual({
      kind: 'json',
      header: {
        created: Number.NaN,
        expires: Date.UTC(2030, 0, 1),
        originalMaxAge: 60_000,
        extras: {
          cookie: {
            domain: 'shop.example',
            httpOnly: true,
            partitioned: true,
            path: '/app',
            priority: 'high',
            sameSite: 'strict',
            secure: 'auto',
          },
        },
      },
      data: { user: 'zażółć', cart: [1] },
    })
  })

  it('is read when its cookie ends with the browser, is missing, or is nonsense', () => {
    for (const cookie of [
      { originalMaxAge: null, expires: null },
      undefined,
      null,
      'x',
      5,
      [],
      { expires: 'never' },
    ]) {
      expect(read({ cookie, user: 'ann' })).toStrictEqual({
        kind: 'json',
        header: { created: Number.NaN, expires: null, originalMaxAge: null, extras: null },
        data: { user: 'ann' },
      })
    }
  })

  it('brings no attribute of the wrong kind, and no prototype', () => {
    const text =
      '{"cookie":{"path":5,"httpOnly":"yes","__proto__":{"domain":"evil.example"}},"__proto__":{"admin":true}}'
    const record = decodeRecord(Buffer.from(text)) as { header: RecordHeader; data: object }
    expect(record.header.extras).toBeNull()
    expect(record.data).not.toHaveProperty('admin')
    expect(Object.getPrototypeOf(record.data)).toBe(Object.prototype)
    expect(Object.keys(record.data)).toStrictEqual(['__proto__'])
  })

  it('is refused when it only begins like JSON', () => {
    for (const text of ['{', '{"a":1', '{"a":1}x', '{\xff}']) {
      expect(() => decodeRecord(Buffer.from(text, 'latin1'))).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_DECODE' }),
      )
    }
  })

  it('is read with all that JSON can say', () => {
    fc.assert(
      fc.property(sessions, (session) => {
        const { cookie: _, ...sent } = JSON.parse(
          JSON.stringify(session, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
        )
        expect(read(sent)).toMatchObject({ kind: 'json', data: sent })
      }),
    )
  })
})
