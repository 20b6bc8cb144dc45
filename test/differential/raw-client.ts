/** An HTTP/1.1 client that hides nothing: raw header lines in order, framing, cut-off and missing answers. */
import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'

export interface RawResponse {
  readonly status: number
  readonly reason: string
  /** Name and value of every header line, as they came. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: Buffer
  /** `cut off`: the connection ended inside the response. `hangs`: no end within the client's patience. */
  readonly ending: 'complete' | 'cut off' | 'hangs'
}

export class RawConnection {
  readonly #socket: net.Socket
  #received = Buffer.alloc(0)
  #closed = false
  #bytes = 0

  private constructor(socket: net.Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.#bytes += chunk.length
      this.#received = Buffer.concat([this.#received, chunk])
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
    })
  }

  static async open(port: number, secure: boolean): Promise<RawConnection> {
    const socket = secure
      ? tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
      : net.connect({ host: '127.0.0.1', port })
    await once(socket, secure ? 'secureConnect' : 'connect')
    return new RawConnection(socket)
  }

  /** How many bytes have come so far. */
  get bytes(): number {
    return this.#bytes
  }

  send(bytes: string | Buffer): void {
    this.#socket.write(bytes)
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Reads the next response, the answer to a request with this method; gives up after `patience` ms. */
  async response(method: string, patience: number): Promise<RawResponse> {
    const deadline = Date.now() + patience
    let head: string | Ending
    do head = await this.#until('\r\n\r\n', deadline)
    while (typeof head === 'string' && head.startsWith('HTTP/1.1 1'))
    if (typeof head !== 'string') {
      return { status: 0, reason: '', headers: [], body: Buffer.alloc(0), ending: head.ending }
    }
    const [statusLine = '', ...lines] = head.split('\r\n')
    const [, status = '', reason = ''] = /^HTTP\/1\.1 (\d+) ?(.*)$/.exec(statusLine) ?? []
    const headers = lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
    })
    const bodyless = method === 'HEAD' || status === '204' || status === '304'
    const { body, ending } = bodyless
      ? { body: Buffer.alloc(0), ending: 'complete' as const }
      : await this.#body(headers, deadline)
    return { status: Number(status), reason, headers, body, ending }
  }

  async #body(
    headers: RawResponse['headers'],
    deadline: number,
  ): Promise<{ body: Buffer; ending: RawResponse['ending'] }> {
    const header = (wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1]
    const parts: Buffer[] = []
    const end = (ending: RawResponse['ending']) => ({ body: Buffer.concat(parts), ending })
    if (header('transfer-encoding') === 'chunked') {
      for (;;) {
        const size = await this.#until('\r\n', deadline)
        if (typeof size !== 'string') return end(size.ending)
        const chunk = await this.#take(Number.parseInt(size, 16) + 2, deadline)
        if (!Buffer.isBuffer(chunk)) return end(chunk.ending)
        if (chunk.length === 2) return end('complete')
        parts.push(chunk.subarray(0, -2))
      }
    }
    const length = header('content-length')
    const whole = await this.#take(length === undefined ? Number.POSITIVE_INFINITY : Number(length), deadline)
    if (Buffer.isBuffer(whole)) {
      parts.push(whole)
      return end('complete')
    }
    parts.push(this.#received)
    return end(length === undefined && whole.ending === 'cut off' ? 'complete' : whole.ending)
  }

  async #until(delimiter: string, deadline: number): Promise<string | Ending> {
    for (;;) {
      const at = this.#received.indexOf(delimiter)
      if (at !== -1) {
        const text = this.#received.subarray(0, at).toString('latin1')
        this.#received = this.#received.subarray(at + delimiter.length)
        return text
      }
      const ending = await this.#more(deadline)
      if (ending !== undefined) return ending
    }
  }

  async #take(length: number, deadline: number): Promise<Buffer | Ending> {
    while (this.#received.length < length) {
      const ending = await this.#more(deadline)
      if (ending !== undefined) return ending
    }
    const taken = this.#received.subarray(0, length)
    this.#received = this.#received.subarray(length)
    return taken
  }

  /** Waits for bytes; answers how the response ended if none will come. */
  async #more(deadline: number): Promise<Ending | undefined> {
    if (this.#closed) return { ending: 'cut off' }
    const before = this.#bytes
    const waiting = new AbortController()
    const timer = setTimeout(() => waiting.abort(), deadline - Date.now())
    try {
      await Promise.race([
        once(this.#socket, 'data', { signal: waiting.signal }),
        once(this.#socket, 'close', { signal: waiting.signal }),
      ])
    } catch {
      // Out of patience, or a reset connection: the socket's own state says which.
    } finally {
      clearTimeout(timer)
      waiting.abort()
    }
    if (this.#bytes > before) return undefined
    return this.#closed ? { ending: 'cut off' } : { ending: 'hangs' }
  }
}

interface Ending {
  readonly ending: 'cut off' | 'hangs'
}
