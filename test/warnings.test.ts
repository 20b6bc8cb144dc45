/** What tells people why a cookie does not work: a process warning with a stable code, once for each reason. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import express from 'express'
import fastSession, { type SessionOptions } from 'fast-session'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const warnings: Array<{ code: string; message: string }> = []
const collect = (warning: Error & { code?: string }) => {
  if (warning.name === 'SessionWarning') warnings.push({ code: warning.code ?? '', message: warning.message })
}

async function login(
  options: Partial<SessionOptions>,
  headers: Record<string, string> = {},
): Promise<string[]> {
  const app = express()
  app.use(fastSession({ secret: 'a secret of more than thirty-two bytes', ...options }))
  app.get('/', (req, res) => {
    Object.assign(req.session, { user: 'ada' })
    res.end()
  })
  const server = app.listen(0)
  await once(server, 'listening')
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { headers })
  server.close()
  await turn()
  return response.headers.getSetCookie()
}

const told = (code: string) => warnings.filter((warning) => warning.code === code)

describe('a process warning', () => {
  beforeAll(() => process.on('warning', collect))
  afterAll(() => process.off('warning', collect))

  it('says, once, that a Secure cookie does not go out by plain HTTP', async () => {
    expect(await login({ cookie: { secure: true } })).toEqual([])
    expect(await login({ cookie: { secure: true } })).toEqual([])
    expect(told('SESSION_COOKIE_INSECURE')).toEqual([
      {
        code: 'SESSION_COOKIE_INSECURE',
        message: expect.stringMatching(/connect\.sid.*not set.*plain HTTP/),
      },
    ])
  })

  it('names the line to add when the proxy that ends HTTPS is not trusted', async () => {
    expect(await login({ cookie: { secure: true } }, { 'X-Forwarded-Proto': 'https' })).toEqual([])
    expect(told('SESSION_PROXY_UNTRUSTED')).toEqual([
      { code: 'SESSION_PROXY_UNTRUSTED', message: expect.stringContaining("app.set('trust proxy', 1)") },
    ])
  })

  it("says that browsers drop a cookie with sameSite 'none' that is not Secure", async () => {
    expect(await login({ cookie: { sameSite: 'none' } })).toEqual([expect.stringContaining('SameSite=None')])
    expect(told('SESSION_COOKIE_SAMESITE')).toHaveLength(1)
  })

  it('says at construction that browsers drop a __Host- cookie with a Domain', () => {
    fastSession({
      secret: 'a secret of more than thirty-two bytes',
      name: '__Host-id',
      cookie: { domain: 'example.com' },
    })
    return turn().then(() => {
      expect(told('SESSION_COOKIE_PREFIX')).toEqual([
        { code: 'SESSION_COOKIE_PREFIX', message: expect.stringContaining('__Host-id') },
      ])
    })
  })

  it('says in production that sessions are kept in the memory of the process', async () => {
    const { NODE_ENV } = process.env
    process.env['NODE_ENV'] = 'production'
    fastSession({ secret: 'a secret of more than thirty-two bytes' })
    process.env['NODE_ENV'] = NODE_ENV
    await turn()
    expect(told('SESSION_MEMORY_STORE')).toHaveLength(1)
  })

  it('stays away where everything works', async () => {
    const before = warnings.length
    expect(await login({})).toHaveLength(1)
    expect(warnings).toHaveLength(before)
  })
})
