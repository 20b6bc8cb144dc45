// Checks the behaviour on all runtimes, or on those whose name holds the argument: npm run test:runtimes -- deno
import { check, runtimes } from './runtimes.mjs'

const wanted = (process.argv[2] ?? '').toLowerCase()
let failed = 0
for (const runtime of runtimes.filter(({ name }) => name.toLowerCase().includes(wanted))) {
  try {
    const checks = await check(runtime)
    console.log(
      `ok      ${runtime.name} ${runtime.of.version}: ${checks.length} checks, engine ${runtime.engine}`,
    )
  } catch (error) {
    failed++
    console.log(`FAILED  ${error.message}`)
  }
}
process.exitCode = failed === 0 ? 0 : 1
