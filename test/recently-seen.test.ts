import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { RecentlySeen } from '../src/recently-seen.ts'

const signature = () => randomBytes(32).toString('base64url')

describe('what was recently seen', () => {
  it('is found by an equal text, and by no other', () => {
    const seen = new RecentlySeen<number>()
    const texts = [
      '',
      'a',
      'b',
      'ab',
      'user-1',
      'user-2',
      'é',
      '漢字',
      ...Array.from({ length: 100 }, signature),
    ]
    for (const text of texts) expect(seen.find(text)).toBeUndefined()
    for (const [i, text] of texts.entries()) seen.keep(text, i)
    for (const [i, text] of texts.entries()) expect(seen.find(`_${text}`.slice(1))).toBe(i)
    expect(seen.find('c')).toBeUndefined()
    expect(seen.find(signature())).toBeUndefined()
  })

  it('is told apart where only the beginning differs', () => {
    const seen = new RecentlySeen<string>()
    const end = signature()
    seen.keep(`first.${end}`, 'first')
    seen.keep(`other.${end}`, 'other')
    expect(seen.find(`first.${end}`)).toBe('first')
    expect(seen.find(`other.${end}`)).toBe('other')
    expect(seen.find(`third.${end}`)).toBeUndefined()
  })

  it('makes room for what came last, the older of two first', () => {
    const seen = new RecentlySeen<string>()
    const end = signature()
    seen.keep(`first.${end}`, 'first')
    seen.keep(`other.${end}`, 'other')
    seen.keep(`third.${end}`, 'third')
    expect(seen.find(`first.${end}`)).toBeUndefined()
    expect(seen.find(`other.${end}`)).toBe('other')
    expect(seen.find(`third.${end}`)).toBe('third')
  })

  it('is what was kept last of a text, wherever that text was', () => {
    const seen = new RecentlySeen<string>()
    const end = signature()
    seen.keep(`first.${end}`, 'first')
    seen.keep(`other.${end}`, 'other')
    seen.keep(`first.${end}`, 'renewed')
    expect(seen.find(`first.${end}`)).toBe('renewed')
    seen.keep(`third.${end}`, 'third')
    expect(seen.find(`first.${end}`)).toBe('renewed')
    expect(seen.find(`third.${end}`)).toBe('third')
  })

  it('is mostly still there after thousands of others', () => {
    const seen = new RecentlySeen<number>()
    const texts = Array.from({ length: 4000 }, signature)
    for (const [i, text] of texts.entries()) seen.keep(text, i)
    const found = texts.filter((text, i) => seen.find(text) === i)
    // By chance, of 4000 texts in 8192 pairs of places 1.4 % are the third in theirs.
    expect(found.length).toBeGreaterThan(3800)
  })

  it('is bounded, whatever comes', () => {
    const seen = new RecentlySeen<number>()
    const texts = Array.from({ length: 100_000 }, signature)
    for (const [i, text] of texts.entries()) seen.keep(text, i)
    const found = texts.filter((text) => seen.find(text) !== undefined)
    expect(found.length).toBeLessThanOrEqual(2 * 8192)
    expect(seen.find(texts.at(-1) as string)).toBe(99_999)
  })
})
