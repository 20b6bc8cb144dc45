/** A cookie that was verified is remembered; nothing else may pass for it. */
import type { AddressInfo } from 'node:net'
import { sign } from 'cookie-signature'
import express, { type Express, type Request } from 'express'
import fastSession from 'fast-session'
import { expect, it, onTestFinished } from 'vitest'

const SECRET = 'the secret that signs what is remembered here'
const NEXT_SECRET = 'the secret that takes its place while it runs'

interface Parsed extends Request {
  secret?: string
  signedCookies: Record<string, string>
}

const signed = (id: string, secret = SECRET) => encodeURIComponent(`s:${sign(id, secret)}`)

/** Who the visitor with a cookie is; the names are given by `/login/NAME`, which answers the cookie. */
async function serve(app: Express) {
  app.get('/login/:name', (req, res) => {
    ;(req.session as { name?: unknown }).name = req.params.name
    res.send(req.sessionID)
  })
  app.get('/', (req, res) => res.send((req.session as { name?: string }).name ?? 'a stranger'))
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.on('listening', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const get = async (path: string, cookie: string, headers = {}) => {
    const answer = await fetch(origin + path, { headers: { cookie: `connect.sid=${cookie}`, ...headers } })
    return answer.text()
  }
  return {
    login: () => get('/login/ann', ''),
    who: (cookie: string, headers = {}) => get('/', cookie, headers),
  }
}

it('takes no cookie that differs in one character for one that it has seen', async () => {
  const { login, who } = await serve(express().use(fastSession({ secret: SECRET })))
  const cookie = signed(await login())
  expect([await who(cookie), await who(cookie)]).toEqual(['ann', 'ann'])
  const mutants = Array.from(
    cookie,
    (character, at) => cookie.slice(0, at) + (character === 'A' ? 'B' : 'A') + cookie.slice(at + 1),
  )
  expect(new Set(await Promise.all(mutants.map((mutant) => who(mutant))))).toEqual(new Set(['a stranger']))
  expect(await who(cookie)).toBe('ann')
})

it('forgets with the secret what the secret has verified', async () => {
  let secret = SECRET
  const app = express().use((req, _res, next) => {
    ;(req as Parsed).secret = secret
    next()
  })
  const { login, who } = await serve(app.use(fastSession()))
  const id = await login()
  const cookie = signed(id)
  expect([await who(cookie), await who(cookie)]).toEqual(['ann', 'ann'])
  secret = NEXT_SECRET
  expect([await who(cookie), await who(signed(id, NEXT_SECRET))]).toEqual(['a stranger', 'ann'])
  secret = SECRET
  expect(await who(cookie)).toBe('ann')
})

it('does not remember an unsigned cookie by the id that came with it otherwise', async () => {
  let id = ''
  const app = express().use((req, _res, next) => {
    if (req.headers['x-parsed']) (req as Parsed).signedCookies = { 'connect.sid': id }
    next()
  })
  const { login, who } = await serve(app.use(fastSession({ secret: SECRET })))
  id = await login()
  const parsed = { 'x-parsed': 'yes' }
  expect([await who('unsigned', parsed), await who('unsigned', parsed)]).toEqual(['ann', 'ann'])
  expect(await who('unsigned')).toBe('a stranger')
})
