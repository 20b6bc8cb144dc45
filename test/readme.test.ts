/** What README.md and docs/ say is so: options, commands, links, and the differences from express-session. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fastSession, { Cookie, type SessionOptions } from 'fast-session'
import { describe, expect, it } from 'vitest'
import { checkOptions } from '../src/options.ts'
import { intendedDifferences } from './differential/differences.ts'
import { pages } from './fixtures/code-blocks.ts'
import { runtimes } from './runtimes/runtimes.mjs'

const root = join(import.meta.dirname, '..')
const secret = 'the secret of the examples, which is long enough'

describe('the options of README.md', () => {
  const [options, cookieOptions] = tablesOf('README.md').filter(([head]) => head?.includes('Default'))

  it('are those that there are', () => {
    expect(firstColumn(options).sort()).toEqual(knownTo({ secret, nonsense: 1 }))
  })

  it('have the defaults that they have', () => {
    const defaults: Record<string, unknown> = { allowWeakSecret: false, ...checkOptions({ secret }) }
    expect(primitives(secondColumn(options))).toEqual(
      Object.fromEntries(
        firstColumn(options)
          .filter((name) => ['boolean', 'string', 'number'].includes(typeof defaults[name]))
          .map((name) => [name, defaults[name]]),
      ),
    )
  })

  it('are explained in docs/options.md', () => {
    const explained = [...read('docs/options.md').matchAll(/^### (.+)$/gm)].flatMap(([, heading = '']) =>
      [...heading.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    )
    expect(explained.sort()).toEqual(firstColumn(options).sort())
  })

  it('of the cookie are those that there are', () => {
    expect(firstColumn(cookieOptions).sort()).toEqual(knownTo({ secret, cookie: { nonsense: 1 } }))
  })

  it.each(['README.md', 'docs/options.md'])(
    'of the cookie have the defaults that they have, in %s',
    (path) => {
      const table = tablesOf(path).find((rows) => firstColumn(rows).includes('partitioned'))
      const {
        path: path_,
        httpOnly,
        secure,
        sameSite,
      } = new Cookie(checkOptions({ secret }).cookie as object)
      expect(primitives(secondColumn(table))).toEqual({
        ...{ path: path_, httpOnly, secure, sameSite },
        // Left out, it is false.
        partitioned: false,
      })
    },
  )
})

describe('docs/options.md', () => {
  it('has the process warnings that there are', () => {
    expect(codesIn('docs/options.md', 'Process warnings')).toEqual(codesOf('src/warnings.ts'))
  })

  it('names only errors that there are', () => {
    const codes = codesOf('src/errors.ts')
    expect(codesIn('docs/options.md', '`onError`').filter((code) => !codes.includes(code))).toEqual([])
  })
})

describe('docs/stores.md', () => {
  it.each([
    ['Memory', 'MemoryRecordsOptions'],
    ['LMDB', 'LmdbRecordsOptions'],
    ['Redis and Valkey', 'RedisStoreOptions'],
    ['PostgreSQL', 'PostgresRecordsOptions'],
    ['MySQL and MariaDB', 'MysqlRecordsOptions'],
    ['MongoDB', 'MongodbRecordsOptions'],
  ])('has the options of %s', (heading, type) => {
    const [table] = tablesIn(sectionOf('docs/stores.md', heading))
    const named = firstColumn(table).flatMap((cell) => cell.split(', '))
    expect(named.sort()).toEqual(membersOf(type).sort())
  })
})

describe('docs/runtimes.md', () => {
  const page = read('docs/runtimes.md')

  it('names the runtimes that are tested, with their versions', () => {
    const missing = runtimes.filter(({ of: { version } }) => {
      const [, year, month, day] = /^1\.(\d{4})(\d\d)(\d\d)\./.exec(version) ?? []
      const named = year === undefined ? version.replace(/\.\d+$/, '') : `${year}-${month}-${day}`
      return !page.includes(named)
    })
    expect(missing).toEqual([])
  })

  it('names the flags that they are tested with', () => {
    const flags = runtimes.flatMap(({ name, flags = [] }) => (name.startsWith('Deno') ? [] : flags))
    expect(flags.filter((flag) => !page.includes(`\`${flag}\``))).toEqual([])
  })
})

describe('docs/security.md', () => {
  it("has every point of OWASP's cheat sheet", () => {
    const points = tablesIn(
      sectionOf('docs/security.md', "OWASP's session management cheat sheet, point by point"),
    ).flatMap((rows) => rows.map(([point = '']) => point.toLowerCase()))
    expect(OWASP.filter((heading) => !points.some((point) => point.includes(heading)))).toEqual([])
  })
})

describe('CONTRIBUTING.md', () => {
  it('names only files that there are', () => {
    const named = [
      ...read('CONTRIBUTING.md').matchAll(/`((?:src|test|docs|examples|assembly|bench|\.ci)\/[\w./-]*)/g),
    ]
    const missing = named.filter(([, path = '']) => !path.includes('NAME') && !existsSync(join(root, path)))
    expect(named.length).toBeGreaterThan(10)
    expect(missing.map(([, path]) => path)).toEqual([])
  })
})

describe('the pages', () => {
  it('name only commands that there are', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = pages.flatMap((path) => [...read(path).matchAll(/npm run ([\w:-]+)|npm (start|test)\b/g)])
    const missing = named
      .map(([, script, short]) => script ?? short ?? '')
      .filter((name) => !(name in scripts))
    expect(missing).toEqual([])
  })

  it('link to pages and headings that there are', () => {
    const dead = pages.flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
        .filter(([, target = '', heading]) => !leadsSomewhere(path, target, heading))
        .map(([link]) => `${path}: ${link}`),
    )
    expect(dead).toEqual([])
  })
})

// `npx vitest run test/readme.test.ts -u` writes it.
it('docs/migration.md has the intended differences of the differential suite', async () => {
  const rows = intendedDifferences.map(({ what, reason }) => `| ${cell(what)} | ${cell(reason)} |`)
  const table = ['| What differs | Why |', '|---|---|', ...rows].join('\n')
  const page = read('docs/migration.md').replace(
    /(<!-- differences -->\n).*(?=<!-- \/differences -->)/s,
    (_all, start) => `${start}\n${table}\n\n`,
  )
  await expect(page).toMatchFileSnapshot('../docs/migration.md')
})

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

type Row = string[]

function tablesOf(path: string): Row[][] {
  return tablesIn(read(path))
}

/** The tables of a text: rows of cells, the head first, without the line under it. */
function tablesIn(text: string): Row[][] {
  return [...text.matchAll(/(?:^\|.*\|\n)+/gm)].map(([table]) =>
    table
      .trim()
      .split('\n')
      .filter((_line, at) => at !== 1)
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((text) => text.trim()),
      ),
  )
}

