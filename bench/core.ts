/** The signing core on every engine against the packages that express-session is made of. `npm run bench:core` */
import { createHash, hash } from 'node:crypto'
import { createRequire } from 'node:module'
import cookieSignature from 'cookie-signature'
import { type Core, createCore, type EngineName } from 'fast-session/core'
import { compare, environment } from './harness.js'

const uid = createRequire(import.meta.url)('uid-safe') as { sync(bytes: number): string }

const secret = 'an example of a secret that is longer than 32 bytes'
const engines: readonly EngineName[] = ['wasm', 'node', 'js']
const cores = engines.map((engine) => createCore({ engine, secrets: secret }))

const ids = Array.from({ length: 256 }, () => uid.sync(24))
// As they come: the decoded tail of a header, a string of its own.
const signed = ids.map((id) => decodeURIComponent(`${encodeURIComponent(cookieSignature.sign(id, secret))}`))
const forged = signed.map((text) => `${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`)

console.log(environment())

compare({
  title: 'sign an id',
  inputs: ids,
  rows: {
    'cookie-signature sign': (id) => cookieSignature.sign(id, secret),
    ...onEveryEngine((core) => (id) => core.sign(id)),
  },
  baseline: 'cookie-signature sign',
})

compare({
  title: 'verify a signed id',
  inputs: signed,
  rows: {
    'cookie-signature unsign': (text) => cookieSignature.unsign(text, secret),
    ...onEveryEngine((core) => (text) => core.verify(text)),
  },
  baseline: 'cookie-signature unsign',
})

compare({
  title: 'refuse a forged signature',
  inputs: forged,
  rows: {
    'cookie-signature unsign': (text) => cookieSignature.unsign(text, secret),
    ...onEveryEngine((core) => (text) => core.verify(text)),
  },
  baseline: 'cookie-signature unsign',
})

compare({
  title: 'make a new id',
  inputs: ids,
  rows: {
    'uid-safe sync(24)': () => uid.sync(24),
    ...onEveryEngine((core) => () => core.newId()),
  },
  baseline: 'uid-safe sync(24)',
})

compare({
  title: 'hash an id for a store',
  inputs: ids,
  rows: {
    'node:crypto createHash': (id) => createHash('sha256').update(id).digest('base64url'),
    'node:crypto hash': (id) => hash('sha256', id, 'base64url'),
    ...onEveryEngine((core) => (id) => core.hashId(id)),
  },
  baseline: 'node:crypto createHash',
})

function onEveryEngine(make: (core: Core) => (id: string) => unknown) {
  return Object.fromEntries(cores.map((core) => [`fast-session, ${core.engine}`, make(core)]))
}
