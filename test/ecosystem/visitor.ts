/** A visitor of a test app: fetch with a cookie jar that follows no redirects on its own. */
import http, { type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'

const open: http.Server[] = []

afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** Serves an app until the test is over, and gives its origin. */
export async function serve(
  app: RequestListener,
  server: http.Server = http.createServer(),
): Promise<string> {
  server.on('request', app)
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export class Visitor {
  readonly origin: string
  readonly cookies = new Map<string, string>()

  constructor(origin: string) {
    this.origin = origin
  }

  /** The session id in the kept cookie. */
  get sid(): string {
    return /^s%3A(.+?)\./.exec(this.cookies.get('connect.sid') ?? '')?.[1] ?? ''
  }

  get cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#send(path, { headers })
  }

  async post(path: string, headers: Record<string, string> = {}, body?: URLSearchParams): Promise<Answer> {
    return this.#send(path, { method: 'POST', headers, ...(body ? { body } : {}) })
  }

  async #send(
    path: string,
    { headers, ...init }: RequestInit & { headers: Record<string, string> },
  ): Promise<Answer> {
    const cookie = this.cookieHeader
    const response = await fetch(this.origin + path, {
      ...init,
      redirect: 'manual',
      headers: { ...(cookie ? { cookie } : {}), ...headers },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      this.cookies.set(name, value)
    }
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}
