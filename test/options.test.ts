/** Every wrong option is refused at construction, with a message that names it and its fix. */
import { createSecretKey } from 'node:crypto'
import fastSession, { SessionError, type SessionOptions } from 'fast-session'
import { describe, expect, it } from 'vitest'

const SECRET = 'a signing secret that is long enough for everybody'
const MAKE_ONE = 'randomBytes(32)'

interface Refusal {
  readonly options: unknown
  /** What the message has to name: the option, and how to do it right. */
  readonly names: readonly string[]
  readonly code?: string
}

const option = (
  name: string,
  values: readonly unknown[],
  ...fix: readonly string[]
): Array<[string, Refusal]> =>
  values.map((value) => [
    `${name}: ${describeValue(value)}`,
    { options: { secret: SECRET, [name]: value }, names: [`"${name}"`, ...fix] },
  ])

const cookie = (
  name: string,
  values: readonly unknown[],
  ...fix: readonly string[]
): Array<[string, Refusal]> =>
  values.map((value) => [
    `cookie.${name}: ${describeValue(value)}`,
    { options: { secret: SECRET, cookie: { [name]: value } }, names: [`"cookie.${name}"`, ...fix] },
  ])

const secret = (what: string, value: unknown, code: string, ...names: string[]): [string, Refusal] => [
  `secret: ${what}`,
  { options: { secret: value }, names: ['"secret"', ...names], code },
]

const refusals: Array<[string, Refusal]> = [
  ['options: a list', { options: [SECRET], names: ['options', 'fastSession({ secret'] }],
  ['options: a string', { options: SECRET, names: ['options', 'fastSession({ secret'] }],

  secret('of 31 bytes', 'x'.repeat(31), 'ERR_SESSION_WEAK_SECRET', '31 bytes', '32', MAKE_ONE),
  secret('of 31 bytes in front of a long one', ['x'.repeat(31), SECRET], 'ERR_SESSION_WEAK_SECRET', MAKE_ONE),
  secret('of 16 bytes', new Uint8Array(16), 'ERR_SESSION_WEAK_SECRET', '16 bytes', MAKE_ONE),
  secret('an empty string', '', 'ERR_SESSION_OPTION', MAKE_ONE),
  secret('an empty list', [], 'ERR_SESSION_OPTION', MAKE_ONE),
  secret('a list with an empty string', [SECRET, ''], 'ERR_SESSION_OPTION', MAKE_ONE),
  secret(
    'a list with undefined, as from a missing variable',
    [SECRET, undefined],
    'ERR_SESSION_OPTION',
    MAKE_ONE,
  ),
  secret('a number', 12345, 'ERR_SESSION_OPTION', MAKE_ONE),
  secret('an object', { secret: SECRET }, 'ERR_SESSION_OPTION', MAKE_ONE),

  ...option('allowWeakSecret', ['yes', 1], 'true or false'),
  ...option('name', ['', 'my session', 'a=b', 'a;b', 'a\nb', 'ü', 7, {}], 'letters, digits'),
  ...option('key', ['', 'my session', 7], 'letters, digits'),
  ...option('genid', ['uuid', 7, {}], 'a function'),
  ...option('onError', ['log', {}], 'a function'),
  ...option('proxy', ['true', 1], 'true or false'),
  ...option('resave', ['false', 0], 'true or false'),
  ...option('rolling', ['true', 1], 'true or false'),
  ...option('saveUninitialized', ['false', 0], 'true or false'),
  ...option('unset', ['delete', 'Destroy', true], "'destroy'", "'keep'"),
  ...option('engine', ['rust', 'WASM', true], "'auto'", "'wasm'", "'node'", "'js'"),
  ...option('module', ['core.wasm', {}, new Uint8Array(8)], 'WebAssembly.Module', 'fast-session/core.wasm'),
  ...option('store', [{}, 'redis', () => {}, new Map()], 'memoryStore()', 'express-session'),
  ...option('cookie', ['secure', 7, true, []], 'an object of cookie options or a function'),

  ...cookie(
    'domain',
    ['example.com; Secure', 'exa mple.com', 'http://example.com', 'a\r\nb', 7],
    'example.com',
  ),
  ...cookie('path', ['admin', '/a;b', '/a\nb', '/ü', 7], '"/"'),
  ...cookie('expires', ['tomorrow', 1_700_000_000_000, new Date('never')], 'Date', '"cookie.maxAge"'),
  ...cookie('maxAge', ['1h', '60000', Number.NaN, Number.POSITIVE_INFINITY, true], 'number of milliseconds'),
  ...cookie('httpOnly', ['true', 1], 'true or false'),
  ...cookie('partitioned', ['true', 1], 'true or false'),
  ...cookie('priority', ['urgent', 1, true], "'low'", "'medium'", "'high'"),
  ...cookie('sameSite', ['sometimes', 1], "'lax'", "'strict'", "'none'", "'auto'"),
  ...cookie('secure', ['yes', 1], 'true, false', "'auto'"),

  [
    'a misspelt option',
    {
      options: { secret: SECRET, saveUninitialised: true },
      names: ['"saveUninitialised"', '"saveUninitialized"'],
    },
  ],
  [
    'an option in other letters',
    { options: { secret: SECRET, Resave: true }, names: ['"Resave"', '"resave"'] },
  ],
  [
    'an option that nobody knows',
    { options: { secret: SECRET, qwerty: 1 }, names: ['"qwerty"', 'saveUninitialized'] },
  ],
  [
    'a misspelt cookie option',
    { options: { secret: SECRET, cookie: { maxage: 1 } }, names: ['"maxage"', '"maxAge"'] },
  ],
  [
    'an inherited name as a cookie option',
    { options: { secret: SECRET, cookie: { constructor: 1 } }, names: ['"constructor"', 'httpOnly'] },
  ],
]