/** The names in the first cells, but for the head's. */
function firstColumn(rows: Row[] = []): string[] {
  return rows.slice(1).map(([name = '']) => name.replaceAll('`', ''))
}

function secondColumn(rows: Row[] = []): Record<string, string> {
  return Object.fromEntries(rows.slice(1).map(([name = '', value = '']) => [name.replaceAll('`', ''), value]))
}

/** What stands under a heading, up to the next one of its level or above. */
function sectionOf(path: string, heading: string): string {
  const [, level = '', text = ''] = new RegExp(`^(#+) ${heading}\\n(.*)`, 'ms').exec(`${read(path)}\n`) ?? []
  return text.split(new RegExp(`^#{1,${level.length}} `, 'm'), 1)[0] ?? ''
}

/** The codes in the tables of a section. */
function codesIn(path: string, heading: string): string[] {
  return tablesIn(sectionOf(path, heading)).flatMap(firstColumn).sort()
}

/** The codes of a union of string literals, one a line. */
function codesOf(path: string): string[] {
  return [...read(path).matchAll(/^ {2}\| '(\w+)'/gm)].map(([, code = '']) => code).sort()
}

/** The members of an interface under src/stores, and of those that it extends. */
function membersOf(type: string): string[] {
  const source = readdirSync(join(root, 'src/stores'))
    .map((name) => read(`src/stores/${name}`))
    .join('\n')
  const [, bases = '', body = ''] =
    new RegExp(`^export interface ${type}(?: extends ([\\w, ]+))? {(.*?)^}`, 'ms').exec(source) ?? []
  const own = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name)
  return [...own, ...bases.split(', ').filter(Boolean).flatMap(membersOf)]
}

/** The cells that are a literal, as what it stands for. */
function primitives(cells: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(cells)
      .map(([name, text]) => [name, /^`(true|false|\d+|'.*')`$/.exec(text)?.[1]] as const)
      .filter(([, literal]) => literal !== undefined)
      .map(([name, literal = '']) => [name, JSON.parse(literal.replaceAll("'", '"'))]),
  )
}

/** The names that the message about one that does not exist lists. */
function knownTo(options: object): string[] {
  try {
    fastSession(options as SessionOptions)
  } catch (error) {
    return (
      /are (.*)$/
        .exec((error as Error).message)?.[1]
        ?.split(', ')
        .sort() ?? []
    )
  }
  return []
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

function leadsSomewhere(from: string, target: string, heading: string | undefined): boolean {
  const path = target === '' ? from : join(dirname(from), target)
  if (!existsSync(join(root, path))) return false
  if (heading === undefined) return true
  return [...read(path).matchAll(/^#+ (.+)$/gm)].some(([, text = '']) => anchorOf(text) === heading)
}

/** The headings under which the cheat sheet says what to do. */
const OWASP = [
  ...['session id name fingerprinting', 'session id length', 'session id entropy', 'session id content'],
  ...['built-in session management implementations', 'used vs. accepted session id exchange mechanisms'],
  ...['transport layer security', 'secure attribute', 'httponly attribute', 'samesite attribute'],
  ...['domain and path attributes', 'expire and max-age attributes', 'html5 web storage'],
  ...['permissive and strict session management', 'manage session id as any other user input'],
  ...['renew the session id after any privilege level change', 'considerations when using multiple cookies'],
  ...['session expiration', 'idle timeout', 'absolute timeout', 'renewal timeout', 'logout button'],
  ...[
    'web content caching',
    'initial login timeout',
    'force session logout on web browser window close events',
  ],
  ...['disable web browser cross-tab sessions', 'automatic client logout'],
  ...['session id guessing and brute force detection', 'detecting session id anomalies'],
  ...['binding the session id to other user properties', 'logging sessions life cycle'],
  ...['simultaneous session logons', 'waf protections'],
]

/** As GitHub makes them. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')
}
