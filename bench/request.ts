/**
 * What a session adds to a request, in CPU time: a real Express 5 application behind Node's own HTTP parser, driven
 * over sockets in memory. `npm run bench:request`
 *
 * A process per contender; batches of all of them take turns; new processes for each generation, because the same code
 * is compiled a little differently in each. The added cost is the difference to the middleware that does nothing, in
 * the same round. `no sessions, again` shows what a difference of nothing looks like.
 */
import { createServer as createPlainServer } from 'node:http'
import { cpus } from 'node:os'
import { createServer } from 'fast-session/server'
import { type ContenderName, open, SCENARIOS, type Scenario } from './contenders.js'
import { environment } from './harness.js'
import { InMemoryClient } from './in-memory.js'
import { check, requestsOf, seed } from './requests.js'
import { format, type Spread, shuffle, spreadOf } from './spread.js'
import { isProgram, serve, Worker, workerArgs } from './worker.js'

const SERVERS = ['plain', 'helper'] as const
/** `plain`: node:http's createServer, which is what `app.listen` calls. `helper`: that of `fast-session/server`. */
export type ServerKind = (typeof SERVERS)[number]

export interface RequestBenchOptions {
  readonly generations: number
  readonly rounds: number
  /** Requests in a batch. */
  readonly batch: number
  /** Batches of each scenario before anything is measured. */
  readonly warmUp: number
  readonly progress?: (text: string) => void
}

export interface RequestRow {
  readonly scenario: Scenario
  readonly server: ServerKind
  readonly contender: ContenderName
  /** CPU time of a whole request, us. */
  readonly cost: Spread
  /** What of it is not the application without sessions, us. */
  readonly added: Spread
}

const FLOOR = 'no sessions'
const CONTENDERS: readonly ContenderName[] = [
  FLOOR,
  'no sessions, again',
  'express-session, memory',
  'fast-session, memory',
  'express-session, delayed',
  'fast-session, delayed',
  'fast-session, the same delayed store',
]

/** How many times less than the stock package the session has to add: what this project set itself. */
const TARGETS: Partial<Record<Scenario, { memory?: number; delayed?: number }>> = {
  read: { memory: 8, delayed: 3.5 },
  'read, json': { memory: 8, delayed: 3.5 },
  write: { memory: 7, delayed: 3.5 },
  login: { memory: 5, delayed: 3.5 },
}

// V8 goes on compiling for the first ten thousand requests, which on a server are the first few seconds.
export const FULL: RequestBenchOptions = { generations: 3, rounds: 9, batch: 1000, warmUp: 16 }
export const QUICK: RequestBenchOptions = { generations: 1, rounds: 2, batch: 32, warmUp: 2 }

/**
 * The same young generation for all, in MB: as large as V8 makes it under load. Left alone, it is small in a process
 * that keeps nothing, which then collects garbage more often: the application without sessions took 12.4 us of CPU a
 * request instead of 9.6, and a session seemed to add that much less.
 */
const EXEC_ARGV = ['--min-semi-space-size=16', '--max-semi-space-size=16']

const SCENARIO_NAMES = Object.keys(SCENARIOS) as Scenario[]

export async function benchRequests(options: RequestBenchOptions): Promise<RequestRow[]> {
  const costs = new Map<string, number[]>()
  const key = (scenario: Scenario, server: ServerKind, name: ContenderName) => `${scenario}|${server}|${name}`
  for (let generation = 1; generation <= options.generations; generation++) {
    options.progress?.(`requests in process: generation ${generation} of ${options.generations}`)
    const runners = await startRunners(options)
    try {
      for (let round = 0; round < options.rounds; round++) {
        for (const scenario of SCENARIO_NAMES) {
          for (const runner of shuffle(runners)) {
            const list = costs.get(key(scenario, runner.server, runner.name)) ?? []
            list.push(await runner.run(scenario, options.batch))
            costs.set(key(scenario, runner.server, runner.name), list)
          }
        }
      }
    } finally {
      await Promise.all(runners.map((runner) => runner.stop()))
    }
  }
  const rows: RequestRow[] = []
  for (const server of SERVERS) {
    for (const scenario of SCENARIO_NAMES) {
      const floor = costs.get(key(scenario, server, FLOOR)) as number[]
      for (const contender of CONTENDERS) {
        const all = costs.get(key(scenario, server, contender)) as number[]
        const added = spreadOf(all.map((cost, round) => cost - (floor[round] as number)))
        rows.push({ scenario, server, contender, cost: spreadOf(all), added })
      }
    }
  }
  return rows
}

/**
 * How many times less fast-session adds than express-session, on the same kind of store. Infinity where a request is
 * no slower than one without sessions.
 */