const accepted: Array<[string, SessionOptions]> = [
  ['nothing but a secret', { secret: SECRET }],
  ['no secret, for cookie-parser brings it', {}],
  ['bytes as a secret', { secret: new Uint8Array(32).fill(7) }],
  ['a KeyObject as a secret', { secret: createSecretKey(Buffer.from(SECRET)) }],
  ['a list of secrets, the older ones short', { secret: [SECRET, 'old'] }],
  ['a short secret that is allowed', { secret: 'short', allowWeakSecret: true }],
  [
    'an undefined for everything',
    { secret: SECRET, name: undefined, cookie: undefined, store: undefined, unset: undefined },
  ],
  [
    'a cookie with everything',
    {
      secret: SECRET,
      cookie: {
        domain: '.example.com',
        expires: new Date(),
        httpOnly: false,
        maxAge: 0,
        partitioned: true,
        path: '/a/b',
        priority: 'high',
        sameSite: 'auto',
        secure: 'auto',
      },
    },
  ],
  ['no options at all', null as unknown as SessionOptions],
  [
    'null for everything, as configuration files have it',
    nullFor('secret', 'name', 'genid', 'store', 'unset', 'cookie'),
  ],
  [
    'blank cookie options, as unset environment variables are',
    {
      secret: SECRET,
      cookie: { domain: '', path: '', sameSite: '' as 'lax', ...nullFor('secure', 'priority') },
    },
  ],
  ['a cookie function', { secret: SECRET, cookie: () => ({}) }],
  ['a maxAge of null', { secret: SECRET, cookie: { maxAge: null } }],
]

describe('options', () => {
  it.each(refusals)('%s is refused', (_what, { options, names, code = 'ERR_SESSION_OPTION' }) => {
    const error = refusalOf(options)
    expect(error).toBeInstanceOf(SessionError)
    expect(error.code).toBe(code)
    for (const name of names) expect(error.message).toContain(name)
    expect(error.message).not.toMatch(/undefined is not|Cannot read|\n/)
  })

  it.each(accepted)('%s is accepted', (_what, options) => {
    expect(fastSession(options)).toBeTypeOf('function')
  })

  it('never shows a secret in a message', () => {
    expect(refusalOf({ secret: 'hunter2' }).message).not.toContain('hunter2')
    expect(refusalOf({ secret: ['hunter2', 7] }).message).not.toContain('hunter2')
    expect(refusalOf('a secret in the wrong place').message).not.toContain('wrong place')
  })

  it('does not change the options that it was given', () => {
    const options = Object.freeze({ secret: SECRET, cookie: Object.freeze({ maxAge: 1000 }) })
    expect(fastSession(options)).toBeTypeOf('function')
    expect(options).toEqual({ secret: SECRET, cookie: { maxAge: 1000 } })
  })
})

function refusalOf(options: unknown): SessionError {
  try {
    fastSession(options as SessionOptions)
  } catch (error) {
    return error as SessionError
  }
  throw new Error('was accepted')
}

function nullFor(...names: string[]): object {
  return Object.fromEntries(names.map((name) => [name, null]))
}

function describeValue(value: unknown): string {
  if (value instanceof Map) return 'a Map'
  if (value instanceof Date) return 'an invalid Date'
  return typeof value === 'function' ? 'a function' : (JSON.stringify(value) ?? String(value))
}
