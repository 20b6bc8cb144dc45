/**
 * Drives an HTTP server without a network: Node's own parser, requests and responses over sockets in memory. What is
 * left out are the system calls, which are most of a request and vary the most.
 */
import type { Server } from 'node:http'
import { Duplex } from 'node:stream'

/** How many connections have a request under way: enough that a turn of the event loop is not paid by one alone. */
const CONNECTIONS = 16

export interface Run {
  /** CPU time of the process for one request, us: wall time would count the machine's other work. */
  readonly cpu: number
  readonly responses: readonly string[]
}

export class InMemoryClient {
  readonly #sockets: MemorySocket[]

  constructor(server: Server) {
    this.#sockets = Array.from({ length: CONNECTIONS }, () => {
      const socket = new MemorySocket()
      server.emit('connection', socket)
      return socket
    })
  }

  /** Sends `count` requests, those of `requests` in turn, and keeps all connections busy until all are answered. */
  async run(requests: readonly Buffer[], count: number): Promise<Run> {
    const responses: string[] = []
    return { cpu: await this.drive(requests, count, (response) => responses.push(response)), responses }
  }

  /** As run, but hands each response to `take`, and so keeps none that would be work for the garbage collector. */
  async drive(
    requests: readonly Buffer[],
    count: number,
    take: (response: string) => unknown,
  ): Promise<number> {
    let answered = 0
    const taken = (response: string) => {
      answered++
      take(response)
    }
    for (const socket of this.#sockets) socket.onResponse = taken
    const before = process.cpuUsage()
    await new Promise<void>((resolve) => {
      let sent = 0
      const turn = () => {
        for (const socket of this.#sockets) {
          if (!socket.idle || sent === count) continue
          socket.idle = false
          socket.emit('data', requests[sent++ % requests.length])
        }
        if (answered < count) setImmediate(turn)
        else resolve()
      }
      turn()
    })
    const { user, system } = process.cpuUsage(before)
    return (user + system) / count
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

class MemorySocket extends Duplex {
  idle = true
  onResponse: (response: string) => void = () => {}
  #response = ''

  constructor() {
    super({ decodeStrings: false })
  }

  override _read(): void {}

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.#take(String(chunk))
    done()
  }

  override _writev(chunks: ReadonlyArray<{ chunk: string | Buffer }>, done: () => void): void {
    let text = ''
    for (const { chunk } of chunks) text += chunk
    this.#take(text)
    done()
  }

  #take(text: string): void {
    this.#response += text
    if (!isComplete(this.#response)) return
    const response = this.#response
    this.#response = ''
    this.onResponse(response)
    this.idle = true
  }
}

/** Whether the text is a whole response (RFC 9112, section 6.3), in the two forms that Node writes. */
function isComplete(response: string): boolean {
  const headersEnd = response.indexOf('\r\n\r\n')
  if (headersEnd === -1) return false
  const length = response.indexOf('Content-Length: ')
  if (length === -1) return response.endsWith('\r\n0\r\n\r\n')
  return response.length - headersEnd - 4 >= Number.parseInt(response.slice(length + 16, length + 24), 10)
}
