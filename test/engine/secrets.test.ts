import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runInNewContext } from 'node:vm'
import { createCore, SessionError } from 'fast-session/core'
import { describe, expect, it } from 'vitest'
import { SECRET } from './engines.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const COMMAND = `node -e "console.log(require('node:crypto').randomBytes(32).toString('base64url'))"`

describe('the secrets of a core', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a number', 1],
    ['an empty string', ''],
    ['no bytes', new Uint8Array(0)],
    ['an empty list', []],
    ['a list with a hole', [SECRET, undefined]],
    ['a list with an empty string', [SECRET, '']],
    ['a list in a list', [[SECRET]]],
    ['an object', { length: 40 }],
  ])('may not be %s; the message names the option and the command that makes one', (_, secrets) => {
    expect(() => createCore({ secrets: secrets as never, allowWeakSecret: true })).toThrow(
      expect.objectContaining({
        name: 'SessionError',
        code: 'ERR_SESSION_OPTION',
        message: expect.stringMatching(/^"secrets" .*node:crypto/),
      }),
    )
  })

  it('may not be shorter than 32 bytes where they sign', () => {
    for (const secrets of ['x'.repeat(31), new Uint8Array(31), ['short', SECRET], 'é'.repeat(15)]) {
      expect(() => createCore({ secrets })).toThrow(
        expect.objectContaining({
          code: 'ERR_SESSION_WEAK_SECRET',
          message: expect.stringContaining(COMMAND),
        }),
      )
    }
  })

  it('are long enough with 32 bytes, whatever their characters', () => {
    for (const secrets of ['x'.repeat(32), 'é'.repeat(16), new Uint8Array(32), [SECRET, 'short']]) {
      expect(createCore({ secrets }).engine).toBe('wasm')
    }
  })

  it('may be a Buffer, and bytes of another realm', () => {
    const signed = createCore({ secrets: SECRET }).sign('id')
    const foreign = runInNewContext('new Uint8Array(bytes)', {
      bytes: [...Buffer.from(SECRET)],
    }) as Uint8Array
    expect(createCore({ secrets: Buffer.from(SECRET) }).verify(signed)).toBe('id')
    expect(createCore({ secrets: foreign }).verify(signed)).toBe('id')
  })

  it("are the caller's list no longer: changing it changes nothing", () => {
    const secrets = [SECRET]
    const core = createCore({ secrets })
    const signed = core.sign('id')
    secrets[0] = 'another secret for tests, with more than 32 bytes'
    secrets.push('short')
    expect(core.sign('id')).toBe(signed)
  })

  it('warn once in a process when they are short and that is allowed', async () => {
    const script = `
      import { createCore } from 'fast-session/core'
      process.on('warning', ({ name, code, message }) => console.log(JSON.stringify({ name, code, message })))
      for (let n = 0; n < 3; n++) createCore({ secrets: 'short', allowWeakSecret: true })
      createCore({ secrets: 'x'.repeat(32), allowWeakSecret: true })`
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      {
        cwd: root,
      },
    )
    const [warning, ...others] = stdout.trim().split('\n')
    expect(others).toEqual([])
    expect(JSON.parse(warning!)).toEqual({
      name: 'SessionWarning',
      code: 'ERR_SESSION_WEAK_SECRET',
      message: `"secrets" has 5 bytes, short enough to be guessed; it needs 32. Make one with: ${COMMAND}`,
    })
  })
})

describe('the options of a core', () => {
  it.each([undefined, null, SECRET, 1])('may not be %j instead of an object', (options) => {
    expect(() => createCore(options as never)).toThrow(SessionError)
  })

  it('may not have a word for allowWeakSecret', () => {
    expect(() => createCore({ secrets: SECRET, allowWeakSecret: 'no' as never })).toThrow(
      '"allowWeakSecret" must be true or false.',
    )
  })
})
