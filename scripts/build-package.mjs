// Makes of src/ what users load from build/: for each entry of `exports` in package.json a bundle, a face for
// `require`, and declarations for both.
//
// - Bundles, because Node.js takes 0.6 ms of every start for a module, and src/ has sixty. The few packages that it
//   uses are part of them; their licences are in build/THIRD-PARTY-LICENSES.
// - Declarations in build/types, as CommonJS, which TypeScript lets both kinds of modules import. So a session is of
//   one type, whether an ES module or a CommonJS module has imported the package.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../', import.meta.url))
const target = join(root, 'build')
const stamp = join(target, '.sources')
const { exports, imports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
const generated = Object.values(imports).map((conditions) => basename(conditions.default))
const entries = Object.entries(exports)
  .filter(([, conditions]) => conditions.require !== undefined)
  .map(([path]) => path.slice(2) || 'index')

/** `from './session.ts'`: only compilers that were told so accept such a name. */
const OWN_IMPORT = /((?:\bfrom |\bimport\()['"]\.[^'"]*)\.ts(['"])/g
/** `export { fastSession as 'module.exports' }`: compilers before 5.6 don't know such names, and index.d.cts says it. */
const NAMED_FOR_REQUIRE = /^export \{ \w+ as 'module\.exports' \};\n/m
/** Node.js answers with the export named `module.exports`; bundlers do with all of them. */
const REQUIRED = "const all = require('./index.js')\nmodule.exports = all.fastSession ?? all\n"

/** For runtimes and bundlers that compile ahead of time what is imported. */
const CORE_WASM =
  '/** The WebAssembly.Module, for the option `module`. */\ndeclare const module: object\nexport = module\n'

const sources = await fingerprint()
if (sources !== (await readFile(stamp, 'utf8').catch(() => undefined))) {
  const types = await declarations()
  const files = new Map([...(await bundles()), ...faces(), ...types.files])
  for (const [name, contents] of files) await replace(name, contents)
  await removeOthers(files)
  if (types.correct) await writeFile(stamp, sources)
  else process.exitCode = 1
}

/** Changes whenever a file could: with the sources, the packages and this script. */
async function fingerprint() {
  const src = await readdir(join(root, 'src'), { recursive: true })
  const inputs = [
    'scripts/build-package.mjs',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    ...generated.map((name) => `build/${name}`),
    ...src.filter((name) => name.endsWith('.ts')).map((name) => `src/${name}`),
  ]
  const hash = createHash('sha256')
  for (const name of inputs.sort()) hash.update(name).update(await readFile(join(root, name)))
  return hash.digest('hex')
}

async function bundles() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries.map((name) => `src/${name}.ts`),
    outdir: 'build',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['node:*', 'lmdb'],
    target: 'node20.19',
    legalComments: 'none',
    metafile: true,
    write: false,
  })
  // No chunk does anything when it is loaded: importing one for nothing makes other bundlers warn.
  const files = outputFiles.map(({ path, text }) => [
    basename(path),
    text.replace(/^import "\.\/chunk-\w+\.js";\n/gm, ''),
  ])
  // An entry that is there before the chunks it imports would fail whoever starts at this moment.
  files.sort(([a], [b]) => Number(b.startsWith('chunk-')) - Number(a.startsWith('chunk-')))
  return [...files, ['THIRD-PARTY-LICENSES', await licences(Object.keys(metafile.inputs))]]
}

/** The licence of every package that the bundles hold code of. */
async function licences(inputs) {
  const packages = new Set(inputs.map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]))
  packages.delete(undefined)
  const texts = []
  for (const name of [...packages].sort()) {
    const folder = join(root, 'node_modules', name)
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    const file = (await readdir(folder)).find((file) => /^licen[cs]e/i.test(file))
    if (file === undefined) throw new Error(`${name} is bundled, but comes without its licence.`)
    texts.push(`${name} ${version}\n\n${(await readFile(join(folder, file), 'utf8')).trim()}\n`)
  }
  return `The files beside this one hold code of these packages.\n\n${texts.join('\n---\n\n')}`
}

async function declarations() {
  const out = await mkdtemp(join(tmpdir(), 'declarations-'))
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', out]
    const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
    const files = [['types/package.json', '{ "type": "commonjs" }\n']]
    for (const name of await readdir(out, { recursive: true })) {
      if (!name.endsWith('.d.ts')) continue
      const text = await readFile(join(out, name), 'utf8')
      files.push([`types/${name}`, text.replaceAll(OWN_IMPORT, '$1.js$2').replace(NAMED_FOR_REQUIRE, '')])
    }
    return { files, correct: status === 0 }
  } finally {
    await rm(out, { recursive: true })
  }
}

/** What leads from an entry of package.json to the declarations, and from `require` to the bundle. */
function faces() {
  const files = entries.flatMap((name) => {
    const all = `export * from './types/${name}.js'\n`
    return [
      [`${name}.cjs`, name === 'index' ? REQUIRED : `module.exports = require('./${name}.js')\n`],
      [`${name}.d.cts`, all],
      [`${name}.d.ts`, all + byDefault(name)],
    ]
  })
  // `require` answers with the function itself.
  files.push(['index.d.cts', "import { fastSession } from './types/index.js'\nexport = fastSession\n"])
  files.push(['core.wasm.d.cts', CORE_WASM])
  return files
}

function byDefault(name) {
  const exported = { index: 'fastSession', flash: 'flash' }[name]
  return exported === undefined ? '' : `export { ${exported} as default } from './types/${name}.js'\n`
}

/** Puts a file into its place at once: others may be starting from build/ at this moment. */
async function replace(name, contents) {
  const file = join(target, name)
  if ((await readFile(file, 'utf8').catch(() => undefined)) === contents) return
  const next = `${file}.${process.pid}.next`
  await mkdir(dirname(file), { recursive: true })
  await writeFile(next, contents)
  await rename(next, file)
}

/** Scripts and declarations of earlier builds. */
async function removeOthers(files) {
  const kept = new Set([
    ...files.keys(),
    ...generated,
    ...generated.map((name) => name.replace('.js', '.d.ts')),
  ])
  for (const name of await readdir(target, { recursive: true })) {
    const ours = /\.(c?js|d\.c?ts)$/.test(name) && !/^(bench|test)\b/.test(name)
    if (ours && !kept.has(name)) await rm(join(target, name), { force: true })
  }
}
