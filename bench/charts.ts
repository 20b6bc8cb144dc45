/** The charts of the report and of the README: Observable Plot, drawn to SVG without a browser. */
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import type { Results } from './all.js'
import type { ServerKind } from './request.js'

export interface Chart {
  /** The file's name, without its ending. */
  readonly name: string
  readonly title: string
  /** How to read it. */
  readonly caption: string
  /** In the colours of the page that it stands in. */
  readonly svg: string
}

/** A phone shows it nearly as large as it is drawn. */
const WIDTH = 450
const OURS = '#2f81f7'
const OTHERS = '#c9772b'
const NONE = '#8b949e'

export function drawCharts(results: Results): Chart[] {
  return [
    added(results, 'plain'),
    added(results, 'helper'),
    throughput(results),
    latency(results),
    memory(results),
    growth(results),
    payloads(results),
  ]
}

interface Bar {
  /** The panel that the bar is in. */
  readonly panel: string
  readonly label: string
  readonly value: number
  readonly low: number
  readonly high: number
}

function added({ requests }: Results, server: ServerKind): Chart {
  const bars = requests
    .filter((row) => row.server === server && row.contender !== 'no sessions')
    .map(({ scenario, contender, added }) => bar(scenario, contender, added))
  return {
    name: server === 'plain' ? 'added-cost' : 'added-cost-server',
    title: `What a session adds to a request${server === 'plain' ? '' : ', with createServer of fast-session/server'}`,
    caption:
      'CPU time beyond the same application without sessions, µs; shorter is better. The thin line spans the quartiles. “No sessions, again” is what measuring nothing looks like.',
    svg: barChart(bars, 'µs a request →'),
  }
}

function throughput({ http }: Results): Chart {
  const bars = http.map(({ scenario, contender, throughput }) => bar(scenario, contender, throughput))
  return {
    name: 'throughput',
    title: 'Requests per second over HTTP',
    caption:
      'One server process, 16 connections, the load generator on the same machine; longer is better. “+ server” runs on createServer of fast-session/server.',
    svg: barChart(bars, 'requests/s →'),
  }
}

function latency({ http }: Results): Chart {
  const bars = http.map(({ scenario, contender, p99 }) => bar(scenario, contender, p99))
  return {
    name: 'latency',
    title: 'Latency over HTTP, 99th percentile',
    caption: 'Of the same requests, ms; shorter is better.',
    svg: barChart(bars, 'ms →', 1),
  }
}

function memory({ scale }: Results): Chart {
  const most = Math.max(...scale.sessions.map(({ sessions }) => sessions))
  const rows = scale.sessions.filter(({ sessions }) => sessions === most)
  const exact = (panel: string, label: string, value: number) =>
    bar(panel, label, { median: value, low: value, high: value })
  return {
    name: 'scale',
    title: `${most.toLocaleString('en')} sessions in one process`,
    caption:
      'Shorter is better. The panels have units of their own; bars are relative to the longest of a panel.',
    svg: barChart(
      [
        ...rows.map((row) => exact('bytes a session', row.contender, row.memory)),
        ...rows.map((row) => exact('GC pause p99, ms', row.contender, row.pauses.p99)),
        ...rows.map((row) => exact('a read, µs', row.contender, row.read)),
      ],
      '',
      1,
      true,
    ),
  }
}

function growth({ scale }: Results): Chart {
  const points = scale.sessions.map(({ contender, sessions, read }) => ({ contender, x: sessions, y: read }))
  return {
    name: 'growth',
    title: 'A read, from a thousand sessions on',
    caption: 'CPU time of a whole request, µs, by the number of sessions in the store.',
    svg: lines(points, 'sessions →', 'µs', 'linear'),
  }
}

function payloads({ scale }: Results): Chart {
  const points = scale.payloads.map(({ contender, bytes, read }) => ({ contender, x: bytes, y: read }))
  return {
    name: 'payloads',
    title: 'A read, from small sessions to large ones',
    caption:
      'CPU time of a whole request, µs, by the size of the session as JSON. Both axes are logarithmic.',
    svg: lines(points, 'bytes →', 'µs', 'log'),
  }
}

/** The stores of others are known by their own names, and labels are to leave room for bars. */
function nameOf(contender: string): string {
  return contender
    .replace(/^express-session, (?=memorystore|connect-)/, '')
    .replace('the same delayed store', 'same delayed')
}

function bar(
  panel: string,
  contender: string,
  { median, low, high }: { median: number; low: number; high: number },
): Bar {
  return { panel, label: nameOf(contender), value: median, low, high }
}

