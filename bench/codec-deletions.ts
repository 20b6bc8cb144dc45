/**
 * Encoding once some objects have lost a key, as sessions do by `delete req.session.flash`. V8 makes hash tables of them,
 * and wherever it has met one, it takes the general way through all others. Run by `npm run bench:codec`, in a process
 * that has met none.
 */
import { createCore } from 'fast-session/core'
import { compare } from './harness.js'
import { crossover, kind, unkind, values } from './payloads.js'

const core = createCore({ secrets: 'an example of a secret that is longer than 32 bytes' })
const ours = `fast-session (${core.engine})`

const chosen = [
  ...Object.entries(kind).slice(1, 3),
  ...Object.entries({ ...unkind, ...crossover }).filter(([name]) =>
    /dictionary of (30|60) random keys$/.test(name),
  ),
]

for (const [name, make] of chosen) measure(`${name}, nothing deleted yet`, values(make))
for (const [name, make] of chosen) measure(`${name}, a key deleted`, values(make).map(withoutFirstKey))
for (const [name, make] of chosen) measure(`${name}, after that`, values(make))

function measure(title: string, inputs: readonly unknown[]): void {
  compare({
    title: `encode: ${title}`,
    inputs,
    rows: { 'JSON.stringify': (value) => JSON.stringify(value), [ours]: (value) => core.encode(value) },
    baseline: 'JSON.stringify',
  })
}

/** Not by copying: a copy is no hash table. */
function withoutFirstKey(value: unknown): unknown {
  const object = value as Record<string, unknown>
  delete object[Object.keys(object)[0] as string]
  return object
}
