import { describe, expect, it } from 'vitest'
import { codecs } from './codecs.ts'

describe.each(codecs)('an encoder that is called while it encodes, on the engine %s', (_, codec) => {
  const inner = {
    a: 'é'.repeat(300),
    list: Array.from({ length: 50 }, (_, i) => ({ i, text: `number ${i}` })),
  }

  it('by a getter, gives each its own bytes', () => {
    const expected = codec.encode(inner)
    const seen: unknown[] = []
    const value = {
      before: 'é'.repeat(200),
      get bytes() {
        seen.push(codec.decode(codec.encode(inner)))
        return codec.encode(inner)
      },
      after: ['x'.repeat(100), 'é'.repeat(100)],
    }
    for (let i = 0; i < 20; i++) {
      const received = codec.decode(codec.encode(value)) as typeof value
      expect(received).toStrictEqual({ before: value.before, bytes: expected, after: value.after })
      expect(seen.pop()).toStrictEqual(inner)
    }
  })

  it('by toJSON, in sessions that are compared', () => {
    const session = {
      user: {
        toJSON() {
          const data = { name: 'ann' }
          expect(codec.encodeDataIfChanged(data, codec.encodeData(data))).toBeUndefined()
          const target = {}
          codec.decodeInto(codec.encodeData(inner), target)
          return target
        },
      },
      items: [1, 2, 3],
    }
    const bytes = codec.encodeData(session)
    expect(codec.decode(bytes)).toStrictEqual({ user: inner, items: [1, 2, 3] })
    for (let i = 0; i < 20; i++) expect(codec.encodeDataIfChanged(session, bytes)).toBeUndefined()
  })

  it('by a getter that throws, is fit for the next call', () => {
    const value = {
      ok: 'é'.repeat(200),
      get bad(): never {
        codec.encode(inner)
        throw new Error('on purpose')
      },
    }
    for (let i = 0; i < 20; i++) {
      expect(() => codec.encode(value)).toThrow('on purpose')
      expect(codec.decode(codec.encode(inner))).toStrictEqual(inner)
    }
  })
})

describe.each(codecs)('a decoder that is called while it decodes, on the engine %s', (_, codec) => {
  it('by a setter of the target, gives each its own values', () => {
    const seen: unknown[] = []
    const target = () =>
      new Proxy<Record<string, unknown>>(
        {},
        {
          set(object, key, value) {
            seen.push(codec.decode(codec.encode({ key })))
            return Reflect.set(object, key, value)
          },
        },
      )
    const data = { a: 'text é', b: [1, 2], c: { d: 'more' } }
    const payload = codec.encodeData(data)
    for (let i = 0; i < 20; i++) {
      const into = target()
      codec.decodeInto(payload, into)
      expect({ ...into }).toStrictEqual(data)
    }
    for (const value of seen) expect(value).toHaveProperty('key')
  })
})
