/**
 * Requests per second and latency over real HTTP: the load generator, the server and the database each in a process of
 * their own, all contenders in turn. `npm run bench:http`
 */
import { createServer as createPlainServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from 'fast-session/server'
import { type ContenderName, open, SCENARIOS, type Scenario, type Services, serviceOf } from './contenders.js'
import { environment } from './harness.js'
import { type Answers, startGenerator } from './load.js'
import { type OpenServices, openServices } from './services.js'
import { format, type Spread, shuffle, spreadOf } from './spread.js'
import { isProgram, serve, Worker, workerArgs } from './worker.js'

export interface HttpBenchOptions {
  readonly rounds: number
  readonly seconds: number
  /** Of each scenario, for each contender, before anything is measured: V8 compiles for the first 10,000 requests. */
  readonly warmUp: number
  /** Default: all. */
  readonly contenders?: readonly string[]
  readonly progress?: (text: string) => void
}

export interface HttpRow {
  readonly scenario: Scenario
  readonly contender: string
  /** Requests per second. */
  readonly throughput: Spread
  /** ms */
  readonly p50: Spread
  readonly p99: Spread
  /** CPU time of the server process for one request, us. */
  readonly cpu: Spread
}

export const FULL: HttpBenchOptions = { rounds: 7, seconds: 0.8, warmUp: 1 }
export const QUICK: HttpBenchOptions = {
  rounds: 1,
  seconds: 0.1,
  warmUp: 0.05,
  contenders: [
    'no sessions',
    'express-session, memory',
    'cookie-session',
    'iron-session',
    'fast-session, memory',
  ],
}

const SCENARIO_NAMES = ['untouched', 'read', 'write', 'login'] as const satisfies Scenario[]

/** As many visitors at once. */
const CONNECTIONS = 16

/** Added to the name of a contender that runs on the server of `fast-session/server`, which any package may. */
const WITH_HELPER = ' + server'

const CONTENDERS: readonly string[] = [
  'no sessions',
  `no sessions${WITH_HELPER}`,
  'express-session, memory',
  `express-session, memory${WITH_HELPER}`,
  'express-session, memorystore',
  'express-session, connect-redis',
  `express-session, connect-redis${WITH_HELPER}`,
  'express-session, connect-pg-simple',
  'cookie-session',
  'iron-session',
  'fast-session, memory',
  `fast-session, memory${WITH_HELPER}`,
  'fast-session, lmdb',
  'fast-session, redis',
  `fast-session, redis${WITH_HELPER}`,
  'fast-session, postgres',
]

/** The stock contender that uses the same kind of store, on the same server. */
const RIVALS: Readonly<Record<string, string>> = {
  'fast-session, memory': 'express-session, memory',
  [`fast-session, memory${WITH_HELPER}`]: `express-session, memory${WITH_HELPER}`,
  'fast-session, lmdb': 'express-session, memory',
  'fast-session, redis': 'express-session, connect-redis',
  [`fast-session, redis${WITH_HELPER}`]: `express-session, connect-redis${WITH_HELPER}`,
  'fast-session, postgres': 'express-session, connect-pg-simple',
}

export async function benchHttp(
  { rounds, seconds, warmUp, contenders = CONTENDERS, progress }: HttpBenchOptions,
  services: OpenServices,
): Promise<HttpRow[]> {
  const generator = startGenerator()
  const sites: Site[] = []
  const visit = (site: Site, scenario: Scenario, seconds: number) => {
    const { path, body, visitor } = SCENARIOS[scenario]
    const cookies = visitor === 'known' ? site.cookies : site.cookies.map(() => '')
    return generator.send({ url: `${site.url}${path}`, cookies, body, seconds })
  }
  try {
    for (const contender of contenders) {
      const service = serviceOf(nameOf(contender))
      if (service !== undefined && services[service] === undefined) continue
      progress?.(`over HTTP: warming up ${contender}`)
      const site = await openSite(contender, services)
      sites.push(site)
      // Twice, so that no scenario is compiled as if there were no other.
      for (const scenario of [...SCENARIO_NAMES, ...SCENARIO_NAMES]) await visit(site, scenario, warmUp / 2)
    }
    const measured = new Map<string, Measured[]>()
    for (let round = 1; round <= rounds; round++) {
      for (const scenario of SCENARIO_NAMES) {
        progress?.(`over HTTP: round ${round} of ${rounds}, ${scenario}`)
        for (const site of shuffle(sites)) {
          await site.cpu()
          const answers = await visit(site, scenario, seconds)
          const cpu = (await site.cpu()) / answers.count
          const key = `${scenario}|${site.contender}`
          measured.set(key, [...(measured.get(key) ?? []), { ...answers, cpu }])
        }
      }
    }
    return SCENARIO_NAMES.flatMap((scenario) =>
      sites.map(({ contender }): HttpRow => {
        const results = measured.get(`${scenario}|${contender}`) as Measured[]
        const of = (figure: (result: Measured) => number) => spreadOf(results.map(figure))
        return {
          scenario,
          contender,
          throughput: of((result) => result.throughput),
          p50: of((result) => result.p50),
          p99: of((result) => result.p99),
          cpu: of((result) => result.cpu),
        }
      }),
    )
  } finally {
    await Promise.all([generator.stop(), ...sites.map((site) => site.stop())])
  }
}

/** The row that a row of ours has to be compared with. */
export function rivalOf(rows: readonly HttpRow[], { scenario, contender }: HttpRow): HttpRow | undefined {
  const rival = RIVALS[contender]
  return rows.find((row) => row.scenario === scenario && row.contender === rival)
}

type Measured = Answers & { readonly cpu: number }

function nameOf(contender: string): ContenderName {
  return contender.replace(WITH_HELPER, '') as ContenderName
}

interface Site {
  readonly contender: string
  readonly url: string
  /** The Cookie headers of visitors who have logged in. */
  readonly cookies: readonly string[]
  /** CPU time of the server since the last call, us. */
  cpu(): Promise<number>
  stop(): Promise<void>
}

async function openSite(contender: string, services: Services): Promise<Site> {
  const { redis, postgres } = services
  const worker = new Worker(import.meta.url, [contender, JSON.stringify({ redis, postgres })])
  const { port } = await worker.ask<{ port: number }>({ open: true })
  const url = `http://127.0.0.1:${port}`
  const cookies = await Promise.all(Array.from({ length: CONNECTIONS }, () => login(url)))
  const stop = async () => {
    await worker.ask({ close: true })
    await worker.stop()
  }
  return { contender, url, cookies, cpu: () => worker.ask<number>({ cpu: true }), stop }
}

async function login(url: string): Promise<string> {
  const response = await fetch(`${url}/login`)
  const lines = response.headers.getSetCookie()
  await response.text()
  return lines.map((line) => line.split(';', 1)[0]).join('; ')
}

/** The other side of `openSite`: one application on one server. */
async function work(contender: string, services: Services): Promise<void> {
  const { app, close } = await open(nameOf(contender), services)
  const server = contender.endsWith(WITH_HELPER) ? createServer(app) : createPlainServer(app)
  let last = process.cpuUsage()
  serve(async (message: { open?: true; cpu?: true; close?: true }) => {
    if (message.open) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return { port: (server.address() as AddressInfo).port }
    }
    if (message.close) {
      server.closeAllConnections()
      return close()
    }
    const { user, system } = process.cpuUsage(last)
    last = process.cpuUsage()
    return user + system
  })
}

