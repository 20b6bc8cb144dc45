import { describe, expect, it } from 'vitest'
import { coreWith, ENGINES, SECRET } from './engines.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

describe.each(ENGINES)('session ids of the engine %s', (engine) => {
  const core = coreWith(SECRET, engine)

  it('are 32 characters of base64url, and a million of them all differ', () => {
    const ids = Array.from({ length: 1_000_000 }, () => core.newId())
    expect(ids.filter((id) => !/^[A-Za-z0-9_-]{32}$/.test(id))).toEqual([])
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('have every character of the alphabet equally often in every place', () => {
    const samples = 64_000
    const counts = Array.from({ length: 32 }, () => new Map([...ALPHABET].map((char) => [char, 0])))
    for (let n = 0; n < samples; n++) {
      const id = core.newId()
      for (let at = 0; at < 32; at++) counts[at]!.set(id[at]!, counts[at]!.get(id[at]!)! + 1)
    }
    const expected = samples / ALPHABET.length
    const chiSquares = counts.map((places) =>
      [...places.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0),
    )
    // 63 degrees of freedom: a good source exceeds 170 in any of 32 places once in 10^10 runs.
    expect(Math.max(...chiSquares)).toBeLessThan(170)
  })

  it('differ from those of another core on the same engine', () => {
    const other = coreWith(SECRET, engine)
    const ids = Array.from({ length: 1000 }, () => [core.newId(), other.newId()]).flat()
    expect(new Set(ids).size).toBe(2000)
  })
})
