/** The load generator, in a process of its own: autocannon, each connection being one visitor. */
import autocannon from 'autocannon'
import { quantile } from './spread.js'
import { serve, Worker, workerArgs } from './worker.js'

export interface Load {
  readonly url: string
  /** The Cookie header of each connection's visitor; empty for a visitor without one. */
  readonly cookies: readonly string[]
  /** What every answer must say. */
  readonly body: string
  readonly seconds: number
}

export interface Answers {
  readonly count: number
  /** Requests per second. */
  readonly throughput: number
  /** Latencies, ms. */
  readonly p50: number
  readonly p99: number
}

/** Starts the generator; each call sends a load and answers what came back. */
export function startGenerator(): { send(load: Load): Promise<Answers>; stop(): Promise<void> } {
  const worker = new Worker(import.meta.url, [])
  return { send: (load) => worker.ask<Answers>(load), stop: () => worker.stop() }
}

async function generate({ url, cookies, body, seconds }: Load): Promise<Answers> {
  const visitors = [...cookies]
  const latencies: number[] = []
  const started = performance.now()
  let last = started
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const options: autocannon.Options & { sampleInt: number } = {
      url,
      connections: cookies.length,
      duration: seconds,
      // It stops at a sample only.
      sampleInt: 50,
      expectBody: body,
      setupClient: (client) => {
        const cookie = visitors.pop()
        if (cookie) client.setHeaders({ cookie })
      },
    }
    const run = autocannon(options, (error, done) => (error ? reject(error) : resolve(done)))
    // autocannon's own histogram knows whole milliseconds only.
    run.on('response', (_client, _status, _bytes, ms) => {
      latencies.push(ms)
      last = performance.now()
    })
  })
  const { errors, timeouts, non2xx, mismatches } = result
  if (errors + timeouts + non2xx + mismatches > 0) {
    throw new Error(
      `${url}: ${errors} errors, ${timeouts} timeouts, ${non2xx} not 2xx, ${mismatches} wrong bodies.`,
    )
  }
  const sorted = Float64Array.from(latencies).sort()
  return {
    count: sorted.length,
    throughput: (sorted.length / (last - started)) * 1000,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
  }
}

if (workerArgs(import.meta.url) !== undefined) serve(generate)
