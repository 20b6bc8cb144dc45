/**
 * A million sessions in the memory of one process: what each takes, how long the garbage collector stops the process,
 * and what a request costs from a thousand sessions to a million, and from 100 bytes to 64 KB. `npm run bench:scale`
 */
import { randomBytes, randomInt } from 'node:crypto'
import {
  constants,
  type NodeGCPerformanceDetail,
  PerformanceObserver,
  type PerformanceObserverEntryList,
} from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'
import { createServer } from 'fast-session/server'
import { type ContenderName, open, type SeededStore } from './contenders.js'
import { environment } from './harness.js'
import { InMemoryClient } from './in-memory.js'
import { check, put, requestOf } from './requests.js'
import { exampleSession } from './session-example.js'
import { quantile, shuffle, spreadOf } from './spread.js'
import { isProgram, serve, Worker, workerArgs } from './worker.js'

export interface ScaleBenchOptions {
  readonly sessions: readonly number[]
  /** Bytes of a session as JSON. */
  readonly payloads: readonly number[]
  /** Requests at each size, half of them reads, half of them writes. */
  readonly requests: number
  /** The same at the largest number of sessions: what it takes for hundreds of pauses. */
  readonly most: number
  /** Requests before anything is measured, and again after sessions were added: V8 looks for a new heap limit. */
  readonly warmUp: number
  readonly progress?: (text: string) => void
}

export interface ScaleRow {
  readonly contender: ContenderName
  readonly sessions: number
  /** Resident memory that the process has gained since it held 250 sessions, by session, bytes. */
  readonly memory: number
  /** CPU time of a whole request, us. */
  readonly read: number
  readonly write: number
  /** Of the garbage collector, during the requests: all of them, and by kind. */
  readonly pauses: Pauses
  readonly scavenges: Pauses
  readonly markCompacts: Pauses
}

/** ms */
export interface Pauses {
  readonly count: number
  readonly median: number
  /** Of fewer than a hundred, the longest. */
  readonly p99: number
  readonly longest: number
  readonly total: number
}

export interface PayloadRow {
  readonly contender: ContenderName
  readonly bytes: number
  readonly read: number
  readonly write: number
}

export interface ScaleResults {
  readonly sessions: readonly ScaleRow[]
  readonly payloads: readonly PayloadRow[]
}

export const FULL: ScaleBenchOptions = {
  sessions: [1e3, 1e4, 1e5, 1e6],
  payloads: [100, 243, 1024, 4096, 16_384, 65_536],
  requests: 30_000,
  most: 600_000,
  warmUp: 20_000,
}
export const QUICK: ScaleBenchOptions = {
  sessions: [1000, 2000],
  payloads: [100, 4096],
  requests: 500,
  most: 1000,
  warmUp: 500,
}

const CONTENDERS = [
  'express-session, memory',
  'express-session, memorystore',
  'fast-session, memory',
] as const satisfies ContenderName[]

/** How many of the sessions are asked for: spread over all of them. */
const ASKED = 10_000

/** How many requests are measured at once. */
const BATCH = 250

/** Each answer is checked when it comes: what is kept is work for the garbage collector. */
const CHECKS = {
  read: (response: string) => check('read', [response], true),
  write: (response: string) => check('write', [response], true),
}

/** How many requests a contender gets in its turn. */
const SLICE = 20_000

const EXEC_ARGV = ['--expose-gc']

export async function benchScale(options: ScaleBenchOptions): Promise<ScaleResults> {
  const { sessions, payloads, requests, most, warmUp, progress } = options
  const workers = CONTENDERS.map(
    (contender) => new Worker(import.meta.url, [contender, String(warmUp)], { execArgv: EXEC_ARGV }),
  )
  const rows: ScaleRow[] = []
  for (const count of sessions) {
    for (const [n, worker] of workers.entries()) {
      progress?.(`${count} sessions into ${CONTENDERS[n]}`)
      await worker.ask({ fill: count })
    }
    const wanted = count === sessions.at(-1) ? most : requests
    for (let sent = 0; sent < wanted; sent += SLICE) {
      progress?.(`${count} sessions: ${sent} of ${wanted} requests`)
      for (const worker of shuffle(workers)) await worker.ask({ drive: Math.min(SLICE, wanted - sent) })
    }
    for (const worker of workers) rows.push(await worker.ask<ScaleRow>({ result: true }))
  }
  await Promise.all(workers.map((worker) => worker.stop()))

  const payloadRows: PayloadRow[] = []
  for (const bytes of payloads) {
    for (const contender of CONTENDERS) {
      progress?.(`sessions of ${bytes} bytes in ${contender}`)
      const worker = new Worker(import.meta.url, [contender, String(warmUp)], { execArgv: EXEC_ARGV })
      const fewer = Math.ceil(requests / Math.max(1, bytes / 1024))
      payloadRows.push(await worker.ask<PayloadRow>({ bytes, requests: fewer }))
      await worker.stop()
    }
  }
  return { sessions: rows, payloads: payloadRows }
}

