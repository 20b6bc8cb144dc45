/** Compares functions that do the same work: interleaved in one process, medians, ratios to a baseline. */
import { cpus } from 'node:os'
import { Bench, type Task } from 'tinybench'

/** What runs on every input; a sample is one pass over all of them, so that no call is measured on its own. */
export type Rows<Input> = Readonly<Record<string, (input: Input) => unknown>>

export interface Comparison<Input> {
  readonly title: string
  /** Handed to every row in turn. Many and different, so that nothing is measured that only a constant allows. */
  readonly inputs: readonly Input[]
  readonly rows: Rows<Input>
  /** The row that all others are compared with, usually the stock package. */
  readonly baseline: string
}

export interface Result {
  readonly name: string
  /** Median time of one call, in ns. */
  readonly median: number
  /** How many times as fast as the baseline. Under 1: slower. */
  readonly ratio: number
}

/** `npm run bench` has less time. */
const isAlone = process.send === undefined

/** Rounds in which every row takes its turn, so that a disturbance of the machine meets all of them. */
const ROUNDS = isAlone ? 31 : 13
const ROUND_MS = 10
const WARMUP_MS = isAlone ? 200 : 100

/** Measures and prints a table, losing rows as well. */
export function compare<Input>({ title, inputs, rows, baseline }: Comparison<Input>): Result[] {
  const pass = (time: number) => {
    const bench = new Bench({ time, iterations: 3, warmup: false, throws: true })
    for (const [name, run] of Object.entries(rows)) {
      bench.add(name, () => {
        for (const input of inputs) run(input)
      })
    }
    return bench.runSync()
  }
  pass(WARMUP_MS)
  const rounds = new Map<string, number[]>(Object.keys(rows).map((name) => [name, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const task of pass(ROUND_MS)) rounds.get(task.name)!.push(nsPerCall(task, inputs.length))
  }

  const base = median(rounds.get(baseline)!)
  const results = [...rounds].map(([name, times]) => ({
    name,
    median: median(times),
    ratio: base / median(times),
  }))
  print(title, results, baseline)
  // Under `npm run bench` the table goes into the report as well.
  process.send?.({ title, baseline, results })
  return results
}

/** What a reader needs to know to compare figures of two runs. */
export function environment(): string {
  const { versions, platform, arch } = process
  return `Node ${versions.node}, V8 ${versions.v8}, ${platform} ${arch}, ${cpus().length} x ${cpus()[0]?.model.trim()}`
}

function nsPerCall(task: Task, calls: number): number {
  const { result } = task
  if (result.state !== 'completed') throw new Error(`${task.name} did not complete: ${result.state}`)
  return (result.latency.p50 * 1e6) / calls
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

function print(title: string, results: readonly Result[], baseline: string): void {
  const width = Math.max(...results.map(({ name }) => name.length))
  console.log(`\n${title}`)
  for (const { name, median, ratio } of results) {
    const verdict = name === baseline ? 'baseline' : `${ratio.toFixed(2)}x${ratio < 1 ? '  slower' : ''}`
    console.log(`  ${name.padEnd(width)}  ${median.toFixed(0).padStart(7)} ns  ${verdict}`)
  }
}
