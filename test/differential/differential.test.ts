/** Drives express-session and fast-session through the same scenarios and compares all that can be seen of them. */
import { describe, expect, it } from 'vitest'
import { agree, seen } from './agree.ts'
import { express, fast } from './contender.ts'
import { intendedDifferences } from './differences.ts'
import { scenarios } from './scenarios/index.ts'

for (const [topic, ofTopic] of Object.entries(scenarios)) {
  describe(topic, () => {
    for (const scenario of ofTopic) it(scenario.name, () => agree(scenario, express, fast))
  })
}

describe('the suite', () => {
  it('has at least 120 scenarios, each with a name of its own', () => {
    const names = Object.values(scenarios).flatMap((ofTopic) => ofTopic.map(({ name }) => name))
    expect(names.length).toBeGreaterThanOrEqual(120)
    expect(new Set(names).size).toBe(names.length)
  })

  for (const row of intendedDifferences) {
    it(`still shows all of the intended difference "${row.id}"`, () => {
      const seenOfRow = seen.get(row) ?? new Set()
      const unseen = [...row.scenarios, ...row.shows].filter((part) => !seenOfRow.has(part))
      expect(unseen).toEqual([])
    })
  }
})
