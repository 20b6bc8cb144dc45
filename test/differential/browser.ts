/** A visitor: keeps cookies as a browser does, sends requests over real connections, reports all that came back. */
import { RawConnection, type RawResponse } from './raw-client.ts'

export interface Visit {
  readonly method?: string
  readonly headers?: ReadonlyArray<readonly [name: string, value: string]>
  /** The whole Cookie header in place of the kept cookies; null for none. */
  readonly cookie?: string | null
  readonly body?: string
}

export interface Server {
  readonly port: number
  readonly tls: boolean
}

/** What a browser tells the one who records. */
export type Report = (response: RawResponse, server: Server) => void | Promise<void>

export class Browser {
  readonly #servers: readonly Server[]
  readonly #patience: (path: string) => number
  readonly #report: Report
  readonly #jar = new Map<string, string>()
  #server: Server

  constructor(servers: readonly [Server, ...Server[]], patience: (path: string) => number, report: Report) {
    this.#servers = servers
    this.#server = servers[0]
    this.#patience = patience
    this.#report = report
  }

  /** Another visitor, without this one's cookies. */
  another(): Browser {
    return new Browser([this.#server, ...this.#servers], this.#patience, this.#report)
  }

  /** Goes on at the other contender's server (in relay scenarios). */
  changeServer(): void {
    this.#server = this.#servers.find((server) => server !== this.#server) ?? this.#server
  }

  /** The raw value of a kept cookie. */
  cookie(name = 'connect.sid'): string {
    return this.#jar.get(name) ?? ''
  }

  keepCookie(value: string, name = 'connect.sid'): void {
    this.#jar.set(name, value)
  }

  forgetCookies(): void {
    this.#jar.clear()
  }

  /** One request on a connection of its own. */
  async visit(path = '/', visit: Visit = {}): Promise<RawResponse> {
    return (await this.open(path, visit)).response
  }

  /** As visit, but resolves once the request is on its way, so that a scenario can look at what comes when. */
  async open(path = '/', visit: Visit = {}): Promise<{ bytes(): number; response: Promise<RawResponse> }> {
    const connection = await this.connect()
    connection.send(Buffer.from(this.#request(path, visit, 'close'), 'latin1'))
    const response = this.#receive(connection, path, visit.method).finally(() => connection.close())
    return { bytes: () => connection.bytes, response }
  }

  /** Several requests on one connection, each sent when the one before is answered. */
  async keepAlive(visits: ReadonlyArray<readonly [path: string, visit?: Visit]>): Promise<void> {
    const connection = await this.connect()
    for (const [path, visit = {}] of visits) {
      connection.send(Buffer.from(this.#request(path, visit, 'keep-alive'), 'latin1'))
      await this.#receive(connection, path, visit.method)
    }
    connection.close()
  }

  /** Several requests in one go on one connection. */
  async pipeline(visits: ReadonlyArray<readonly [path: string, visit?: Visit]>): Promise<void> {
    const connection = await this.connect()
    connection.send(visits.map(([path, visit = {}]) => this.#request(path, visit, 'keep-alive')).join(''))
    for (const [path, visit] of visits) await this.#receive(connection, path, visit?.method)
    connection.close()
  }

  connect(): Promise<RawConnection> {
    return RawConnection.open(this.#server.port, this.#server.tls)
  }

  #request(path: string, { method = 'GET', headers = [], cookie, body }: Visit, connection: string): string {
    const kept = [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const sent = cookie === undefined ? kept : cookie
    const lines = [`${method} ${path} HTTP/1.1`, 'Host: localhost', `Connection: ${connection}`]
    if (sent) lines.push(`Cookie: ${sent}`)
    for (const [name, value] of headers) lines.push(`${name}: ${value}`)
    if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`)
    return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
  }

  async #receive(connection: RawConnection, path: string, method = 'GET'): Promise<RawResponse> {
    const response = await connection.response(method, this.#patience(path))
    for (const [name, value] of response.headers) {
      if (name.toLowerCase() === 'set-cookie') this.#keep(value)
    }
    await this.#report(response, this.#server)
    return response
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split('; ')
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals)
    const expires = attributes.find((attribute) => attribute.startsWith('Expires='))?.slice(8)
    if (expires !== undefined && Date.parse(expires) <= Date.now()) this.#jar.delete(name)
    else this.#jar.set(name, pair.slice(equals + 1))
  }
}
