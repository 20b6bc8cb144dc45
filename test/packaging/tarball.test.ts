/** The package as npm installs it, in a project that has nothing else. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStandIn } from '../fixtures/mongodb-stand-in.ts'
import { connectPostgres, postgresUrl } from '../fixtures/postgres-server.ts'
import { hasRedis, openRedis } from '../fixtures/redis-server.ts'
import { Project, pack, root, run } from './project.ts'

let tarball = ''
let project: Project
/** Where `express-session` is an alias of the package. */
let aliased: Project

/** A schema of PostgreSQL, and a prefix. */
const place = `t${randomBytes(8).toString('hex')}`
const redis = hasRedis ? await openRedis() : undefined
const postgres = await connectPostgres()
const mongodb = await startStandIn()

const stores = [
  {
    name: 'connect-redis',
    url: redis?.url,
    imports: `import { RedisStore } from 'connect-redis'
      import { createClient } from 'redis'`,
    store: 'new RedisStore({ client: await createClient({ url }).connect(), prefix: place })',
  },
  {
    name: 'connect-pg-simple',
    url: postgres && postgresUrl,
    imports: `import connectPgSimple from 'connect-pg-simple'`,
    store: `new (connectPgSimple(session))({
        conString: url, schemaName: place, createTableIfMissing: true, pruneSessionInterval: false,
      })`,
  },
  {
    name: 'connect-mongo, over a stand-in for its server',
    url: mongodb.url,
    imports: `import { MongoStore } from 'connect-mongo'`,
    store: 'MongoStore.create({ mongoUrl: url })',
  },
]

const STORES = ['connect-redis', 'connect-pg-simple', 'connect-mongo', 'passport']

beforeAll(async () => {
  await postgres?.query(`CREATE SCHEMA ${place}`)
  tarball = await pack()
  project = await Project.empty()
  await project.install(tarball)
  aliased = await Project.empty()
  await aliased.install(tarball, 'express-session')
  for (const name of STORES) await aliased.copy(name)
  for (const name of [
    'redis',
    'pg',
    'mongodb',
    'debug',
    'kruptein',
    'passport-strategy',
    'pause',
    'utils-merge',
  ])
    await aliased.link(name)
}, 120_000)

afterAll(async () => {
  await postgres?.query(`DROP SCHEMA ${place} CASCADE`)
  await postgres?.end()
  await redis?.stop()
  await mongodb.close()
  await project?.remove()
  await aliased?.remove()
  await rm(dirname(tarball), { recursive: true, force: true })
})

const SUBPATHS = ['core', 'flash', 'lmdb', 'redis', 'postgres', 'mysql', 'mongodb', 'server']
const SECRET = 'the secret of the tarball, which is long enough'

/** A module that prints what an expression answers, as JSON. */
const printing = (imports: string, expression: string) =>
  `${imports}\nconsole.log(JSON.stringify(${expression}))\n`

async function printed(where: Project, file: string, text: string): Promise<unknown> {
  await where.write(file, text)
  const { code, output } = await where.run(process.execPath, file)
  if (code !== 0) throw new Error(output)
  return JSON.parse(output)
}

describe('the tarball', () => {
  it('is under 150 KB', async () => {
    expect((await stat(tarball)).size).toBeLessThan(150_000)
  })

  it('brings no other package', async () => {
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    expect(Object.keys(manifest.dependencies ?? {})).toEqual([])
  })

  it('has the licences of the code that is part of it', async () => {
    const folder = join(project.folder, 'node_modules/fast-session')
    const notices = await readFile(join(folder, 'build/THIRD-PARTY-LICENSES'), 'utf8')
    for (const name of ['@noble/hashes', 'cookie']) expect(notices).toMatch(new RegExp(`^${name} \\d`, 'm'))
    expect(await readFile(join(folder, 'LICENSE'), 'utf8')).toContain('MIT')
  })

  it('has nothing that publint would change', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'publint-'))
    const { output } = await run(
      process.execPath,
      [join(root, 'node_modules/publint/src/cli.js'), 'run', tarball, '--strict'],
      folder,
    )
    await rm(folder, { recursive: true })
    expect(output).toContain('All good!')
  })

  it('has types for every way of importing it, as attw says', async () => {
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js')
    const { code, output } = await run(process.execPath, [attw, tarball], root)
    expect(output).toContain('No problems found')
    expect(code).toBe(0)
  })
})

