/** What importing the package adds to the start of a process. `npm run bench:start` */
import { spawnSync } from 'node:child_process'
import { environment } from './harness.js'
import { format, shuffle, spreadOf } from './spread.js'

const ROUNDS = 41

const PROGRAMS: Readonly<Record<string, string>> = {
  nothing: '',
  'nothing, again': '',
  'express-session': "import 'express-session'",
  'fast-session': "import 'fast-session'",
  'fast-session/core': "import 'fast-session/core'",
  express: "import 'express'",
}

/** CPU time of a process from its start to its end, ms: wall time would count the machine's other work. */
function start(program: string): number {
  const report = `${program}\n;process.stdout.write(JSON.stringify(process.cpuUsage()))`
  const { stdout, status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', report])
  if (status !== 0) throw new Error(`${program}: ${stderr}`)
  const { user, system } = JSON.parse(String(stdout)) as NodeJS.CpuUsage
  return (user + system) / 1000
}

const times = new Map(Object.keys(PROGRAMS).map((name) => [name, [] as number[]]))
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, program] of shuffle(Object.entries(PROGRAMS))) times.get(name)!.push(start(program))
}

console.log(environment())
console.log(`\nAdded to the start of a process, ms of CPU time: median (quartiles) of ${ROUNDS} starts`)
const floor = spreadOf(times.get('nothing')!).median
for (const [name, all] of times) {
  if (name === 'nothing') continue
  console.log(`  ${name.padEnd(20)} ${format(spreadOf(all.map((time) => time - floor)))}`)
}
