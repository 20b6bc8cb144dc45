/** The types as users see them: the programs of test/types, compiled in a project that has the packed package. */
import { cp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Project, pack, root } from './project.ts'

const programs = join(root, 'test/types')
const tsc = join(root, 'node_modules/typescript/bin/tsc')

const STRICT = [
  '--noEmit',
  '--strict',
  '--exactOptionalPropertyTypes',
  '--target',
  'es2023',
  '--types',
  'node',
]
const MODES = {
  node16: ['--module', 'node16'],
  nodenext: ['--module', 'nodenext'],
  bundler: ['--module', 'esnext', '--moduleResolution', 'bundler'],
}

const projects: Project[] = []
let tarball = ''

beforeAll(async () => {
  tarball = await pack()
})
afterAll(() => Promise.all(projects.map((project) => project.remove())))

/** A project with some packages of this repository, each under the name that it has there or another one. */
async function projectWith(packages: Record<string, string>, as?: string): Promise<Project> {
  const project = await Project.empty()
  projects.push(project)
  await project.unpack(tarball, as)
  await project.link('@types/node')
  for (const [name, source] of Object.entries(packages)) await project.link(source, name)
  await cp(programs, join(project.folder, 'src'), { recursive: true })
  return project
}

/** What the compiler complains about, in programs and in all declarations that they use. */
async function complaints(project: Project, flags: readonly string[], ...files: string[]): Promise<string> {
  const { output } = await project.run(process.execPath, tsc, ...STRICT, ...flags, ...files)
  return output
}

const named = (...names: string[]) => Object.fromEntries(names.map((name) => [name, name]))
const EXPRESS_5 = named('express', '@types/express')
const EXPRESS_4 = { express: 'express4', '@types/express': 'types-express4' }
const EXPRESS_SESSION = named('express-session', '@types/express-session')

describe.each(Object.entries(MODES))('with the module resolution %s', (mode, flags) => {
  it.each([
    ['with Express 5', EXPRESS_5],
    ['with Express 4', EXPRESS_4],
  ])('a module of a user is correct, %s', async (_, express) => {
    expect(await complaints(await projectWith(express), flags, 'src/session.mts')).toBe('')
  })

  if (mode !== 'bundler') {
    it('CommonJS modules and ES modules know the same sessions', async () => {
      const project = await projectWith(EXPRESS_5)
      expect(await complaints(project, flags, 'src/commonjs.cts')).toBe('')
      expect(await complaints(project, flags, 'src/commonjs.cts', 'src/session.mts')).toBe('')
    })
  }

  it('a module beside @types/express-session is correct', async () => {
    const project = await projectWith({ ...EXPRESS_5, ...EXPRESS_SESSION })
    expect(await complaints(project, flags, 'src/beside-express-session.mts')).toBe('')
  })
})

describe('the declarations', () => {
  it('fit the stores of other packages', async () => {
    const stores = named('connect-mongo', 'connect-pg-simple', 'connect-redis', '@types/connect-pg-simple')
    const project = await projectWith({ ...EXPRESS_5, ...EXPRESS_SESSION, ...stores })
    expect(await complaints(project, MODES.nodenext, 'src/stores.mts')).toBe('')
  })

  it('fit the clients of Redis', async () => {
    const project = await projectWith(named('ioredis', 'ioredis5', 'redis', 'redis4', 'redis5'))
    expect(await complaints(project, [...MODES.nodenext, '--skipLibCheck'], 'src/redis.mts')).toBe('')
  })

  it('do for express-session under its name', async () => {
    const project = await projectWith(EXPRESS_5, 'express-session')
    for (const name of ['session.mts', 'commonjs.cts']) {
      const text = await readFile(join(programs, name), 'utf8')
      await project.write(`src/${name}`, text.replaceAll("'fast-session", "'express-session"))
    }
    expect(await complaints(project, MODES.nodenext, 'src/session.mts', 'src/commonjs.cts')).toBe('')
  })

  it('fit the stores of other packages under the name express-session', async () => {
    const project = await projectWith(EXPRESS_5, 'express-session')
    const stores = ['connect-mongo', 'connect-pg-simple', 'connect-redis', '@types/connect-pg-simple']
    for (const name of stores) await project.copy(name)
    for (const name of ['@types/pg', 'mongodb', 'redis']) await project.link(name)
    const text = await readFile(join(programs, 'stores.mts'), 'utf8')
    await project.write('src/stores.mts', text.replaceAll("'fast-session", "'express-session"))
    const session = await readFile(join(programs, 'session.mts'), 'utf8')
    await project.write('src/named.mts', session.replaceAll("'fast-session", "'express-session"))
    expect(await complaints(project, MODES.nodenext, 'src/stores.mts')).toBe('')

    // @types/connect-pg-simple brings them along, and programs that take all of @types are told of the same members.
    await project.link('@types/express-session')
    const all = [...MODES.nodenext, '--types', '*', '--skipLibCheck']
    expect(await complaints(project, all, 'src/stores.mts', 'src/named.mts')).toBe('')
  })

  it('say any nowhere', async () => {
    const project = await projectWith({})
    const folder = join(project.folder, 'node_modules/fast-session/build')
    const files = (await readdir(folder, { recursive: true })).filter((name) => /\.d\.c?ts$/.test(name))
    const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))
    const code = texts.map((text) => text.replace(/\/\*.*?\*\/|\/\/.*/gs, ''))
    expect(files.length).toBeGreaterThan(20)
    expect(files.filter((_, i) => /\bany\b/.test(code[i]!))).toEqual([])
  })

  it('ask for no package that a user may not have', async () => {
    const project = await projectWith({})
    const folder = join(project.folder, 'node_modules/fast-session/build/types')
    const imported = new Set<string>()
    for (const name of await readdir(folder, { recursive: true })) {
      if (!name.endsWith('.d.ts')) continue
      const text = (await readFile(join(folder, name), 'utf8')).replace(/\/\*\* @ts-ignore \*\/\n.*/g, '')
      for (const [, from] of text.matchAll(/(?:from|import\()\s*'([^'.][^']*)'/g)) imported.add(from!)
    }
    expect([...imported].filter((name) => !name.startsWith('node:'))).toEqual([])
  })
})
