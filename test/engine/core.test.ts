import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { coreWith, ENGINES, SECRET } from './engines.ts'

const OTHER = 'another secret for tests, with more than 32 bytes'
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

describe.each(ENGINES)('a core on the engine %s', (engine) => {
  it('says which engine it runs on', () => {
    expect(coreWith(SECRET, engine).engine).toBe(engine)
  })

  it('signs with the first secret and verifies with all', () => {
    const before = coreWith(OTHER, engine)
    const rotated = coreWith([SECRET, OTHER, 'short'], engine)
    expect(rotated.sign('id')).toBe(coreWith(SECRET, engine).sign('id'))
    expect(rotated.verify(before.sign('id'))).toBe('id')
    expect(rotated.verify(coreWith('short', engine).sign('id'))).toBe('id')
    expect(before.verify(rotated.sign('id'))).toBe(false)
  })

  it('takes a secret in any form in which node:crypto takes a key', () => {
    const bytes = Buffer.from(SECRET)
    const inside = Buffer.concat([Buffer.alloc(8), bytes])
    const forms = [
      bytes,
      new DataView(inside.buffer, inside.byteOffset + 8, bytes.length),
      createSecretKey(bytes),
    ]
    const signed = coreWith(SECRET, engine).sign('id')
    expect(forms.map((form) => coreWith(form, engine).sign('id'))).toEqual(forms.map(() => signed))
  })

  it('refuses a signature in which any one character was changed', () => {
    const core = coreWith([OTHER, SECRET], engine)
    const signed = coreWith(SECRET, engine).sign('id')
    expect(core.verify(signed)).toBe('id')
    const accepted: string[] = []
    for (let at = 0; at < signed.length; at++) {
      for (const char of `${BASE64}=-_.\0é\u0141`) {
        const changed = signed.slice(0, at) + char + signed.slice(at + 1)
        if (changed !== signed && core.verify(changed) !== false) accepted.push(changed)
      }
    }
    expect(accepted).toEqual([])
  })

  it('refuses a signature that was cut or grew', () => {
    const core = coreWith(SECRET, engine)
    const signed = core.sign('id')
    for (let length = 0; length < signed.length; length++)
      expect(core.verify(signed.slice(0, length))).toBe(false)
    for (const char of BASE64) expect(core.verify(signed + char)).toBe(false)
  })

  it('goes on when a caller changes the bytes of a secret afterwards', () => {
    const secret = new TextEncoder().encode(SECRET)
    const core = coreWith(secret, engine)
    secret.fill(0)
    expect(core.sign('id')).toBe(coreWith(SECRET, engine).sign('id'))
  })

  it('leaves the bytes of a secret as they are', () => {
    const secret = new TextEncoder().encode(SECRET)
    coreWith(secret, engine).dispose()
    expect(new TextDecoder().decode(secret)).toBe(SECRET)
  })

  it('keeps 3000 cores apart that are used in turn, some of them disposed', () => {
    const cores = Array.from({ length: 3000 }, (_, n) => coreWith([`secret ${n}`, `old secret ${n}`], engine))
    const signed = cores.map((core, n) => core.sign(`id ${n}`))
    for (let n = 0; n < cores.length; n += 3) cores[n]!.dispose()
    const wrong = cores.filter((core, n) => {
      const expected = n % 3 === 0 ? false : `id ${n}`
      const neighbour = signed[(n + 1) % cores.length]!
      return core.verify(signed[n]!) !== expected || core.verify(neighbour) !== false
    })
    expect(wrong).toEqual([])
    expect(new Set(signed.map((text) => text.split('.')[1])).size).toBe(cores.length)
  })

  it('neither signs nor verifies once it is disposed, and leaves others with the same secret alone', () => {
    const core = coreWith(SECRET, engine)
    const other = coreWith(SECRET, engine)
    const signed = core.sign('id')
    core.dispose()
    core.dispose()
    expect(() => core.sign('id')).toThrow(expect.objectContaining({ code: 'ERR_SESSION_ENGINE' }))
    expect(core.verify(signed)).toBe(false)
    expect(other.sign('id')).toBe(signed)
    expect(other.verify(signed)).toBe('id')
  })

  it('verifies with no key of zeros once it is disposed', () => {
    const core = coreWith(SECRET, engine)
    core.sign('id')
    core.dispose()
    expect(core.verify(coreWith(new Uint8Array(64), engine).sign('id'))).toBe(false)
  })

  it('makes ids and hashes between signatures without mixing them up', () => {
    const core = coreWith(SECRET, engine)
    const signed = core.sign('id')
    const hash = core.hashId('id')
    for (let n = 0; n < 1000; n++) {
      core.newId()
      expect(core.hashId('id')).toBe(hash)
      expect(core.verify(signed)).toBe('id')
      expect(core.sign('id')).toBe(signed)
    }
  })

  it('answers false to what is no string, as no one signed it', () => {
    const core = coreWith(SECRET, engine)
    const values = [undefined, null, 0, {}, [], Symbol('s'), new Uint8Array(44)]
    expect(values.map((value) => core.verify(value as never))).toEqual(values.map(() => false))
  })

  it.each(['sign', 'hashId'] as const)('refuses to %s what is no string', (method) => {
    const core = coreWith(SECRET, engine)
    expect(() => core[method](undefined as never)).toThrow(`${method}() takes a string, not undefined`)
  })
})
