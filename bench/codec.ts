/** The payload codec against JSON, @msgpack/msgpack and msgpackr. `npm run bench:codec` */
import { Buffer } from 'node:buffer'
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import * as msgpack from '@msgpack/msgpack'
import { createCore, type EngineName } from 'fast-session/core'
import * as msgpackr from 'msgpackr'
import { compare, environment } from './harness.js'
import { crossover, dictionaries, kind, unkind, values } from './payloads.js'

// One engine for each process: two at once keep V8 from specializing the code of either.
const engine = (process.argv[2] ?? 'wasm') as EngineName
const core = createCore({ engine, secrets: 'an example of a secret that is longer than 32 bytes' })
const ours = `fast-session (${core.engine})`

console.log(`${environment()}, engine ${core.engine}`)

for (const [name, make] of Object.entries({ ...kind, ...unkind })) {
  const inputs = values(make)
  compare({
    title: `encode: ${name}`,
    inputs,
    rows: {
      'JSON.stringify': (value) => JSON.stringify(value),
      'JSON as bytes': (value) => Buffer.from(JSON.stringify(value)),
      '@msgpack/msgpack': (value) => msgpack.encode(value),
      msgpackr: (value) => msgpackr.pack(value),
      [ours]: (value) => core.encode(value),
    },
    baseline: 'JSON.stringify',
  })
  compare({
    title: `decode: ${name}`,
    inputs: inputs.map((value) => {
      const json = JSON.stringify(value)
      return { text: json, json: Buffer.from(json), packed: msgpack.encode(value).slice() }
    }),
    rows: {
      'JSON.parse': ({ text }) => JSON.parse(text),
      'JSON from bytes': ({ json }) => JSON.parse(json.toString()),
      '@msgpack/msgpack': ({ packed }) => msgpack.decode(packed),
      msgpackr: ({ packed }) => msgpackr.unpack(packed),
      [ours]: ({ packed }) => core.decode(packed),
    },
    baseline: 'JSON.parse',
  })
}

for (const [name, make] of Object.entries(kind)) {
  compare({
    title: `nothing changed: ${name}`,
    inputs: values(make).map((value) => ({ session: value as object, previous: core.encode(value) })),
    rows: {
      // At the start of a request, to see whether to save, and to see whether to touch.
      "express-session's hash, 3 times": ({ session }) => [hash(session), hash(session), hash(session)],
      [ours]: ({ session, previous }) => core.encodeIfChanged(session, previous),
    },
    baseline: "express-session's hash, 3 times",
  })
}

// `npm run bench` has no time for the rest.
const isComplete = process.send === undefined || process.argv[2] !== undefined

// The same on the engine that is all JavaScript: where the kernels start to pay.
for (const [name, make] of Object.entries(isComplete ? crossover : {})) {
  const inputs = values(make)
  compare({
    title: `encode, for the thresholds: ${name}`,
    inputs,
    rows: { 'JSON.stringify': (value) => JSON.stringify(value), [ours]: (value) => core.encode(value) },
    baseline: 'JSON.stringify',
  })
  compare({
    title: `decode, for the thresholds: ${name}`,
    inputs: inputs.map((value) => ({ text: JSON.stringify(value), packed: core.encode(value) })),
    rows: { 'JSON.parse': ({ text }) => JSON.parse(text), [ours]: ({ packed }) => core.decode(packed) },
    baseline: 'JSON.parse',
  })
}
// As many as the decoder remembers the keys of, and far more than it and V8 do.
for (const count of isComplete ? [1500, 8192] : []) {
  compare({
    title: `decode, for the thresholds: ${count} dictionaries of 30 random keys`,
    inputs: dictionaries(count).map((text) => ({ text, packed: core.encode(JSON.parse(text)) })),
    rows: { 'JSON.parse': ({ text }) => JSON.parse(text), [ours]: ({ packed }) => core.decode(packed) },
    baseline: 'JSON.parse',
  })
}

if (isComplete && process.argv[2] === undefined && core.engine !== 'js') {
  await runAfterwards('./codec.js', 'js')
  await runAfterwards('./codec-deletions.js')
}

async function runAfterwards(script: string, ...args: string[]): Promise<void> {
  const path = fileURLToPath(new URL(script, import.meta.url))
  await once(fork(path, args, { execArgv: process.execArgv }), 'exit')
}

/** As express-session 1.19 tells whether a session was modified (index.js, function hash). */
function hash(session: object): string {
  const text = JSON.stringify(session, function (this: unknown, key, value) {
    if (this === session && key === 'cookie') return
    return value
  })
  return createHash('sha1').update(text, 'utf8').digest('hex')
}
