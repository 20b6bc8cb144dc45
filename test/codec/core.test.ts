import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { createCore, type SessionError } from 'fast-session/core'
import { describe, expect, it } from 'vitest'
import { engines } from './codecs.ts'

const secrets = 'a secret of more than thirty-two bytes'

describe.each(engines)('encode and decode of fast-session/core on the engine %s', (engine) => {
  const core = createCore({ secrets, engine })

  it('pass a value on', () => {
    const value = {
      user: 'zażółć',
      at: new Date(5),
      tags: new Set(['a']),
      bytes: new Uint8Array([1]),
      big: 5n,
    }
    expect(core.decode(core.encode(value))).toStrictEqual(value)
  })

  it('tell whether a value has changed', () => {
    const value = { views: 1, list: [1, 2] }
    const previous = core.encode(value)
    expect(core.encodeIfChanged({ views: 1, list: [1, 2] }, previous)).toBeUndefined()
    value.views++
    expect(core.encodeIfChanged(value, previous)).toStrictEqual(core.encode(value))
    expect(core.encodeIfChanged(null, previous)).toStrictEqual(core.encode(null))
  })

  it('work after dispose, for they use no secret', () => {
    const disposed = createCore({ secrets, engine })
    disposed.dispose()
    expect(disposed.decode(disposed.encode([1]))).toStrictEqual([1])
  })

  it('keep to maxBytes, and say whose fault it is', () => {
    const small = createCore({ secrets, engine, maxBytes: 64 })
    expect(small.encode('x'.repeat(62))).toHaveLength(64)
    expect(() => small.encode({ cart: { note: 'x'.repeat(62) } })).toThrow(
      /^"cart\.note" takes the session beyond 64 bytes/,
    )
    const large = createCore({ secrets, engine, maxBytes: 2 ** 22 })
    const list = Array.from({ length: 2 ** 18 }, (_, i) => i)
    expect(large.decode(large.encode(list))).toStrictEqual(list)
    expect(() => core.encode('x'.repeat(2 ** 20))).toThrow(/beyond 1048576 bytes/)
  })

  it('refuse a maxBytes that is no size, and bytes that are none', () => {
    for (const maxBytes of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => createCore({ secrets, engine, maxBytes })).toThrow(/"maxBytes" must be a positive integer/)
    }
    for (const bytes of ['text', [1], undefined, new ArrayBuffer(1)]) {
      let error: SessionError | undefined
      try {
        core.decode(bytes as unknown as Uint8Array)
      } catch (thrown) {
        error = thrown as SessionError
      }
      expect(error?.code).toBe('ERR_SESSION_OPTION')
    }
  })
})

describe('a restricted process', () => {
  const script = `
    import { createCore } from 'fast-session/core'
    const core = createCore({ secrets: '${secrets}' })
    const value = { a: 'zażółć'.repeat(50), list: Array.from({ length: 40 }, (_, i) => ({ i, even: i % 2 === 0 })) }
    for (let i = 0; i < 100; i++) {
      if (JSON.stringify(core.decode(core.encode(value))) !== JSON.stringify(value)) throw new Error('differs')
    }
    console.log(core.engine)
  `
  const run = async (...flags: string[]) => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...flags,
      '--input-type=module',
      '-e',
      script,
    ])
    return stdout.trim()
  }

  it('has the codec, with its kernels, where no code may be made from text', async () => {
    expect(await run('--disallow-code-generation-from-strings')).toBe('wasm')
  })

  it('has the codec where there is no Buffer', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      `globalThis.Buffer = undefined\n${script.replace('import {', 'const {').replace("} from 'fast-session/core'", "} = await import('fast-session/core')")}`,
    ])
    expect(stdout.trim()).toBe('wasm')
  })

  it('has the codec without WebAssembly', async () => {
    expect(await run('--jitless', '--no-warnings')).not.toBe('wasm')
  })
})

describe('the memory of the codec', () => {
  // Keys that never come again, in objects and places of their own: all that could be learned.
  const script = `
    import { createCore } from 'fast-session/core'
    const core = createCore({ secrets: '${secrets}' })
    const turns = (from, to) => {
      for (let i = from; i < to; i++) {
        const value = { ['key ' + i]: i, text: 'ż'.repeat(i % 500), deep: { ['other ' + i]: [{ [i]: 'x'.repeat(i % 3000) }] } }
        core.decode(core.encode(value))
      }
    }
    const used = () => {
      gc()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return heapUsed + arrayBuffers
    }
    turns(0, 20_000)
    const before = used()
    turns(20_000, 100_000)
    console.log(used() - before)
  `

  it('does not grow with use', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--expose-gc',
      '--input-type=module',
      '-e',
      script,
    ])
    expect(Number(stdout)).toBeLessThan(2 ** 21)
  })
})
