/** The report: one HTML file that needs no other, and the charts as files for the README. */
import { mkdirSync, writeFileSync } from 'node:fs'
import type { Results, Table } from './all.js'
import { type Chart, drawCharts, labelled, standalone } from './charts.js'
import { rivalOf } from './http.js'
import { isNothing, ratioOf, type ServerKind, showRatio, targetOf } from './request.js'
import type { ScaleRow } from './scale.js'
import { format } from './spread.js'

/** Writes bench/report.html and docs/images/*.svg below `root`. */
export function writeReport(results: Results, root: URL): void {
  const charts = drawCharts(results)
  writeFileSync(new URL('bench/report.html', root), page(results, charts))
  mkdirSync(new URL('docs/images/', root), { recursive: true })
  for (const chart of charts) {
    writeFileSync(new URL(`docs/images/${chart.name}.svg`, root), `${standalone(chart)}\n`)
  }
}

function page(results: Results, charts: readonly Chart[]): string {
  const figure = (name: string) => {
    const chart = charts.find((chart) => chart.name === name) as Chart
    return `<figure><h3>${text(chart.title)}</h3>${labelled(chart)}<figcaption>${text(chart.caption)}</figcaption></figure>`
  }
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>fast-session: benchmarks</title>
<style>${STYLE}</style>
<main>
<h1>fast-session: benchmarks</h1>
<p>Made by <code>npm run bench</code> on ${text(results.date.slice(0, 10))}. ${text(results.environment)}.</p>
<p class="note">${text(
    Object.entries(results.versions)
      .map((pair) => pair.join(' '))
      .join(', '),
  )}.</p>
${results.missing.map((what) => `<p class="bad">Left out: ${text(what)}.</p>`).join('')}
<p>All contenders took turns in one run; figures are medians, in brackets the quartiles. Compare within a table, never
with figures of another run. Rows in which fast-session is slower or misses its target are marked.</p>
<h2>In short</h2>
${summary(results)}
<h2>In process: what a session adds</h2>
${figure('added-cost')}${requestTable(results, 'plain')}
${figure('added-cost-server')}${requestTable(results, 'helper')}
<h2>Over HTTP</h2>
${figure('throughput')}${figure('latency')}${httpTable(results)}
<h2>What a request asks of the database</h2>
${table(
  ['contender', 'request', 'commands', 'bytes sent', 'bytes received'],
  results.traffic.map((row) => [
    row.contender,
    row.scenario,
    row.commands.toFixed(2),
    row.sent.toFixed(0),
    row.received.toFixed(0),
  ]),
)}
<h2>Scale</h2>
${figure('scale')}${figure('growth')}${scaleTable(results)}
${figure('payloads')}
${table(
  ['contender', 'bytes of JSON', 'read, µs', 'write, µs'],
  results.scale.payloads.map((row) => [
    row.contender,
    row.bytes.toLocaleString('en'),
    row.read.toFixed(1),
    row.write.toFixed(1),
  ]),
)}
${results.tables.length > 0 ? `<h2>Primitives and codec</h2>${results.tables.map(primitives).join('')}` : ''}
</main>
</html>
`
}

/** The targets that this project set itself, met or not. */
function summary(results: Results): string {
  const lines = [
    ...inProcess(results, 'plain'),
    ...inProcess(results, 'helper'),
    ...overRedis(results),
    ...atScale(results),
  ]
  return `<div class="short">${rows(
    ['', 'express-session', 'fast-session', 'ratio', 'target'],
    lines.map(({ what, theirs, ours, ratio, target, met }) => [
      what,
      theirs,
      ours,
      ratio,
      met ? target : mark(`${target}: missed`),
    ]),
  )}</div>`
}

interface Line {
  readonly what: string
  readonly theirs: string
  readonly ours: string
  readonly ratio: string
  readonly target: string
  readonly met: boolean
}

function inProcess({ requests }: Results, kind: ServerKind): Line[] {
  const rows = requests.filter(({ server }) => server === kind)
  const added = (scenario: string, contender: string) =>
    rows.find((row) => row.scenario === scenario && row.contender === contender)
  return (['read', 'write', 'login'] as const).flatMap((scenario) => {
    const ours = added(scenario, 'fast-session, memory')
    const theirs = added(scenario, 'express-session, memory')
    if (ours === undefined || theirs === undefined) return []
    const ratio = ratioOf(rows, ours) ?? 0
    const target = Number(targetOf(ours))
    return {
      what: `${scenario} in memory, ${kind === 'plain' ? 'app.listen' : 'createServer'}: µs added`,
      theirs: theirs.added.median.toFixed(1),
      ours: ours.added.median.toFixed(1),
      ratio: showRatio(ratio),
      target: `${target}x less`,
      met: ratio >= target,
    }
  })
}

function overRedis({ http }: Results): Line[] {
  const ours = http.find((row) => row.scenario === 'read' && row.contender === 'fast-session, redis')
  const theirs = ours && rivalOf(http, ours)
  if (ours === undefined || theirs === undefined) return []
  const faster = ours.throughput.median / theirs.throughput.median
  const later = ours.p99.median / theirs.p99.median
  return [
    {
      what: 'read over HTTP and Redis: requests/s',
      theirs: theirs.throughput.median.toFixed(0),
      ours: ours.throughput.median.toFixed(0),
      ratio: `${faster.toFixed(2)}x`,
      target: '1.5x',
      met: faster >= 1.5,
    },
    {
      what: 'the same: p99, ms',
      theirs: theirs.p99.median.toFixed(1),
      ours: ours.p99.median.toFixed(1),
      ratio: `${later.toFixed(2)}x`,
      target: 'at most 1x',
      met: later <= 1,
    },
  ]
}

function atScale({ scale }: Results): Line[] {
  const most = Math.max(...scale.sessions.map(({ sessions }) => sessions))
  const of = (name: string) =>
    scale.sessions.find(({ sessions, contender }) => sessions === most && contender === name) as ScaleRow
  const ours = of('fast-session, memory')
  const theirs = of('express-session, memory')
  const line = (what: string, figure: (row: ScaleRow) => number, target: number, digits: number): Line => ({
    what,
    theirs: figure(theirs).toFixed(digits),
    ours: figure(ours).toFixed(digits),
    ratio: `${(figure(ours) / figure(theirs)).toFixed(2)}x`,
    target: `at most ${target}x`,
    met: figure(ours) <= figure(theirs) * target,
  })
  const count = most.toLocaleString('en')
  return [
    line(`${count} sessions: bytes each`, ({ memory }) => memory, 0.5, 0),
    line(`${count} sessions: GC pause p99, ms`, ({ pauses }) => pauses.p99, 0.25, 1),
  ]
}

function requestTable({ requests }: Results, server: string): string {
  const rows = requests.filter((row) => row.server === server)
  return table(
    ['request', 'contender', 'whole request, µs', 'added, µs', 'against express-session', 'target'],
    rows.map((row) => {
      const ratio = ratioOf(rows, row)
      const target = targetOf(row)
      const missed =
        target === 'nothing' ? !isNothing(rows, row) : target !== undefined && !((ratio ?? 0) >= target)
      const shown =
        target === 'nothing' ? 'not to be told from nothing' : target === undefined ? '' : `${target}x`
      return [
        row.scenario,
        row.contender,
        format(row.cost),
        format(row.added),
        ratio === undefined || target === 'nothing' ? '' : showRatio(ratio),
        missed ? mark(`${shown}: missed`) : shown,
      ]
    }),
  )
}

function httpTable({ http }: Results): string {
  return table(
    ['request', 'contender', 'requests/s', 'p50, ms', 'p99, ms', 'CPU, µs', 'against the stock package'],
    http.map((row) => {
      const rival = rivalOf(http, row)
      const ratio = rival && row.throughput.median / rival.throughput.median
      const shown = ratio === undefined ? '' : `${ratio.toFixed(2)}x`
      return [
        row.scenario,
        row.contender,
        format(row.throughput, 0),
        row.p50.median.toFixed(2),
        row.p99.median.toFixed(2),
        row.cpu.median.toFixed(0),
        ratio !== undefined && ratio < 1 ? mark(`${shown}: slower`) : shown,
      ]
    }),
  )
}

function scaleTable({ scale }: Results): string {
  return table(
    [
      'contender',
      'sessions',
      'bytes each',
      'read, µs',
      'write, µs',
      'GC pauses',
      'p99, ms',
      'longest, ms',
      'scavenges',
      'p99, ms',
      'mark-compacts',
      'longest, ms',
    ],
    scale.sessions.map(({ contender, sessions, memory, read, write, pauses, scavenges, markCompacts }) => [
      contender,
      sessions.toLocaleString('en'),
      // Below, what the process takes for itself is more than what the sessions do.
      sessions >= 100_000 ? memory.toFixed(0) : '',
      read.toFixed(1),
      write.toFixed(1),
      String(pauses.count),
      pauses.p99.toFixed(1),
      pauses.longest.toFixed(1),
      String(scavenges.count),
      scavenges.p99.toFixed(1),
      String(markCompacts.count),
      markCompacts.longest.toFixed(1),
    ]),
  )
}

function primitives({ title, baseline, results }: Table): string {
  return table(
    ['', 'median, ns', `against ${baseline}`],
    results.map(({ name, median, ratio }) => [
      name,
      median.toFixed(0),
      name === baseline
        ? 'baseline'
        : ratio < 1
          ? mark(`${ratio.toFixed(2)}x: slower`)
          : `${ratio.toFixed(2)}x`,
    ]),
    title,
  )
}

interface Marked {
  readonly marked: string
}

function mark(marked: string): Marked {
  return { marked }
}

function table(
  head: readonly string[],
  body: ReadonlyArray<ReadonlyArray<string | Marked>>,
  title = 'All figures',
): string {
  return `<details><summary>${text(title)}</summary>${rows(head, body)}</details>`
}

function rows(head: readonly string[], body: ReadonlyArray<ReadonlyArray<string | Marked>>): string {
  const cell = (value: string | Marked) =>
    typeof value === 'string' ? `<td>${text(value)}</td>` : `<td class="bad">${text(value.marked)}</td>`
  return `<div class="wide" tabindex="0"><table><thead><tr>${head.map((name) => `<th scope="col">${text(name)}</th>`).join('')}</tr></thead><tbody>${body.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')}</tbody></table></div>`
}

function text(plain: string): string {
  return plain.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
}

const STYLE = `
:root{color-scheme:light dark;--text:#1f2328;--back:#fff;--soft:#59636e;--line:#d1d9e0;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--text:#e6edf3;--back:#0d1117;--soft:#9198a1;--line:#3d444d;--bad:#ff8b80}}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:760px;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{line-height:1.2}h2{margin-top:3rem;border-bottom:1px solid var(--line);padding-bottom:.3rem}h3{margin:.5rem 0}
figure{margin:2rem 0 1rem}figure svg{display:block;width:100%;max-width:620px;height:auto}figcaption,.note{color:var(--soft);font-size:.875rem}
.bad{color:var(--bad);font-weight:600}.wide{overflow-x:auto}summary{cursor:pointer;padding:.4rem 0}
.short table{width:100%;white-space:normal}.short td:first-child{padding-left:0;width:40%}.short td:nth-child(2),.short th:nth-child(2){text-align:right}
@media (max-width:500px){h1{font-size:1.6rem}h2{font-size:1.3rem}.short table{font-size:.72rem}.short th,.short td{padding:.25rem .25rem}}
table{border-collapse:collapse;font-size:.8125rem;font-variant-numeric:tabular-nums;white-space:nowrap}
th,td{text-align:right;padding:.25rem .6rem;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left}td:nth-child(2),th:nth-child(2){text-align:left}
`
