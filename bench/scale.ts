/**
 * A million sessions in the memory of one process: what each takes, how long the garbage collector stops the process,
 * and what a request costs from a thousand sessions to a million, and from 100 bytes to 64 KB. `npm run bench:scale`
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer } from 'fast-session/server'
import { type ContenderName, open, type SeededStore } from './contenders.js'
import { environment } from './harness.js'
import { InMemoryClient } from './in-memory.js'
import { check, put, requestOf } from './requests.js'
import { exampleSession } from './session-example.js'
import { quantile, spreadOf } from './spread.js'
import { isProgram, serve, Worker, workerArgs } from './worker.js'

export interface ScaleBenchOptions {
  readonly sessions: readonly number[]
  /** Bytes of a session as JSON. */
  readonly payloads: readonly number[]
  /** Requests of each kind at each size. */
  readonly requests: number
  readonly progress?: (text: string) => void
}

export interface ScaleRow {
  readonly contender: ContenderName
  readonly sessions: number
  /** Resident memory that the process has gained since it held a hundred sessions, by session, bytes. */
  readonly memory: number
  /** CPU time of a whole request, us. */
  readonly read: number
  readonly write: number
  /** Pauses of the garbage collector during the requests, ms. */
  readonly pauses: {
    readonly count: number
    readonly p99: number
    readonly longest: number
    readonly total: number
  }
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
}
export const QUICK: ScaleBenchOptions = { sessions: [1000, 2000], payloads: [100, 4096], requests: 200 }

const CONTENDERS = [
  'express-session, memory',
  'express-session, memorystore',
  'fast-session, memory',
] as const satisfies ContenderName[]

/** How many of the sessions are asked for: spread over all of them. */
const ASKED = 10_000

/** Few at once: what is kept for the check of the answers is work for the garbage collector, too. */
const BATCH = 250

export async function benchScale({
  sessions,
  payloads,
  requests,
  progress,
}: ScaleBenchOptions): Promise<ScaleResults> {
  const rows: ScaleRow[] = []
  const payloadRows: PayloadRow[] = []
  for (const contender of CONTENDERS) {
    const heap = ['--expose-gc', '--max-old-space-size=12288']
    const worker = new Worker(import.meta.url, [contender], { execArgv: heap })
    for (const count of sessions) {
      progress?.(`${count} sessions in ${contender}`)
      rows.push(await worker.ask<ScaleRow>({ sessions: count, requests }))
    }
    await worker.stop()
    for (const bytes of payloads) {
      progress?.(`sessions of ${bytes} bytes in ${contender}`)
      const other = new Worker(import.meta.url, [contender], { execArgv: heap })
      const fewer = Math.ceil(requests / Math.max(5, bytes / 256))
      payloadRows.push(await other.ask<PayloadRow>({ bytes, requests: fewer }))
      await other.stop()
    }
  }
  return { sessions: rows, payloads: payloadRows }
}

/** The other side of `benchScale`: one contender, which is filled further with each message. */
async function work(contender: ContenderName): Promise<void> {
  const { app, store } = await open(contender)
  if (store === undefined) throw new Error(`${contender} has no store.`)
  const client = new InMemoryClient(createServer(app))
  // Warm: what the process takes for itself is not to be counted as the sessions'.
  for (let n = 0; n < 300; n++) await fill(store, 0, 100, exampleSession())
  await drive(client, 'read', 100, 5000)
  const before = await residentMemory()
  let filled = 100
  serve(async (task: { sessions: number; requests: number } | { bytes: number; requests: number }) => {
    if ('bytes' in task) {
      await fill(store, 0, 1000, sessionOf(task.bytes))
      const read = await drive(client, 'read', 1000, task.requests)
      const write = await drive(client, 'write', 1000, task.requests)
      return { contender, bytes: task.bytes, read, write } satisfies PayloadRow
    }
    await fill(store, filled, task.sessions, exampleSession())
    filled = task.sessions
    const memory = ((await residentMemory()) - before) / (filled - 100)
    const pauses = watchPauses()
    const read = await drive(client, 'read', filled, task.requests)
    const write = await drive(client, 'write', filled, task.requests)
    return { contender, sessions: filled, memory, read, write, pauses: await pauses() } satisfies ScaleRow
  })
}

function idOf(n: number): string {
  return `${n.toString(36).padStart(8, '0')}nAv3XqT9bLw2ZrKc8sYp1dEf`
}

async function fill(store: SeededStore, from: number, to: number, data: object): Promise<void> {
  for (let at = from; at < to; at += BATCH) {
    const size = Math.min(BATCH, to - at)
    await Promise.all(Array.from({ length: size }, (_, n) => put(store, idOf(at + n), data)))
  }
}

/** CPU time of a request, us: the median of batches that ask for sessions from all over the store. */
async function drive(
  client: InMemoryClient,
  scenario: 'read' | 'write',
  sessions: number,
  requests: number,
): Promise<number> {
  const asked = Math.min(ASKED, sessions)
  const buffers = Array.from({ length: asked }, (_, n) =>
    requestOf(scenario, idOf(Math.floor((n * sessions) / asked))),
  )
  const costs: number[] = []
  for (let sent = 0; sent < requests; sent += BATCH) {
    const from = sent % asked
    const { cpu, responses } = await client.run(buffers.slice(from, from + BATCH), BATCH)
    check(scenario, responses, true)
    costs.push(cpu)
  }
  // The first ones warm up.
  return spreadOf(costs.slice(costs.length >> 3)).median
}

async function residentMemory(): Promise<number> {
  for (let n = 0; n < 3; n++) {
    globalThis.gc?.()
    await sleep(100)
  }
  return process.memoryUsage.rss()
}

/** Counts the pauses of the garbage collector from now until the answer is asked for. */
function watchPauses(): () => Promise<ScaleRow['pauses']> {
  const pauses: number[] = []
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) pauses.push(duration)
  })
  observer.observe({ entryTypes: ['gc'] })
  return async () => {
    await sleep(50)
    observer.disconnect()
    const sorted = pauses.toSorted((a, b) => a - b)
    return {
      count: sorted.length,
      p99: sorted.length === 0 ? 0 : quantile(sorted, 0.99),
      longest: sorted.at(-1) ?? 0,
      total: sorted.reduce((sum, pause) => sum + pause, 0),
    }
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
    const { count, p99, longest, total } = row.pauses
    console.log(
      `  ${row.contender.padEnd(30)} ${String(row.sessions).padStart(8)}  ${row.memory.toFixed(0).padStart(6)} bytes each  read ${row.read.toFixed(1).padStart(6)} us  write ${row.write.toFixed(1).padStart(6)} us  GC pauses ${count}: p99 ${p99.toFixed(2)} ms, longest ${longest.toFixed(2)}, in all ${total.toFixed(0)}`,
    )
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
  await work(args[0] as ContenderName)
} else if (isProgram(import.meta.url)) {
  console.log(environment())
  const options = process.argv.includes('--quick') ? QUICK : FULL
  print(await benchScale({ ...options, progress: (text) => console.error(text) }))
}
