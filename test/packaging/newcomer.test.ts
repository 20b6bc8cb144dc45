/** README.md, followed word for word in an empty folder; and an app of express-session that is switched over. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Visitor } from '../ecosystem/visitor.ts'
import { Project, pack, root, run } from './project.ts'

let tarball = ''
let server: ChildProcess | undefined

beforeAll(async () => {
  tarball = await pack()
})
afterEach(stop)
afterAll(() => rm(dirname(tarball), { recursive: true, force: true }))

describe.runIf(process.env['CI'])('a newcomer who reads nothing but the page', () => {
  it('has an app that counts through a restart, by README.md', async () => {
    const { visitor, restart } = await followed('README.md', 'Quick start')
    const seen = [await visitor.get('/'), await visitor.get('/')]
    await restart()
    seen.push(await visitor.get('/'))
    expect(seen.map(({ text }) => text)).toEqual(['Visit number 1.', 'Visit number 2.', 'Visit number 3.'])
  }, 240_000)

  it('logs in, stays so through a restart, and logs out, by docs/quick-start.md', async () => {
    const { visitor, restart } = await followed('docs/quick-start.md', '1. Set up', '2. The app')
    const form = (fields: Record<string, string>) => new URLSearchParams(fields)
    expect((await visitor.get('/')).text).toContain('Log in')
    expect((await visitor.post('/login', {}, form({ name: 'ada', password: 'wrong' }))).status).toBe(401)
    const login = await visitor.post('/login', {}, form({ name: 'ada', password: 'analytical-engine' }))
    expect([login.status, login.headers.get('location')]).toEqual([303, '/'])
    await restart()
    expect((await visitor.get('/')).text).toContain('You are user 1.')
    await visitor.post('/logout')
    expect((await visitor.get('/')).text).toContain('Log in')
  }, 240_000)
})

/** What there is when these sections were followed to the end: a server that runs. */
async function followed(
  page: string,
  ...headings: string[]
): Promise<{ visitor: Visitor; restart: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'newcomer-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const port = await freePort()
  const text = await readFile(join(root, page), 'utf8')
  const steps = headings.flatMap((heading) => stepsOf(text, heading))
  const last = steps.pop()
  for (const step of steps) await follow(step, folder, port)
  if (typeof last !== 'string' || !last.startsWith('node '))
    throw new Error(`${page} does not end in a start.`)
  const start = () => listening(() => startIn(folder, last), port)
  onTestFinished(stop)
  await start()
  return {
    visitor: new Visitor(`http://127.0.0.1:${port}`),
    restart: async () => {
      await stop()
      await start()
    },
  }
}

type Step = string | { readonly file: string; readonly code: string }

/** What a section asks for: each command of its `sh` blocks, and files with the code of its `js` blocks. */
function stepsOf(page: string, heading: string): Step[] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ', 1)[0] ?? ''
  return [...section.matchAll(/(?:`([\w./-]+)`:\n\n)?```(sh|js)\n(.*?)```/gs)].flatMap(
    ([, file = '', language, code = '']): Step[] =>
      language === 'js' ? [{ file, code }] : code.trimEnd().split('\n'),
  )
}

/** Follows a step. The one thing that is not as written: the package comes from the tarball, and the port is free. */
async function follow(step: Step, folder: string, port: number): Promise<void> {
  if (typeof step !== 'string') {
    expect(step.file).not.toBe('')
    return writeFile(join(folder, step.file), step.code.replace('3000', String(port)))
  }
  const command = step.replace(/(^npm install .*)\bfast-session\b/, `$1${tarball}`)
  const { code, output } = await run('sh', ['-c', command], folder)
  if (code !== 0) throw new Error(`${command}\n${output}`)
}

function startIn(folder: string, command: string): ChildProcess {
  const [, ...args] = command.split(' ')
  return spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Starts a server and waits until it answers. Whatever it complains about is a failure. */
async function listening(start: () => ChildProcess, port: number): Promise<void> {
  server = start()
  const complaint = once(server.stderr!, 'data').then(([text]) => Promise.reject(new Error(String(text))))
  const end = once(server, 'exit').then(([code]) => Promise.reject(new Error(`It ended with ${code}.`)))
  end.catch(() => {})
  complaint.catch(() => {})
  const answer = (async () => {
    // A path that counts no visit.
    while (!(await fetch(`http://127.0.0.1:${port}/favicon.ico`).catch(() => undefined)))
      await new Promise((resolve) => setTimeout(resolve, 20))
  })()
  await Promise.race([answer, complaint, end])
}

/** As Ctrl+C does. */
async function stop(): Promise<void> {
  const stopped = server
  server = undefined
  if (stopped === undefined || stopped.exitCode !== null || stopped.signalCode !== null) return
  const exited = once(stopped, 'exit')
  stopped.kill('SIGINT')
  await exited
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

describe('an app of express-session', () => {
  it.each([
    ['an ES module', 'app.mjs', ''],
    ['a CommonJS module', 'app.cjs', 'require'],
  ])(
    'goes on with its visitors when one import is changed, and back: %s',
    async (_, file, required) => {
      const project = await Project.empty()
      await project.install(tarball)
      for (const name of ['express', 'express-session', 'session-file-store']) await project.link(name)
      const port = await freePort()
      const before = required ? asCommonJs(APP(port)) : APP(port)
      const after = before.replace("'express-session'", "'fast-session'")
      expect(after.length).toBe(before.length - "'express-session'".length + "'fast-session'".length)
      const visitor = new Visitor(`http://127.0.0.1:${port}`)
      const answers = []
      for (const code of [before, after, before]) {
        await project.write(file, code)
        await listening(() => startIn(project.folder, `node ${file}`), port)
        if (code === before && answers.length === 0) await visitor.get('/login')
        answers.push((await visitor.get('/')).text)
        await stop()
      }
      expect(answers).toEqual(['ann, visit 1', 'ann, visit 2', 'ann, visit 3'])
      await project.write(file, after)
      await listening(() => startIn(project.folder, `node ${file}`), port)
      await visitor.get('/logout')
      expect((await visitor.get('/')).text).toBe('nobody, visit 1')
      await stop()
      await project.remove()
    },
    120_000,
  )
})

/** As the documentation of express-session has it: callbacks, and a store that is a function of the session module. */
const APP = (port: number) => `
import express from 'express'
import session from 'express-session'
import sessionFileStore from 'session-file-store'

const FileStore = sessionFileStore(session)
const app = express()
app.use(
  session({
    secret: 'a secret that express-session was given years ago',
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 600000 },
    store: new FileStore({ logFn() {}, retries: 0, reapInterval: -1 }),
  }),
)
app.get('/login', (req, res, next) => {
  req.session.regenerate((error) => {
    if (error) return next(error)
    req.session.user = 'ann'
    req.session.save((error) => (error ? next(error) : res.redirect('/')))
  })
})
app.get('/logout', (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.redirect('/')))
})
app.get('/', (req, res) => {
  req.session.visits = (req.session.visits ?? 0) + 1
  res.send(\`\${req.session.user ?? 'nobody'}, visit \${req.session.visits}\`)
})
app.listen(${port}, '127.0.0.1')
`

function asCommonJs(code: string): string {
  return code.replaceAll(/^import (\w+) from ('.+')$/gm, 'const $1 = require($2)')
}
