/** Runs a scenario on both contenders and asserts that they agree, but for the differences that the table lists. */
import { AssertionError } from 'node:assert'
import { inspect, isDeepStrictEqual } from 'node:util'
import { type Difference, differences } from './compare.ts'
import type { Contender } from './contender.ts'
import { type IntendedDifference, intendedDifferences, type Showing } from './differences.ts'
import { run } from './run.ts'
import type { Scenario } from './scenario.ts'

/** What of each row of the table has been seen: its scenario patterns, and its places. */
export const seen = new Map<IntendedDifference, Set<string | RegExp | Showing>>()

export async function agree(scenario: Scenario, express: Contender, fast: Contender): Promise<void> {
  judge(scenario, await compareContenders(scenario, express, fast), intendedDifferences)
}

/** Throws when there is a difference that no row of the table covers. */
export function judge(
  scenario: Scenario,
  found: readonly Difference[],
  table: readonly IntendedDifference[],
): void {
  const unintended = found.filter((difference) => !isIntended(scenario, difference, table))
  if (unintended.length > 0) throw new AssertionError({ message: describe(scenario, unintended) })
}

export async function compareContenders(
  scenario: Scenario,
  express: Contender,
  fast: Contender,
): Promise<Difference[]> {
  if (scenario.relay) {
    const [stay, there, back] = await Promise.all([
      run(scenario, express),
      run(scenario, express, fast),
      run(scenario, fast, express),
    ])
    return [...differences(stay, there), ...differences(stay, back)]
  }
  return differences(...(await Promise.all([run(scenario, express), run(scenario, fast)])))
}

function isIntended(
  { name }: Scenario,
  difference: Difference,
  table: readonly IntendedDifference[],
): boolean {
  let intended = false
  for (const row of table) {
    for (const pattern of row.scenarios) {
      if (typeof pattern === 'string' ? pattern !== name : !pattern.test(name)) continue
      const showing = row.shows.find((showing) => covers(showing, difference))
      if (showing === undefined) continue
      intended = true
      if (!seen.has(row)) seen.set(row, new Set())
      seen.get(row)!.add(pattern).add(showing)
    }
  }
  return intended
}

function covers(showing: Showing, difference: Difference): boolean {
  const { at } = showing
  if (typeof at === 'string' ? at !== difference.at : !at.test(difference.at)) return false
  return (['express', 'fast'] as const).every(
    (side) => !(side in showing) || isDeepStrictEqual(showing[side], difference[side]),
  )
}

function describe(scenario: Scenario, unintended: Difference[]): string {
  const show = (value: unknown): string =>
    inspect(value, { depth: 6, breakLength: 100 }).replaceAll('\n', '\n      ')
  const lines = unintended.map(
    ({ at, express, fast }) =>
      `  ${at}\n    express-session: ${show(express)}\n    fast-session:    ${show(fast)}`,
  )
  return `"${scenario.name}" differs:\n${lines.join('\n')}`
}
