/** Every code block of README.md and docs/ is run as it stands, in the surroundings that it presupposes. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CodeBlock, codeBlocks } from './fixtures/code-blocks.ts'
import { startStandIn } from './fixtures/mongodb-stand-in.ts'
import { connectMysql, mysqlUrl } from './fixtures/mysql-server.ts'
import { connectPostgres, postgresEnvironment } from './fixtures/postgres-server.ts'
import { hasRedis, openRedis } from './fixtures/redis-server.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const secret = 'the secret of the examples, which is long enough'

// Inside of the package, so that it finds itself by name.
const scratch = join(root, 'build/test/docs')
const workplace = mkdtempSync(join(tmpdir(), 'docs-'))
mkdirSync(scratch, { recursive: true })

afterAll(() => {
  rmSync(scratch, { recursive: true })
  rmSync(workplace, { recursive: true })
})

/** The databases that the examples name, as the servers of the tests; a room of their own on each. */
const place = `docs_${randomBytes(8).toString('hex')}`
const redis = hasRedis ? await openRedis() : undefined
const postgres = await connectPostgres()
const mysql = await connectMysql()
const mongodb = await startStandIn()

beforeAll(async () => {
  await postgres?.query(`CREATE SCHEMA ${place}`)
  await mysql?.query(`CREATE DATABASE ${place}`)
})
afterAll(async () => {
  await redis?.stop()
  await postgres?.query(`DROP SCHEMA ${place} CASCADE`)
  await postgres?.end()
  await mysql?.query(`DROP DATABASE ${place}`)
  await mysql?.end()
  await mongodb.close()
})

it('every block is in a language that is run here, or is a picture', () => {
  const languages = new Set(codeBlocks.map(({ language }) => language))
  expect([...languages].sort()).toEqual(['diff', 'js', 'mermaid', 'sh', 'ts'])
})

const inLanguage = (language: string) => codeBlocks.filter((block) => block.language === language)

describe('the JavaScript', () => {
  it.for(inLanguage('js'))('of $name runs', async (block, { skip }) => {
    skip(lacksServer(block))
    await runs(block, block.code)
  })
})

describe('the TypeScript', () => {
  const prelude = join(scratch, 'prelude.d.ts')
  writeFileSync(prelude, PRELUDE())

  it.each(inLanguage('ts'))('of $name has no type error', async ({ file, code }) => {
    const path = join(scratch, `${file}.ts`)
    writeFileSync(path, `${code}\nexport {}\n`)
    const flags =
      '--ignoreConfig --noEmit --strict --skipLibCheck --target es2023 --module nodenext --types node'
    const result = await run(join(root, 'node_modules/.bin/tsc'), [...flags.split(' '), prelude, path]).catch(
      ({ stdout }: { stdout: string }) => ({ stdout }),
    )
    expect(result.stdout).toBe('')
  })

  it.for(inLanguage('ts'))('of $name runs', async (block, { skip }) => {
    skip(lacksServer(block))
    const { code } = await transform(block.code, { loader: 'ts', format: 'esm' })
    await runs(block, `${code}\nfinish()`)
  })
})

