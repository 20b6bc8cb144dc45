/**
 * Everything, in about five minutes: `npm run bench`. Writes build/bench/results.json, bench/report.html and the charts
 * of the README, docs/images/*.svg. `--report` only draws them anew from the results that are there.
 */
import { fork } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { environment, type Result } from './harness.js'
import { benchHttp, QUICK as HTTP_QUICK, type HttpRow } from './http.js'
import { writeReport } from './report.js'
import { benchRequests, QUICK as REQUEST_QUICK, type RequestRow } from './request.js'
import { benchScale, FULL as SCALE_FULL, QUICK as SCALE_QUICK, type ScaleResults } from './scale.js'
import { openServices } from './services.js'
import { countTraffic, type TrafficRow } from './traffic.js'

export interface Table {
  readonly title: string
  readonly baseline: string
  readonly results: readonly Result[]
}

export interface Results {
  readonly environment: string
  readonly date: string
  readonly versions: Readonly<Record<string, string>>
  /** What was left out because its server could not be reached. */
  readonly missing: readonly string[]
  /** The primitives and the codec. */
  readonly tables: readonly Table[]
  readonly requests: readonly RequestRow[]
  readonly http: readonly HttpRow[]
  readonly traffic: readonly TrafficRow[]
  readonly scale: ScaleResults
}

const PACKAGES = [
  'express',
  'express-session',
  'memorystore',
  'connect-redis',
  'connect-pg-simple',
  'express-mysql-session',
  'cookie-session',
  'iron-session',
  'autocannon',
  'redis',
  'pg',
  'mysql2',
  'lmdb',
]

const RESULTS = new URL('./results.json', import.meta.url)
const ROOT = new URL('../../', import.meta.url)

async function run(quick: boolean): Promise<Results> {
  const started = performance.now()
  const progress = (text: string) => {
    const seconds = Math.round((performance.now() - started) / 1000)
    console.error(
      `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}  ${text}`,
    )
  }
  const tables: Table[] = []
  if (!quick) {
    for (const file of ['core', 'codec']) {
      progress(`the ${file}`)
      tables.push(...(await tablesOf(file)))
    }
  }
  const requests = await benchRequests({
    ...(quick ? REQUEST_QUICK : { generations: 2, rounds: 6, batch: 1000, warmUp: 14 }),
    progress,
  })
  const services = await openServices()
  try {
    const http = await benchHttp(
      { ...(quick ? HTTP_QUICK : { rounds: 3, seconds: 0.4, warmUp: 0.4 }), progress },
      services,
    )
    progress('commands and bytes of the stores')
    const traffic = await countTraffic(services)
    const scale = await benchScale({
      ...(quick
        ? SCALE_QUICK
        : {
            ...SCALE_FULL,
            payloads: [100, 1024, 8192, 65_536],
            requests: 10_000,
            warmUp: 10_000,
            most: 200_000,
          }),
      progress,
    })
    progress('done')
    const { missing, versions } = services
    return {
      environment: environment(),
      date: new Date().toISOString(),
      versions: { ...versions, ...packageVersions() },
      missing,
      tables,
      requests,
      http,
      traffic,
      scale,
    }
  } finally {
    await services.stop()
  }
}

/** What a benchmark of the shared harness compares, each table as it is done. */
function tablesOf(file: string): Promise<Table[]> {
  const script = new URL(`./${file}.js`, import.meta.url)
  const tables: Table[] = []
  if (!existsSync(script)) return Promise.resolve(tables)
  return new Promise((resolve, reject) => {
    const child = fork(script, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    child.on('message', (table: Table) => tables.push(table))
    child.on('exit', (code) =>
      code === 0 ? resolve(tables) : reject(new Error(`${file} ended with ${code}.`)),
    )
  })
}

function packageVersions(): Record<string, string> {
  const require = createRequire(import.meta.url)
  const folders = require.resolve.paths('express') ?? []
  const versionOf = (name: string) => {
    const file = folders.map((folder) => `${folder}/${name}/package.json`).find((path) => existsSync(path))
    return file === undefined
      ? 'unknown'
      : (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  }
  return Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)]))
}

const quick = process.argv.includes('--quick')
if (process.argv.includes('--report')) {
  writeReport(JSON.parse(readFileSync(RESULTS, 'utf8')) as Results, ROOT)
} else {
  const results = await run(quick)
  // A smoke test must not replace figures that were measured.
  if (quick) {
    const target = new URL('./quick/', import.meta.url)
    for (const folder of ['bench/', 'docs/images/']) mkdirSync(new URL(folder, target), { recursive: true })
    writeReport(results, target)
  } else {
    writeFileSync(RESULTS, JSON.stringify(results, null, 1))
    writeReport(results, ROOT)
  }
}
