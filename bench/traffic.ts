/**
 * What a request asks of a database: commands, and bytes both ways, counted on the wire between the store's client and
 * the server. Part of `npm run bench`; by itself: `npm run bench && node build/bench/traffic.js`.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { type ContenderName, open, SCENARIOS, type Scenario, type Services, serviceOf } from './contenders.js'
import { type OpenServices, openServices } from './services.js'
import { isProgram } from './worker.js'

export interface TrafficRow {
  readonly contender: ContenderName
  readonly scenario: Scenario
  /** By request. */
  readonly commands: number
  readonly sent: number
  readonly received: number
}

const CONTENDERS = [
  'express-session, connect-redis',
  'fast-session, redis',
  'fast-session, redis, touchAfter 0',
  'express-session, connect-pg-simple',
  'fast-session, postgres',
  'fast-session, postgres, touchAfter 0',
  'express-session, express-mysql-session',
  'fast-session, mysql',
  'fast-session, mysql, touchAfter 0',
] as const satisfies ContenderName[]

const SCENARIO_NAMES = ['untouched', 'read', 'write', 'login'] as const satisfies Scenario[]

/** Requests that are counted; as many before them are not: connections, prepared statements, first touches. */
const REQUESTS = 50

export async function countTraffic(services: OpenServices): Promise<TrafficRow[]> {
  const rows: TrafficRow[] = []
  for (const contender of CONTENDERS) {
    const service = serviceOf(contender)
    if (service === undefined || services[service] === undefined) continue
    rows.push(...(await countContender(contender, service, services)))
  }
  return rows
}

async function countContender(
  name: ContenderName,
  service: keyof Services,
  services: OpenServices,
): Promise<TrafficRow[]> {
  const wire = await tap(service, services)
  const contender = await open(name, wire.services)
  const server = contender.app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { headers } = await get(`${site}/login`, '')
  const cookie = headers.getSetCookie().map((line) => line.split(';', 1)[0])
  const rows: TrafficRow[] = []
  for (const scenario of SCENARIO_NAMES) {
    const { path, visitor } = SCENARIOS[scenario]
    const visit = async () => {
      for (let n = 0; n < REQUESTS; n++) await get(site + path, visitor === 'known' ? cookie.join('; ') : '')
    }
    await visit()
    const before = { ...wire.counts }
    await visit()
    const by = (what: keyof Counts) => (wire.counts[what] - before[what]) / REQUESTS
    rows.push({
      contender: name,
      scenario,
      commands: by('commands'),
      sent: by('sent'),
      received: by('received'),
    })
  }
  server.closeAllConnections()
  server.close()
  await contender.close()
  wire.server.close()
  return rows
}

async function get(url: string, cookie: string): Promise<Response> {
  const response = await fetch(url, { headers: cookie === '' ? {} : { cookie } })
  await response.text()
  if (!response.ok) throw new Error(`${url} answered ${response.status}.`)
  return response
}

interface Counts {
  commands: number
  sent: number
  received: number
}

/** Stands between client and database, passes everything on, and counts. */
async function tap(
  service: keyof Services,
  services: OpenServices,
): Promise<{ server: Server; services: Services; counts: Counts }> {
  const counts: Counts = { commands: 0, sent: 0, received: 0 }
  const { host, port } = addressOf(service, services)
  const server = createServer((client) => {
    const database = connect(port, host)
    const count = COUNTERS[service]()
    client.on('data', (bytes) => {
      counts.sent += bytes.length
      counts.commands += count(bytes)
      database.write(bytes)
    })
    database.on('data', (bytes) => {
      counts.received += bytes.length
      client.write(bytes)
    })
    for (const [one, other] of [
      [client, database],
      [database, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const tapped = (server.address() as AddressInfo).port
  if (service === 'postgres') {
    return {
      server,
      counts,
      services: { postgres: { ...services.postgres, host: '127.0.0.1', port: tapped } },
    }
  }
  const url = new URL(services[service] as string)
  url.hostname = '127.0.0.1'
  url.port = String(tapped)
  return { server, counts, services: { [service]: url.href } }
}

function addressOf(service: keyof Services, services: OpenServices): { host: string; port: number } {
  if (service === 'postgres') {
    const { host = '127.0.0.1', port = Number(process.env['PGPORT'] ?? 5432) } = services.postgres ?? {}
    return { host, port }
  }
  const { hostname, port } = new URL(services[service] as string)
  return { host: hostname, port: Number(port || (service === 'redis' ? 6379 : 3306)) }
}

/** RESP: a command is an array of bulk strings, `*2\r\n$3\r\nGET\r\n$1\r\na\r\n`. */
function countRedisCommands(): (bytes: Buffer) => number {
  let rest = Buffer.alloc(0)
  let strings = 0
  return (bytes) => {
    let commands = 0
    rest = Buffer.concat([rest, bytes])
    for (;;) {
      const end = rest.indexOf('\r\n')
      if (end === -1) return commands
      const length = Number(rest.toString('latin1', 1, end))
      if (strings === 0) {
        strings = length
        rest = rest.subarray(end + 2)
      } else {
        if (rest.length < end + 2 + length + 2) return commands
        rest = rest.subarray(end + 2 + length + 2)
        if (--strings === 0) commands++
      }
    }
  }
}

/** PostgreSQL's messages: a letter, a length, the rest. Query and Execute are what makes the server do something. */
function countPostgresCommands(): (bytes: Buffer) => number {
  let rest = Buffer.alloc(0)
  let started = false
  return (bytes) => {
    let commands = 0
    rest = Buffer.concat([rest, bytes])
    for (;;) {
      const letter = started ? 1 : 0
      if (rest.length < letter + 4) return commands
      const size = letter + rest.readUInt32BE(letter)
      if (rest.length < size) return commands
      if (started && (rest[0] === 0x51 || rest[0] === 0x45)) commands++
      started = true
      rest = rest.subarray(size)
    }
  }
}

/**
 * MySQL's packets: a length of three bytes, a number, the rest. A command has the number 0; Query and Execute are what
 * makes the server do something.
 */
function countMysqlCommands(): (bytes: Buffer) => number {
  let rest = Buffer.alloc(0)
  return (bytes) => {
    let commands = 0
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 4) {
      const size = 4 + rest.readUIntLE(0, 3)
      if (rest.length < size) break
      if (rest[3] === 0 && (rest[4] === 0x03 || rest[4] === 0x17)) commands++
      rest = rest.subarray(size)
    }
    return commands
  }
}

const COUNTERS: Readonly<Record<keyof Services, () => (bytes: Buffer) => number>> = {
  redis: countRedisCommands,
  postgres: countPostgresCommands,
  mysql: countMysqlCommands,
}

export function print(rows: readonly TrafficRow[]): void {
  console.log('\nwhat a request asks of the database: commands, bytes to it, bytes from it')
  for (const { contender, scenario, commands, sent, received } of rows) {
    console.log(
      `  ${contender.padEnd(38)} ${scenario.padEnd(10)} ${commands.toFixed(2).padStart(5)} ${sent.toFixed(0).padStart(6)} ${received.toFixed(0).padStart(6)}`,
    )
  }
}

if (isProgram(import.meta.url)) {
  const services = await openServices()
  print(await countTraffic(services))
  await services.stop()
}
