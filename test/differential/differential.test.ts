/** Drives express-session and fast-session through the same scenarios and compares all that can be seen of them. */
import { describe, expect, it } from 'vitest'
import { agree, seen } from './agree.ts'
import { express, fast } from './contender.ts'
import { intendedDifferences } from './differences.ts'
import { scenarios } from './scenarios/index.ts'

for (const [topic, ofTopic] of Object.entries(scenarios)) {
  describe(topic, () => {
    it.each(ofTopic)('$name', (scenario) => agree(scenario, express, fast))
  })
}

describe('the suite', () => {
  it('has at least 120 scenarios, each with a name of its own', () => {
    const names = Object.values(scenarios).flatMap((ofTopic) => ofTopic.map(({ name }) => name))
    expect(names.length).toBeGreaterThanOrEqual(120)
    expect(new Set(names).size).toBe(names.length)
  })

  it.each(intendedDifferences)('still shows the intended difference "$id"', (row) => {
    expect([...(seen.get(row) ?? [])]).toEqual(expect.arrayContaining([...row.scenarios]))
  })
})