type Task =
  | { readonly fill: number }
  | { readonly drive: number }
  | { readonly result: true }
  | { readonly bytes: number; readonly requests: number }

/** The other side of `benchScale`: one contender, whose store is filled further and further. */
async function work(contender: ContenderName, warmUp: number): Promise<void> {
  const { app, store } = await open(contender, {}, 2e6)
  if (store === undefined) throw new Error(`${contender} has no store.`)
  const client = new InMemoryClient(createServer(app))
  // What the process takes for itself, code and a young generation of full size, is not to be counted as the sessions'.
  for (let n = 0; n < warmUp; n += BATCH) await fill(store, 0, BATCH, visitor)
  await new Load(client, BATCH).run(warmUp)
  const before = await residentMemory()
  let filled = BATCH
  let memory = 0
  let load = new Load(client, filled)
  serve(async (task: Task) => {
    if ('fill' in task) {
      await fill(store, filled, task.fill, visitor)
      filled = task.fill
      memory = ((await residentMemory()) - before) / (filled - BATCH)
      load = new Load(client, filled)
      await load.warmUp(warmUp)
      return undefined
    }
    if ('drive' in task) return load.run(task.drive)
    if ('bytes' in task) {
      const session = sessionOf(task.bytes)
      await fill(store, 0, 1000, () => session)
      load = new Load(client, 1000)
      await load.run(task.requests)
      return { contender, bytes: task.bytes, ...load.costs() } satisfies PayloadRow
    }
    return { contender, sessions: filled, memory, ...load.costs(), ...load.pauses() } satisfies ScaleRow
  })
}

function idOf(n: number): string {
  return `${n.toString(36).padStart(8, '0')}nAv3XqT9bLw2ZrKc8sYp1dEf`
}

async function fill(store: SeededStore, from: number, to: number, session: () => object): Promise<void> {
  for (let at = from; at < to; at += BATCH) {
    const size = Math.min(BATCH, to - at)
    await Promise.all(Array.from({ length: size }, (_, n) => put(store, idOf(at + n), session())))
  }
}

/** A session like the example, in which what differs between visitors does: equal ones would pack too well. */
function visitor(): object {
  const { user, cart } = exampleSession()
  const text = randomBytes(9).toString('base64url')
  return {
    user: {
      ...user,
      id: randomInt(1e5),
      name: `Ada Lovelace ${text.slice(8)}`,
      email: `${text.slice(0, 8)}@example.org`,
    },
    cart: cart.map(() => ({
      sku: `BK-${randomInt(1000, 9999)}`,
      quantity: randomInt(1, 9),
      price: randomInt(1, 30_000) / 100,
    })),
    csrf: randomBytes(18).toString('base64url'),
    views: randomInt(100),
  }
}

/** Without the young generation of the heap: its size is a matter of the last minutes, not of the sessions. */
async function residentMemory(): Promise<number> {
  for (let n = 0; n < 3; n++) {
    globalThis.gc?.()
    await sleep(100)
  }
  const young = getHeapSpaceStatistics().filter(({ space_name }) =>
    /^new_(large_object_)?space$/.test(space_name),
  )
  return young.reduce((sum, { physical_space_size }) => sum - physical_space_size, process.memoryUsage.rss())
}

type GcEntry = ReturnType<PerformanceObserverEntryList['getEntries']>[number] & {
  readonly detail: NodeGCPerformanceDetail
}

/** Reads and writes in turn, of sessions from all over the store; what they cost, and the pauses meanwhile. */
class Load {
  readonly #client: InMemoryClient
  readonly #requests: Readonly<Record<'read' | 'write', Buffer[]>>
  #costs: Record<'read' | 'write', number[]> = { read: [], write: [] }
  #pauses: Array<{ kind: number; ms: number }> = []
  #sent = 0

