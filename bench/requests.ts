/** The bytes of the benchmark's requests, and the check of what answers them. */
import cookieSignature from 'cookie-signature'
import { SessionStore } from 'fast-session'
import { SCENARIOS, type Scenario, SECRET, type SeededStore } from './contenders.js'
import { exampleSession } from './session-example.js'

/** How many visitors take turns, so that nothing is measured that only one session allows. */
const VISITORS = 64

/** The same ids in every contender: each gets the same bytes. */
const ids = Array.from({ length: VISITORS }, (_, i) => String(i).padStart(2, '0').padEnd(32, 'nAv3Xq'))

/** The session cookie of an id, as express-session writes it, and the package that is under test as well. */
export function cookieOf(id: string): string {
  return `connect.sid=${encodeURIComponent(`s:${cookieSignature.sign(id, SECRET)}`)}`
}

/** What a browser sends. */
export function requestsOf(scenario: Scenario): Buffer[] {
  return ids.map((id) => requestOf(scenario, id))
}

export function requestOf(scenario: Scenario, id: string): Buffer {
  const { path, visitor } = SCENARIOS[scenario]
  return Buffer.from(
    [
      `GET ${path} HTTP/1.1`,
      'Host: localhost:3000',
      'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      'Accept: text/html,application/xhtml+xml',
      'Accept-Language: en',
      'Accept-Encoding: gzip',
      'Connection: keep-alive',
      `Cookie: theme=dark; consent=2026-01-31${visitor === 'known' ? `; ${cookieOf(id)}` : ''}`,
      '\r\n',
    ].join('\r\n'),
  )
}

/** Empties the store and puts the visitors' sessions into it. */
export async function seed(store: SeededStore | undefined): Promise<void> {
  if (store === undefined) return
  await new Promise((resolve) => store.clear?.(resolve))
  await Promise.all(ids.map((id) => put(store, id, exampleSession())))
}

/** Stores a session under an id, with the cookie that its package stores at a login: ours keeps what differs only. */
export function put(store: SeededStore, id: string, data: object): Promise<void> {
  const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' }
  if (!(store instanceof SessionStore)) Object.assign(cookie, { sameSite: 'lax' })
  return new Promise((resolve, reject) =>
    store.set(id, { cookie, ...data }, (error) => (error ? reject(error) : resolve())),
  )
}

/** Throws unless every response is the one that the scenario asks for. `hasSessions`: a login sets a cookie. */
export function check(scenario: Scenario, responses: readonly string[], hasSessions: boolean): void {
  const { body } = SCENARIOS[scenario]
  const setsCookie = hasSessions && scenario === 'login'
  const cookies = new Set<string>()
  for (const response of responses) {
    const [head = '', ...rest] = response.split('\r\n\r\n')
    const cookie = /\r\nSet-Cookie: connect\.sid=(s%3A[^;]+);/.exec(head)?.[1]
    const isRight =
      head.startsWith('HTTP/1.1 200 OK\r\n') &&
      rest.join('').includes(body) &&
      (cookie !== undefined) === setsCookie &&
      (cookie === undefined || cookieSignature.unsign(decodeURIComponent(cookie).slice(2), SECRET) !== false)
    if (!isRight) throw new Error(`A wrong answer to "${scenario}":\n${response}`)
    if (cookie !== undefined) cookies.add(cookie)
  }
  if (setsCookie && cookies.size !== responses.length) throw new Error('Two logins got the same session.')
}