// What the shell is told is done by test/packaging/newcomer.test.ts, or is a script of package.json.
describe('the commands', () => {
  const isFollowed = ({ code }: CodeBlock) => /^npm init|\.env\b/m.test(code)
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }

  it.each(inLanguage('sh').filter((block) => !isFollowed(block)))(
    'of $name are scripts of the package',
    ({ code }) => {
      const commands = code
        .trimEnd()
        .split('\n')
        .flatMap((line) => line.replace(/ *#.*/, '').split(' && '))
      const unknown = commands.filter((command) => {
        const [, script] = /^npm (?:run )?([\w:-]+)$/.exec(command) ?? []
        return script !== 'ci' && !(script !== undefined && script in scripts)
      })
      expect(unknown).toEqual([])
    },
  )
})

describe('the changes', () => {
  it.each(inLanguage('diff'))('of $name: before and after do the same', async ({ file, code }) => {
    const side = (other: string) =>
      code.replaceAll(new RegExp(`^\\${other}.*\n`, 'gm'), '').replaceAll(/^[-+ ]/gm, '')
    const outputs = []
    for (const [name, text] of [
      ['before', side('+')],
      ['after', side('-')],
    ] as const) {
      const path = join(scratch, `${file}-${name}.mjs`)
      writeFileSync(
        path,
        text.includes('import ') ? LOGIN(text, '') : LOGIN("import session from 'fast-session'", text),
      )
      const { stdout, stderr } = await run(process.execPath, [path], { cwd: workplace })
      outputs.push(stdout + stderr)
    }
    expect(outputs).toEqual(['302 /, then ann\n', '302 /, then ann\n'])
  })
})

/** Runs a block with Node.js, and visits it twice if it is an app or a server. */
async function runs({ file, language }: CodeBlock, code: string): Promise<void> {
  const isApp = /\bapp\.use\(/.test(code)
  const listens = /\.listen\(|new Server\(/.test(code)
  const hasPage = /\.get\('\/'|createServer\(\(/.test(code)
  const sockets = code.includes('socket.io')

  const path = join(scratch, `${file}-${language}.mjs`)
  const ending = isApp && !listens ? COUNTER : ''
  const mysqlServer = new URL(mysqlUrl)
  mysqlServer.pathname = place
  writeFileSync(
    path,
    `${code}\n${ending}\n`
      .replace('redis://localhost', redis?.url ?? '')
      .replace('mysql://localhost/app', String(mysqlServer))
      .replace('mongodb://localhost/app', mongodb.url),
  )
  const surroundings = {
    secret,
    sockets,
    path: hasPage ? '/' : '/count',
    headers: code.includes('trust proxy') ? { 'x-forwarded-proto': 'https' } : {},
    typescript: language === 'ts',
  }
  const env = {
    ...process.env,
    ...postgresEnvironment,
    PGOPTIONS: `-c search_path=${place}`,
    SESSION_SECRET: secret,
    OLD_SESSION_SECRET: 'short',
    NODE_ENV: 'development',
    EXAMPLE: JSON.stringify(surroundings),
  }
  const preload = join(import.meta.dirname, 'fixtures/visited-example.mjs')
  const { stdout, stderr } = await run(process.execPath, ['--import', preload, path], { cwd: workplace, env })
  expect(stderr).toBe('')
  if (!isApp && !listens) return

  const visits: unknown[] = JSON.parse(/^visits: (.*)$/m.exec(stdout)?.[1] ?? '[]')
  // A status that is no success would be a number.
  if (sockets) expect(visits).toEqual(['stored', 'stored'])
  else if (!hasPage) expect(visits).toEqual(['1', '2'])
  else if (code.includes('Visit number')) expect(visits).toEqual(['Visit number 1.', 'Visit number 2.'])
  else expect(visits).toEqual([expect.any(String), expect.any(String)])
}

function lacksServer({ code }: CodeBlock): boolean {
  return (
    (redis === undefined && code.includes("'redis'")) ||
    (postgres === undefined && code.includes("'pg'")) ||
    (mysql === undefined && code.includes("'mysql2/promise'"))
  )
}

/** An app that stands there without a page gets one, which needs the session to be kept. */
const COUNTER = `
  app.use((req, res) => {
    req.session.views = (req.session.views ?? 0) + 1
    res.send(String(req.session.views))
  })
  app.listen(3000)`

/** A login, done by the lines in question. */
const LOGIN = (imports: string, lines: string) => `
  import express from 'express'
  ${imports}
  const app = express()
  app.use(session({ secret: '${secret}', resave: false, saveUninitialized: false }))
  app.post('/', async (req, res, next) => {
    const user = 'ann'
    ${lines || `req.session.user = user\nreq.session.save(() => res.redirect('/'))`}
  })
  app.get('/', (req, res) => res.send(req.session.user))
  const server = app.listen(0, '127.0.0.1', async () => {
    const url = 'http://127.0.0.1:' + server.address().port
    const login = await fetch(url, { method: 'POST', redirect: 'manual' })
    const headers = { cookie: login.headers.get('set-cookie').split(';')[0] }
    const page = await fetch(url, { headers })
    console.log(login.status, login.headers.get('location') + ', then', await page.text())
    process.exit()
  })`

/** What the examples in TypeScript have around them. */
function PRELUDE(): string {
  return `
    import type { Express, Request } from 'express'
    import 'fast-session'
    declare global {
      const app: Express
      const req: Request
      const secret: string
    }
    declare module 'fast-session' {
      interface SessionData { views: number }
    }`
}