  constructor(client: InMemoryClient, sessions: number) {
    const asked = Math.min(ASKED, sessions)
    const ids = Array.from({ length: asked }, (_, n) => idOf(Math.floor((n * sessions) / asked)))
    this.#client = client
    this.#requests = {
      read: ids.map((id) => requestOf('read', id)),
      write: ids.map((id) => requestOf('write', id)),
    }
  }

  async warmUp(count: number): Promise<void> {
    await this.run(count)
    this.#costs = { read: [], write: [] }
    this.#pauses = []
  }

  async run(count: number): Promise<void> {
    const observer = new PerformanceObserver((list) => {
      for (const { duration, detail } of list.getEntries() as GcEntry[]) {
        this.#pauses.push({ kind: detail.kind, ms: duration })
      }
    })
    observer.observe({ entryTypes: ['gc'] })
    for (let sent = 0; sent < count; sent += 2 * BATCH, this.#sent += BATCH) {
      for (const scenario of ['read', 'write'] as const) {
        const buffers = this.#requests[scenario]
        const from = this.#sent % buffers.length
        const cpu = await this.#client.drive(buffers.slice(from, from + BATCH), BATCH, CHECKS[scenario])
        this.#costs[scenario].push(cpu)
      }
    }
    await sleep(20)
    observer.disconnect()
  }

  /** CPU time of a request, us: medians of batches, of which the first ones warm up. */
  costs(): { read: number; write: number } {
    const of = (costs: readonly number[]) => spreadOf(costs.slice(costs.length >> 2)).median
    return { read: of(this.#costs.read), write: of(this.#costs.write) }
  }

  pauses(): Pick<ScaleRow, 'pauses' | 'scavenges' | 'markCompacts'> {
    const of = (...kinds: number[]) =>
      pausesOf(this.#pauses.filter(({ kind }) => kinds.includes(kind)).map(({ ms }) => ms))
    const { NODE_PERFORMANCE_GC_MINOR: minor, NODE_PERFORMANCE_GC_MAJOR: major } = constants
    return {
      pauses: pausesOf(this.#pauses.map(({ ms }) => ms)),
      scavenges: of(minor),
      markCompacts: of(major),
    }
  }
}

function pausesOf(pauses: readonly number[]): Pauses {
  if (pauses.length === 0) return { count: 0, median: 0, p99: 0, longest: 0, total: 0 }
  const sorted = pauses.toSorted((a, b) => a - b)
  return {
    count: sorted.length,
    median: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    longest: sorted.at(-1) as number,
    total: sorted.reduce((sum, pause) => sum + pause, 0),
  }
}

/** The example with a cart as long as it takes to be `bytes` of JSON; shorter ones have a user only. */
function sessionOf(bytes: number): object {
  const session = exampleSession()
  if (bytes < JSON.stringify(session).length) return { user: session.user, views: session.views }
  while (JSON.stringify(session).length < bytes) {
    const n = session.cart.length
    session.cart.push({ sku: `BK-${1000 + n}`, quantity: 1 + (n % 3), price: 5 + n / 4 })
  }
  return session
}

function print({ sessions, payloads }: ScaleResults): void {
  console.log('\nsessions in one process')
  for (const row of sessions) {
    console.log(
      `  ${row.contender.padEnd(30)} ${String(row.sessions).padStart(8)}  ${row.memory.toFixed(0).padStart(6)} bytes each  read ${row.read.toFixed(1).padStart(6)} us  write ${row.write.toFixed(1).padStart(6)} us`,
    )
    for (const [name, pauses] of Object.entries({
      'all pauses': row.pauses,
      scavenges: row.scavenges,
      'mark-compacts': row.markCompacts,
    })) {
      const { count, median, p99, longest, total } = pauses
      if (count === 0) continue
      console.log(
        `${' '.repeat(46)}${name.padEnd(14)}${String(count).padStart(5)}: median ${median.toFixed(2)} ms, p99 ${p99.toFixed(2)}, longest ${longest.toFixed(2)}, in all ${total.toFixed(0)}`,
      )
    }
  }
  console.log('\npayloads, CPU time of a request')
  for (const row of payloads) {
    console.log(
      `  ${row.contender.padEnd(30)} ${String(row.bytes).padStart(8)} bytes of JSON  read ${row.read.toFixed(1).padStart(7)} us  write ${row.write.toFixed(1).padStart(7)} us`,
    )
  }
}

const args = workerArgs(import.meta.url)
if (args !== undefined) {
  await work(args[0] as ContenderName, Number(args[1]))
} else if (isProgram(import.meta.url)) {
  console.log(environment())
  const options = process.argv.includes('--quick') ? QUICK : FULL
  print(await benchScale({ ...options, progress: (text) => console.error(text) }))
}