function barChart(bars: readonly Bar[], label: string, digits = 0, relative = false): string {
  const panels = [...new Set(bars.map(({ panel }) => panel))]
  const names = [...new Set(bars.map(({ label }) => label))]
  const most = (panel: string) =>
    relative ? Math.max(...bars.filter((one) => one.panel === panel).map(({ value }) => value)) : 1
  const data = bars.map((one) => ({
    ...one,
    x: one.value / most(one.panel),
    text: one.value.toLocaleString('en', { maximumFractionDigits: digitsOf(one.value, digits) }),
  }))
  const ranges = relative ? [] : data
  const end = Math.max(...data.map(({ x, high }) => (relative ? x : Math.max(x, high))))
  return svg({
    marginLeft: 206,
    marginBottom: 40,
    marginRight: 50,
    height: 50 + panels.length * (names.length * 18 + 34),
    x: {
      label: label || null,
      grid: !relative,
      axis: relative ? null : 'bottom',
      domain: [Math.min(0, ...data.map(({ x, low }) => (relative ? x : Math.min(x, low)))), end],
    },
    y: { label: null, domain: names, padding: 0.2, tickSize: 0 },
    fy: { label: null, domain: panels, axis: null, padding: names.length > 6 ? 0.16 : 0.3 },
    marks: [
      Plot.text(panels, {
        fy: (panel: string) => panel,
        text: (panel: string) => panel,
        frameAnchor: 'top-left',
        dx: -204,
        dy: -15,
        fontWeight: 'bold',
        textAnchor: 'start',
      }),
      Plot.barX(data, { x: 'x', y: 'label', fy: 'panel', fill: ({ label }: Bar) => colorOf(label) }),
      Plot.ruleY(ranges, {
        x1: 'low',
        x2: 'high',
        y: 'label',
        fy: 'panel',
        stroke: 'currentColor',
        strokeOpacity: 0.55,
      }),
      Plot.text(data, {
        x: ({ x, high }) => Math.max(0, relative ? x : Math.max(x, high)),
        y: 'label',
        fy: 'panel',
        text: 'text',
        textAnchor: 'start',
        dx: 4,
      }),
      Plot.ruleX([0]),
    ],
  })
}

function digitsOf(value: number, digits: number): number {
  if (Math.abs(value) < 20) return 1
  return Math.abs(value) < 100 ? digits : 0
}

function lines(
  points: ReadonlyArray<{ contender: string; x: number; y: number }>,
  xLabel: string,
  yLabel: string,
  yType: 'linear' | 'log',
): string {
  const contenders = [...new Set(points.map(({ contender }) => contender))]
  const last = contenders.map((name) => points.filter(({ contender }) => contender === name).at(-1)!)
  const endOf = (isDashed: boolean) =>
    Math.max(...last.filter(({ contender }) => contender.endsWith('store') === isDashed).map(({ y }) => y))
  // Of two lines that end close together, the upper one has its name above, the lower one below.
  const dashedNames = endOf(true) > endOf(false) ? -7 : 15
  return svg({
    height: 300,
    marginLeft: 46,
    marginRight: 168,
    marginBottom: 40,
    x: {
      type: 'log',
      label: xLabel,
      grid: true,
      ticks: [...new Set(points.map(({ x }) => x))],
      tickFormat: shortOf,
    },
    y: { type: yType, label: yLabel, grid: true, zero: yType === 'linear', ticks: 5, tickFormat: '~s' },
    marks: [
      ...[true, false].map((isDashed) =>
        Plot.line(
          points.filter(({ contender }) => contender.endsWith('store') === isDashed),
          {
            x: 'x',
            y: 'y',
            z: 'contender',
            stroke: ({ contender }: { contender: string }) => colorOf(contender),
            strokeWidth: 2,
            strokeDasharray: isDashed ? '5 3' : 'none',
          },
        ),
      ),
      Plot.dot(points, { x: 'x', y: 'y', fill: ({ contender }) => colorOf(contender), r: 3 }),
      ...[true, false].map((isDashed) =>
        Plot.text(
          last.filter(({ contender }) => contender.endsWith('store') === isDashed),
          {
            x: 'x',
            y: 'y',
            text: ({ contender }) => nameOf(contender),
            textAnchor: 'start',
            dx: 8,
            dy: isDashed ? dashedNames : 2,
          },
        ),
      ),
    ],
  })
}

/** 1000: 1k; 65,536: 64k, as sizes are named. */
function shortOf(n: number): string {
  const [unit, name] =
    n >= 1e6 ? [1e6, 'M'] : n % 1024 === 0 ? [1024, 'k'] : n >= 1000 ? [1000, 'k'] : [1, '']
  return `${n / unit}${name}`
}

function colorOf(contender: string): string {
  if (contender.startsWith('no sessions')) return NONE
  return contender.startsWith('fast-session') ? OURS : OTHERS
}

function svg(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<html><body></body></html>')
  const drawn = Plot.plot({
    document: document as never,
    width: WIDTH,
    style: { fontSize: '12px' },
    ...options,
  })
  return drawn.outerHTML.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ')
}

/** Says to those who can't see it what a chart shows; its marks one by one would tell them little. */
export function labelled({ name, title, caption, svg }: Chart): string {
  const [open, rest] = [svg.slice(0, svg.indexOf('>')), svg.slice(svg.indexOf('>') + 1)]
  return `${open} role="img" aria-labelledby="${name}-title ${name}-caption"><title id="${name}-title">${title}</title><desc id="${name}-caption">${caption}</desc>${rest}`
}

/** A file of its own, readable on whatever page shows it: the background is its own, too. */
export function standalone(chart: Chart): string {
  const colors =
    '<style>svg{color:#1f2328;background:#fff;border-radius:6px}@media (prefers-color-scheme:dark){svg{color:#e6edf3;background:#0d1117}}</style>'
  return labelled(chart).replace('<title', `${colors}<title`)
}
