import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fastSession from 'fast-session'
import { createCore } from 'fast-session/core'
import { describe, expect, it } from 'vitest'
import { ENGINES, SECRET } from './engines.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const wasm = await readFile(createRequire(import.meta.url).resolve('fast-session/core.wasm'))

interface ModuleExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly KEY: { readonly value: number }
  readonly KEY_SIZE: { readonly value: number }
}

/** No type library but the browser's has it. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    Instance: new (...args: unknown[]) => { exports: ModuleExports }
    Module: (new (
      bytes: Uint8Array,
    ) => object) & {
      imports(module: object): object[]
      exports(module: object): Array<{ name: string; kind: string }>
    }
  }
}

/** Runs a script in a process of its own; answers what it printed, on both streams. */
async function run(script: string, ...flags: string[]) {
  return promisify(execFile)(process.execPath, [...flags, '--input-type=module', '--eval', script], {
    cwd: root,
  })
}

const printEngine = `
  const { createCore } = await import('fast-session/core')
  const core = createCore({ secrets: '${SECRET}' })
  console.log(core.engine, core.verify(core.sign(core.newId())) !== false)`

describe('the choice of an engine', () => {
  it('falls on WebAssembly where there is nothing against it', () => {
    expect(createCore({ secrets: SECRET }).engine).toBe('wasm')
    expect(createCore({ secrets: SECRET, engine: 'auto' }).engine).toBe('wasm')
  })

  it.each(ENGINES)('falls on %s when that is asked for', (engine) => {
    expect(createCore({ secrets: SECRET, engine }).engine).toBe(engine)
  })

  it('falls on node:crypto without a word where there is no WebAssembly', async () => {
    const { stdout, stderr } = await run(printEngine, '--jitless')
    expect(stdout.trim().split('\n').at(-1)).toBe('node true')
    expect(stderr).not.toMatch(/session|core|Error/i)
  })

  it('falls on node:crypto where WebAssembly must not be compiled from bytes', async () => {
    const { stdout } = await run(
      `WebAssembly.Module = class { constructor() { throw new WebAssembly.CompileError('disallowed') } }${printEngine}`,
    )
    expect(stdout.trim()).toBe('node true')
  })

  it('falls on plain JavaScript where there is neither WebAssembly nor node:crypto', async () => {
    const { stdout, stderr } = await run(
      `delete globalThis.WebAssembly; delete process.getBuiltinModule${printEngine}`,
    )
    expect(stdout.trim()).toBe('js true')
    expect(stderr).toBe('')
  })

  it('falls on the next engine when one makes wrong signatures', async () => {
    const { stdout } = await run(`
      const { Instance } = WebAssembly
      WebAssembly.Instance = class {
        constructor(...args) {
          const { exports } = new Instance(...args)
          this.exports = { ...exports, sign() {}, verify: () => 1 }
        }
      }${printEngine}`)
    expect(stdout.trim()).toBe('node true')
  })

  it('falls on the next engine when the given module is another one', () => {
    const empty = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
    expect(createCore({ secrets: SECRET, module: empty }).engine).toBe('node')
    expect(() => createCore({ secrets: SECRET, engine: 'wasm', module: empty })).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_ENGINE' }),
    )
  })

  it('takes a module that the user compiled', () => {
    const core = createCore({ secrets: SECRET, engine: 'wasm', module: new WebAssembly.Module(wasm) })
    expect(core.sign('id')).toBe(createCore({ secrets: SECRET }).sign('id'))
  })

  it.each([
    ['wasm', '--jitless', 'no WebAssembly'],
    ['node', '--no-warnings', 'no node:crypto'],
  ])('says why %s cannot run, when it was asked for by name', async (engine, flag, why) => {
    const { stdout } = await run(
      `if ('${engine}' === 'node') delete process.getBuiltinModule
      const { createCore } = await import('fast-session/core')
      try { createCore({ secrets: '${SECRET}', engine: '${engine}' }) }
      catch (error) { console.log(error.name, error.code, error.message) }`,
      flag,
    )
    const message = stdout.trim().split('\n').at(-1)
    expect(message).toMatch(`SessionError ERR_SESSION_ENGINE engine '${engine}' can't run here`)
    expect(message).toContain(why)
    expect(message).toContain('leave the option "engine" out')
  })

  it.each(['WASM', '', 'constructor', null, 1, {}])('refuses %j, which names no engine', (engine) => {
    expect(() => createCore({ secrets: SECRET, engine: engine as never })).toThrow(
      expect.objectContaining({
        code: 'ERR_SESSION_OPTION',
        message: `"engine" must be 'auto', 'wasm', 'node' or 'js'.`,
      }),
    )
  })
})

describe('the WebAssembly module', () => {
  it('is smaller than 16 KB', () => {
    expect(wasm.length).toBeLessThan(16 * 1024)
  })

  it('keeps neither a secret nor the bytes of an id, and no key once its core is disposed', () => {
    const { Instance } = WebAssembly
    let exports: ModuleExports | undefined
    WebAssembly.Instance = class extends Instance {
      constructor(...args: unknown[]) {
        super(...args)
        exports = this.exports
      }
    }
    const long = SECRET.repeat(100)
    const core = createCore({ secrets: [SECRET, long], engine: 'wasm', module: new WebAssembly.Module(wasm) })
    WebAssembly.Instance = Instance
    const { memory, KEY, KEY_SIZE } = exports!
    const bytes = Buffer.from(memory.buffer)
    const key = bytes.subarray(KEY.value, KEY.value + KEY_SIZE.value)
    const masked = (mask: number) => Buffer.from(Buffer.from(SECRET).map((byte) => byte ^ mask))

    core.sign('id')
    const id = Buffer.from(core.newId(), 'base64url')
    expect([SECRET, masked(0x36), masked(0x5c), id].map((trace) => bytes.indexOf(trace))).toEqual([
      -1, -1, -1, -1,
    ])
    expect(key.some((byte) => byte !== 0)).toBe(true)
    core.dispose()
    expect(key.every((byte) => byte === 0)).toBe(true)
  })

  it('can be passed to the middleware, compiled', () => {
    const { Module } = WebAssembly
    const module = new Module(wasm)
    WebAssembly.Module = class extends Module {
      constructor(bytes: Uint8Array) {
        super(bytes)
        throw new Error('compiling from bytes is forbidden here')
      }
    }
    const { engine } = fastSession({ secret: SECRET, engine: 'wasm', module })
    WebAssembly.Module = Module
    expect(engine).toBe('wasm')
  })

  it('imports nothing', () => {
    expect(WebAssembly.Module.imports(new WebAssembly.Module(wasm))).toEqual([])
  })
})

describe('fast-session/core', () => {
  it('imports no module of Node, so that it bundles for any runtime', async () => {
    const files = [import.meta.resolve('fast-session/core')]
    const specifiers: string[] = []
    for (const file of files) {
      const source = await readFile(fileURLToPath(file), 'utf8')
      for (const [, specifier] of source.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)) {
        specifiers.push(specifier!)
        const imported = new URL(specifier!, file).href
        if (specifier!.startsWith('.') && !files.includes(imported)) files.push(imported)
      }
    }
    expect(specifiers.length).toBeGreaterThan(0)
    expect(specifiers.filter((specifier) => specifier.startsWith('node:'))).toEqual([])
  })
})
