/** Bundles of an application, by esbuild and Rollup: that they run, and what they leave out. */
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import commonjsPlugin from '@rollup/plugin-commonjs'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { build } from 'esbuild'
import { rollup } from 'rollup'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Project, pack } from './project.ts'

// Its types say that the function is a member of what is imported.
const commonjs = commonjsPlugin as unknown as typeof commonjsPlugin.default

let project: Project
/** Where the bundles run: `lmdb`, which is native, is all that is installed there. */
let elsewhere: Project

beforeAll(async () => {
  project = await Project.empty()
  elsewhere = await Project.empty()
  await elsewhere.link('lmdb')
  await project.link('express')
  await project.unpack(await pack())
  await cp(join(import.meta.dirname, 'app.mjs'), join(project.folder, 'app.mjs'))
  await cp(join(import.meta.dirname, 'express-app.mjs'), join(project.folder, 'express-app.mjs'))
  await project.write('store.mjs', `export { redisStore } from 'fast-session/redis'`)
  const required = await readFile(join(project.folder, 'app.mjs'), 'utf8')
  await project.write(
    'app.cjs',
    required.replaceAll(/^import (.+) from (.+)$/gm, (_, names, from) => `const ${names} = require(${from})`),
  )
})
afterAll(async () => {
  await project?.remove()
  await elsewhere?.remove()
})

type Format = 'esm' | 'cjs'
type Bundler = (entry: string, format: Format, minify?: boolean) => Promise<string>

const bundlers: Record<string, Bundler> = {
  async esbuild(entry, format, minify = false) {
    const outfile = join(elsewhere.folder, `esbuild-${entry}.${format === 'esm' ? 'mjs' : 'cjs'}`)
    const { warnings } = await build({
      entryPoints: [join(project.folder, entry)],
      outfile,
      bundle: true,
      format,
      minify,
      platform: 'node',
      // Express is CommonJS, and asks for modules of Node.js by `require`.
      banner: format === 'esm' && entry === 'express-app.mjs' ? { js: REQUIRE } : {},
      logLevel: 'silent',
    })
    for (const { text } of warnings) throw new Error(text)
    return outfile
  },
  async Rollup(entry, format) {
    const file = join(elsewhere.folder, `rollup-${entry}.${format === 'esm' ? 'mjs' : 'cjs'}`)
    const bundle = await rollup({
      input: join(project.folder, entry),
      plugins: [nodeResolve({ exportConditions: ['node'] }), commonjs()],
      external: (id) => id.startsWith('node:'),
      onwarn(warning) {
        throw new Error(warning.message)
      },
    })
    await bundle.write({ file, format, inlineDynamicImports: true })
    await bundle.close()
    return file
  },
}

const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)`

/** What the bundled application prints, where the package is not installed. */
async function answers(file: string): Promise<unknown> {
  const { code, output } = await elsewhere.run(process.execPath, file)
  if (code !== 0) throw new Error(output)
  return JSON.parse(output)
}

const EXPECTED = { engine: 'wasm', visits: ['1', '2'], verified: true }

describe.each(Object.entries(bundlers))('bundled by %s', (_, bundle) => {
  it.each<[string, string, Format]>([
    ['an ES module that imports the package runs as an ES module', 'app.mjs', 'esm'],
    ['an ES module that imports the package runs as CommonJS', 'app.mjs', 'cjs'],
    ['a CommonJS module that requires the package runs as CommonJS', 'app.cjs', 'cjs'],
  ])('%s', async (_, entry, format) => {
    expect(await answers(await bundle(entry, format))).toEqual(EXPECTED)
  })

  it('stores that are not imported are left out', async () => {
    const text = await readFile(await bundle('app.mjs', 'esm'), 'utf8')
    const stores = ['LmdbRecords', 'MongodbRecords', 'MysqlRecords', 'PostgresRecords', 'RedisRecords']
    expect(stores.filter((name) => text.includes(name))).toEqual([])
    expect(await readFile(await bundle('store.mjs', 'esm'), 'utf8')).toContain('RedisRecords')
  })

  it('a module that imports the core alone holds no middleware', async () => {
    await project.write(
      'core.mjs',
      `import { createCore } from 'fast-session/core'\nconsole.log(createCore({ secrets: 'x'.repeat(32) }).engine)`,
    )
    const text = await readFile(await bundle('core.mjs', 'esm'), 'utf8')
    expect(text).toContain('createCore')
    expect(text).not.toContain('SESSION_GONE')
    expect(text).not.toContain('connect.sid')
  })
})

it.each<Format>(['esm', 'cjs'])(
  'an app of Express with LMDB runs, bundled by esbuild with all but lmdb itself: %s',
  async (format) => {
    const file = await bundlers['esbuild']!('express-app.mjs', format)
    expect(await answers(file)).toEqual({ engine: 'wasm', visits: ['1', '2'], store: 'lmdb' })
    const text = await readFile(file, 'utf8')
    expect(['LmdbRecords', 'RedisRecords'].map((name) => text.includes(name))).toEqual([true, false])
  },
)

it('runs minified', async () => {
  expect(await answers(await bundlers['esbuild']!('app.mjs', 'esm', true))).toEqual(EXPECTED)
})
