/** The benchmarks run: every contender gives the right answers, and the report is written. */
import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)
const quick = new URL('../build/bench/quick/', import.meta.url)

it('runs every benchmark once and draws the report', async () => {
  rmSync(quick, { recursive: true, force: true })
  const compiler = ['node_modules/typescript/lib/tsc.js', '-p', 'bench/tsconfig.json']
  await run(process.execPath, compiler)
  await run(process.execPath, ['build/bench/all.js', '--quick'], { timeout: 280_000 })
  const report = readFileSync(new URL('bench/report.html', quick), 'utf8')
  expect(report.match(/<svg/g)).toHaveLength(7)
  const contenders = ['express-session, memory', 'fast-session, memory', 'cookie-session']
  expect(contenders.filter((contender) => !report.includes(contender))).toEqual([])
  // A chart without its figures, or a page that needs another.
  expect(report.match(/NaN|undefined|(?:src|href)="http/g)).toBeNull()
  expect(readFileSync(new URL('docs/images/added-cost.svg', quick), 'utf8')).toMatch(/^<svg .*xmlns=/)
}, 300_000)