export function ratioOf(rows: readonly RequestRow[], like: RequestRow): number | undefined {
  if (!like.contender.startsWith('fast-session')) return undefined
  const stock = rows.find(
    ({ scenario, server, contender }) =>
      scenario === like.scenario && server === like.server && contender === rivalOf(like.contender),
  ) as RequestRow
  return like.added.median > 0 ? stock.added.median / like.added.median : Number.POSITIVE_INFINITY
}

export function showRatio(ratio: number): string {
  return Number.isFinite(ratio) ? `${ratio.toFixed(1)}x less` : 'nothing added'
}

function rivalOf(contender: ContenderName): string {
  return contender.endsWith('memory') ? 'express-session, memory' : 'express-session, delayed'
}

/** What is not to be told from nothing: no more than the same thing measured twice differs from itself, or 3 %. */
export function isNothing(rows: readonly RequestRow[], row: RequestRow): boolean {
  const of = (name: ContenderName) =>
    rows.find(
      ({ scenario, server, contender }) =>
        scenario === row.scenario && server === row.server && contender === name,
    ) as RequestRow
  const noise = of('no sessions, again').added
  const limit = Math.max(Math.abs(noise.low), Math.abs(noise.high), 0.03 * of(FLOOR).cost.median)
  return row.added.median <= limit
}

export function targetOf({ contender, scenario }: RequestRow): number | 'nothing' | undefined {
  if (!contender.startsWith('fast-session')) return undefined
  if (contender.endsWith('memory')) return TARGETS[scenario]?.memory ?? 'nothing'
  return TARGETS[scenario]?.delayed
}

interface Runner {
  readonly name: ContenderName
  readonly server: ServerKind
  /** Answers the CPU time of a request, us. */
  run(scenario: Scenario, count: number): Promise<number>
  stop(): Promise<void>
}

async function startRunners({ batch, warmUp }: RequestBenchOptions): Promise<Runner[]> {
  const cold: Runner[] = SERVERS.flatMap((server) =>
    CONTENDERS.map((name) => {
      const worker = new Worker(import.meta.url, [name, server], { execArgv: EXEC_ARGV })
      const run = (scenario: Scenario, count: number) => worker.ask<number>({ scenario, count })
      return { name, server, run, stop: () => worker.stop() }
    }),
  )
  const runners = [...cold]
  const warm = async () => {
    for (let runner = cold.pop(); runner !== undefined; runner = cold.pop()) {
      // All routes in turn, so that none of them is compiled for one scenario alone.
      for (let round = 0; round < warmUp; round++) {
        for (const scenario of SCENARIO_NAMES) await runner.run(scenario, batch)
      }
    }
  }
  await Promise.all(cpus().map(warm))
  return runners
}

/** The other side of `startRunners`: one contender, which runs the batches that it is sent. */
async function work(name: ContenderName, kind: ServerKind): Promise<void> {
  const { app, store } = await open(name)
  const client = new InMemoryClient(kind === 'helper' ? createServer(app) : createPlainServer(app))
  const requests = new Map(SCENARIO_NAMES.map((scenario) => [scenario, requestsOf(scenario)]))
  serve(async ({ scenario, count }: { scenario: Scenario; count: number }) => {
    // Logins of the last batch would make the Map of one contender larger than that of another.
    await seed(store)
    const { cpu, responses } = await client.run(requests.get(scenario) as Buffer[], count)
    check(scenario, responses, store !== undefined)
    return cpu
  })
}

function print(rows: readonly RequestRow[]): void {
  for (const server of SERVERS) {
    const how = server === 'plain' ? 'app.listen' : 'createServer of fast-session/server'
    console.log(`\nAdded to a request, us of CPU time: median (quartiles), with ${how}`)
    for (const scenario of SCENARIO_NAMES) {
      const here = rows.filter((row) => row.server === server && row.scenario === scenario)
      console.log(`  ${scenario}`)
      for (const row of here) console.log(`    ${line(rows, row)}`)
    }
  }
}

function line(rows: readonly RequestRow[], row: RequestRow): string {
  const name = row.contender.padEnd(37)
  if (row.contender === FLOOR) return `${name}${format(row.cost).padStart(22)} in all`
  const ratio = ratioOf(rows, row)
  const added = `${name}${format(row.added).padStart(22)}`
  if (ratio === undefined) return added
  const target = targetOf(row)
  if (target === 'nothing')
    return `${added}  ${isNothing(rows, row) ? 'not to be told from nothing' : 'MORE THAN NOTHING'}`
  if (target === undefined) return `${added}  ${showRatio(ratio)}`
  return `${added}  ${showRatio(ratio)}, target ${target}x${ratio < target ? ': MISSED' : ''}`
}

const args = workerArgs(import.meta.url)
if (args !== undefined) {
  await work(args[0] as ContenderName, args[1] as ServerKind)
} else if (isProgram(import.meta.url)) {
  console.log(environment())
  const options = process.argv.includes('--quick') ? QUICK : FULL
  print(await benchRequests({ ...options, progress: (text) => console.error(text) }))
}