function print(rows: readonly HttpRow[]): void {
  for (const scenario of SCENARIO_NAMES) {
    console.log(
      `\n${scenario}: requests/s (quartiles) | p50 ms | p99 ms | CPU us a request | against the stock package`,
    )
    for (const row of rows.filter((row) => row.scenario === scenario)) {
      const rival = rivalOf(rows, row)
      const verdict = rival
        ? `${(row.throughput.median / rival.throughput.median).toFixed(2)}x of ${rival.contender}, p99 ${(row.p99.median / rival.p99.median).toFixed(2)}x`
        : ''
      console.log(
        `  ${row.contender.padEnd(34)} ${format(row.throughput, 0).padEnd(24)} ${row.p50.median.toFixed(2).padStart(6)} ${row.p99.median.toFixed(2).padStart(7)} ${row.cpu.median.toFixed(0).padStart(5)}  ${verdict}`,
      )
    }
  }
}

const args = workerArgs(import.meta.url)
if (args !== undefined) {
  await work(args[0] as string, JSON.parse(args[1] as string))
} else if (isProgram(import.meta.url)) {
  console.log(environment())
  const services = await openServices()
  const options = process.argv.includes('--quick') ? QUICK : FULL
  print(await benchHttp({ ...options, progress: (text) => console.error(text) }, services))
  await services.stop()
}
