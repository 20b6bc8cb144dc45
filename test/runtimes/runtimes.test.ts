/** The behaviour on every runtime, in CI, which may fetch them; elsewhere `npm run test:runtimes` does. */
import { describe, expect, it } from 'vitest'
import { check, runtimes } from './runtimes.mjs'

describe.runIf(process.env['CI'])('the behaviour is the same', () => {
  it.each(runtimes.map((runtime) => [runtime.name, runtime] as const))(
    'on %s',
    { timeout: 120_000 },
    async (_, runtime) => {
      expect(await check(runtime)).toHaveLength(14)
    },
  )
})