describe('in an empty project', () => {
  it('import gives the function, and all names', async () => {
    const names = printing(
      `import session, * as all from 'fast-session'`,
      '[typeof session({ secret: ' +
        JSON.stringify(SECRET) +
        ' }), session === all.fastSession, Object.keys(all).sort()]',
    )
    expect(await printed(project, 'names.mjs', names)).toEqual([
      'function',
      true,
      [
        'Cookie',
        'MemoryStore',
        'Session',
        'SessionError',
        'SessionStore',
        'Store',
        'default',
        'fastSession',
        'module.exports',
      ],
    ])
  })

  it('require gives the function, with all names on it, and prints no warning', async () => {
    const names = printing(
      `const session = require('fast-session')`,
      '[typeof session, Object.keys(session).sort()]',
    )
    expect(await printed(project, 'names.cjs', names)).toEqual([
      'function',
      ['Cookie', 'MemoryStore', 'Session', 'SessionError', 'SessionStore', 'Store'],
    ])
  })

  it('import and require give the same function', async () => {
    const same = printing(
      `import { createRequire } from 'node:module'\nimport session from 'fast-session'`,
      `createRequire(import.meta.url)('fast-session') === session`,
    )
    expect(await printed(project, 'same.mjs', same)).toBe(true)
  })

  it.each(SUBPATHS)('fast-session/%s has the same names by import and by require', async (subpath) => {
    const name = `fast-session/${subpath}`
    const imported = await printed(
      project,
      'a.mjs',
      printing(`import * as all from '${name}'`, 'Object.keys(all).sort()'),
    )
    const required = await printed(project, 'a.cjs', printing('', `Object.keys(require('${name}')).sort()`))
    expect(imported).not.toEqual([])
    // `__esModule` tells other compilers' code that there is a default.
    expect((required as string[]).filter((name) => name !== '__esModule')).toEqual(imported)
  })

  it('the core signs and verifies', async () => {
    const signing = printing(
      `import { createCore } from 'fast-session/core'\nconst core = createCore({ secrets: '${SECRET}' })`,
      `[core.engine, core.verify(core.sign('id'))]`,
    )
    expect(await printed(project, 'core.mjs', signing)).toEqual(['wasm', 'id'])
  })
})

describe('under the name express-session', () => {
  it('has a version that published stores accept as their peer', async () => {
    const manifest = async (name: string) =>
      JSON.parse(await readFile(join(aliased.folder, 'node_modules', name, 'package.json'), 'utf8'))
    const { version } = await manifest('express-session')
    const peers = await Promise.all(['connect-redis', 'connect-mongo'].map(manifest))
    expect(peers.map(({ peerDependencies }) => peerDependencies['express-session'])).toEqual([
      '>=1',
      '^1.17.1',
    ])
    expect(version).toMatch(/^1\.(1[89]|[2-9]\d)\.\d+$/)
  })

  it.each([
    [
      'by import',
      'stores.mjs',
      `import session from 'express-session'
      import { RedisStore } from 'connect-redis'
      import { MongoStore } from 'connect-mongo'
      import pg from 'connect-pg-simple'`,
    ],
    [
      'by require',
      'stores.cjs',
      `const session = require('express-session')
      const { RedisStore } = require('connect-redis')
      const { MongoStore } = require('connect-mongo')
      const pg = require('connect-pg-simple')`,
    ],
  ])('is the base of published stores, %s', async (_, file, imports) => {
    const bases = printing(
      imports,
      '[RedisStore, MongoStore, pg(session)].map((one) => one.prototype instanceof session.Store)',
    )
    expect(await printed(aliased, file, bases)).toEqual([true, true, true])
  })

  it.for(stores)('keeps the sessions of $name', async ({ imports, store, url }, { skip }) => {
    skip(url === undefined)
    const visits = `
      import { createServer } from 'node:http'
      import session from 'express-session'
      ${imports}
      const [url, place] = process.argv.slice(2)
      const sessions = session({ secret: '${SECRET}', resave: false, saveUninitialized: false, store: ${store} })
      const server = createServer((req, res) => sessions(req, res, (error) => {
        if (error) throw error
        if (req.url === '/out') return req.session.destroy(() => res.end('out'))
        req.session.visits = (req.session.visits ?? 0) + 1
        res.end(String(req.session.visits))
      }))
      await new Promise((done) => server.listen(0, '127.0.0.1', done))
      const origin = 'http://127.0.0.1:' + server.address().port
      const first = await fetch(origin)
      const headers = { cookie: first.headers.get('set-cookie').split(';')[0] }
      const answers = [await first.text()]
      for (const path of ['/', '/out', '/']) answers.push(await (await fetch(origin + path, { headers })).text())
      console.log(JSON.stringify(answers))
      process.exit()`
    await aliased.write('visits.mjs', visits)
    const { output } = await aliased.run(process.execPath, 'visits.mjs', url!, place)
    expect(output).toBe('["1","2","out","1"]\n')
  })

  it('logs in by passport', async () => {
    const login = `
      import { createServer } from 'node:http'
      import session from 'express-session'
      import passport from 'passport'
      passport.serializeUser((user, done) => done(null, user.id))
      passport.deserializeUser((id, done) => done(null, { id }))
      passport.use({ name: 'always', authenticate() { this.success({ id: 'ann' }) } })
      const steps = (...steps) => (req, res) => {
        const next = (error) => { if (error) throw error; steps.shift()?.(req, res, next) }
        next()
      }
      const sessions = session({ secret: '${SECRET}' })
      const server = createServer((req, res) => steps(
        sessions,
        passport.initialize(),
        passport.session(),
        req.url === '/login' ? passport.authenticate('always') : (req, res, next) => next(),
        (req, res) => res.end(req.user?.id ?? 'nobody'),
      )(req, res))
      await new Promise((done) => server.listen(0, done))
      const origin = 'http://localhost:' + server.address().port
      const first = await fetch(origin + '/login')
      const cookie = first.headers.get('set-cookie').split(';')[0]
      const answers = [await first.text(), await (await fetch(origin, { headers: { cookie } })).text(), await (await fetch(origin)).text()]
      server.closeAllConnections()
      server.close()`
    expect(await printed(aliased, 'passport.mjs', printing(login, 'answers'))).toEqual([
      'ann',
      'ann',
      'nobody',
    ])
  })
})
