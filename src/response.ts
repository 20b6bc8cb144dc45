/**
 * Holds a response back until its session is stored.
 *
 * Whatever produces the response's headers first (`end`, `write`, `writeHead`, `flushHeaders`) starts the commit.
 * A store that answers at once costs no more than that. Otherwise the calls wait in a queue and are made, in their
 * order, when the store has answered; if it fails, nothing has left yet, and `next(error)` answers with a real 500.
 */
import { commit } from './commit.ts'
import { type Exchange, type ExchangeResponse, kGate } from './exchange.ts'
import { andThen, isPromise } from './maybe-promise.ts'
import { hasNodesMessages } from './runtime.ts'
import { sessionCookie } from './session-cookie.ts'
import type { MaybePromise } from './stores/store.ts'

/** Nothing was produced yet. */
const OPEN = 0
/** A commit is under way; calls are queued. */
const HELD = 1
/** The headers were passed on; the end is still to come. */
const STREAMING = 2
/** The response ended; whatever else is called is between its caller and Node. */
const RELEASED = 3
/** The store failed. What the handler still says is dropped: it is not to be believed. */
const FAILED = 4
/** The store failed, and an error handler answers. Once it has, what the handler says is dropped again. */
const ANSWERING = 5

type Phase = typeof OPEN | typeof HELD | typeof STREAMING | typeof RELEASED | typeof FAILED | typeof ANSWERING

type Method = 'end' | 'write' | 'writeHead' | 'flushHeaders'

/** What changes headers, and is refused while a response is held. */
const LOCKED = ['setHeader', 'appendHeader', 'setHeaders', 'removeHeader'] as const

/** Any of a response's methods, called with the arguments as they came. */
type Original = (this: ExchangeResponse, ...args: unknown[]) => unknown

type Calls = Array<readonly [method: Method, args: unknown[]]>

/** Shared by all that never wait. */
const NO_CALLS: Calls = []

/** What stands between a response and its socket: the methods it had before, and the calls that wait. */
export class Gate {
  readonly exchanges: Exchange[]
  readonly end: Original
  readonly write: Original
  readonly writeHead: Original
  readonly flushHeaders: Original
  phase: Phase = OPEN
  /** The phase that is held. */
  heldFrom: Phase = OPEN
  /** While it is held: the calls that wait. */
  queue: Calls = NO_CALLS
  /** Whether the response has HELD_HEAD for its head. */
  headIsHeld = false
  /** Once the response was held: its methods that change headers. */
  unlocked: Partial<Record<(typeof LOCKED)[number], Original>> | undefined = undefined
  /** Where a response has a `headersSent` of its own, as stand-ins for tests do: what it says. */
  headersSent: unknown = undefined

  constructor(exchange: Exchange, res: ExchangeResponse) {
    this.exchanges = [exchange]
    this.end = res.end as unknown as Original
    this.write = res.write as unknown as Original
    this.writeHead = res.writeHead as unknown as Original
    this.flushHeaders = res.flushHeaders as unknown as Original
  }
}

/** From now on the response waits for the session. A stand-in without methods (a WebSocket upgrade) is left alone. */
export function guardResponse(exchange: Exchange): void {
  const { res } = exchange
  if (typeof res?.end !== 'function') return
  const gate = res[kGate]
  if (gate === undefined) {
    res[kGate] = new Gate(exchange, res)
    res.end = end as typeof res.end
    res.write = write as typeof res.write
    res.writeHead = writeHead as typeof res.writeHead
    res.flushHeaders = flushHeaders
  } else {
    gate.exchanges.push(exchange)
  }
}

function end(this: ExchangeResponse, ...args: unknown[]): unknown {
  const gate = this[kGate] as Gate
  // Another body after the end would be an error that ends the process; express-session leaves it out as well.
  if (gate.phase === RELEASED)
    return gate.end.apply(this, this.writableEnded ? args.filter(isCallback) : args)
  if (gate.phase === FAILED) return this
  if (gate.phase === ANSWERING) {
    const ended = gate.end.apply(this, args)
    gate.phase = FAILED
    return ended
  }
  if (gate.phase === HELD) {
    if (!isEnding(gate)) gate.queue.push(['end', args])
    return this
  }
  return pass(gate, this, 'end', args) ?? this
}

function write(this: ExchangeResponse, ...args: unknown[]): unknown {
  const gate = this[kGate] as Gate
  if (gate.phase === FAILED) return false
  // What is no chunk is refused by the original, at once.
  if (!isChunk(args[0])) return gate.write.apply(this, args)
  if (gate.phase === HELD) {
    if (!isEnding(gate)) gate.queue.push(['write', args])
    return false
  }
  if (gate.phase === RELEASED && this.writableEnded) return false
  if (gate.phase !== OPEN) return gate.write.apply(this, args)
  return pass(gate, this, 'write', args) ?? false
}

function writeHead(this: ExchangeResponse, ...args: unknown[]): unknown {
  const gate = this[kGate] as Gate
  if (gate.phase === HELD) refuse()
  if (gate.phase === FAILED) return this
  if (gate.phase !== OPEN) return gate.writeHead.apply(this, args)
  return pass(gate, this, 'writeHead', args) ?? this
}

function flushHeaders(this: ExchangeResponse): void {
  const gate = this[kGate] as Gate
  if (gate.phase === HELD) gate.queue.push(['flushHeaders', []])
  else if (gate.phase === OPEN) pass(gate, this, 'flushHeaders', [])
  else if (gate.phase !== FAILED) gate.flushHeaders.call(this)
}

/** Commits, and makes the call: now, and answers what it answered; or later, and answers undefined. */
function pass(gate: Gate, res: ExchangeResponse, method: Method, args: unknown[]): unknown {
  let pending: MaybePromise<void>
  try {
    pending = commitFrom(gate.exchanges, 0)
    if (!isPromise(pending)) addCookies(gate, res, method, args)
  } catch (error) {
    fail(gate, res, error)
    return undefined
  }
  if (isPromise(pending)) {
    hold(gate, res, [method, args], pending)
    return undefined
  }
  gate.phase = method === 'end' ? RELEASED : STREAMING
  return gate[method].apply(res, args)
}

/** One after the other: two session middlewares may share a store. */
function commitFrom(exchanges: readonly Exchange[], first: number): MaybePromise<void> {
  const done = commit(exchanges[first] as Exchange)
  if (first + 1 === exchanges.length) return done
  return andThen(done, () => commitFrom(exchanges, first + 1))
}

function hold(gate: Gate, res: ExchangeResponse, first: Calls[number], pending: Promise<void>): void {
  const { statusCode } = res
  // Not read where it is no property of the response's own: HTTP/2 has none, and warns.
  const statusMessage = Object.hasOwn(res, 'statusMessage') ? res.statusMessage : undefined
  gate.heldFrom = gate.phase
  gate.phase = HELD
  gate.queue = [first]
  lock(gate, res)
  pending.then(
    () => {
      gate.phase = gate.heldFrom
      unlock(gate, res)
      res.statusCode = statusCode
      if (Object.hasOwn(res, 'statusMessage')) res.statusMessage = statusMessage as string
      try {
        release(gate, res)
      } catch (error) {
        fail(gate, res, error)
      }
    },
    (error) => fail(gate, res, error),
  )
}

/** Makes the calls that waited. */
function release(gate: Gate, res: ExchangeResponse): void {
  const { queue } = gate
  gate.queue = NO_CALLS
  const [method, args] = queue[0] as Calls[number]
  addCookies(gate, res, method, args)
  gate.phase = method === 'end' ? RELEASED : STREAMING
  let drained = false
  for (const [method, args] of queue) {
    if (method === 'write') drained = gate.write.apply(res, args) !== false
    // The handler may have changed the session between its first byte and the end.
    else if (method === 'end' && gate.phase === STREAMING) end.apply(res, args)
    else gate[method].apply(res, args)
  }
  if (drained && gate.phase === STREAMING) res.emit('drain')
}

/** Adds the session cookies to headers that are about to be produced, those in writeHead's arguments included. */
function addCookies(gate: Gate, res: ExchangeResponse, method: Method, args: unknown[]): void {
  if (gate.phase !== OPEN || res.headersSent) return
  for (const exchange of gate.exchanges) {
    const line = sessionCookie(exchange)
    if (line === undefined) continue
    if (method === 'writeHead') takeHeaders(res, args)
    const previous = res.getHeader('Set-Cookie')
    if (previous === undefined) res.setHeader('Set-Cookie', [line])
    else res.setHeader('Set-Cookie', Array.isArray(previous) ? [...previous, line] : [String(previous), line])
  }
}

/** Makes the headers among writeHead's arguments headers of the response, and leaves the status arguments. */
function takeHeaders(res: ExchangeResponse, args: unknown[]): void {
  const headers = args.splice(typeof args[1] === 'string' ? 2 : 1)[0]
  if (Array.isArray(headers)) {
    const pairs: unknown[][] = Array.isArray(headers[0]) ? headers : pairsOf(headers)
    const names = new Set(pairs.map(([name]) => String(name)))
    for (const name of names) res.removeHeader(name)
    for (const [name, value] of pairs) res.appendHeader(String(name), value as string)
  } else if (typeof headers === 'object' && headers !== null) {
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  }
}

/** Node's flat form: name, value, name, value. */
function pairsOf(flat: readonly unknown[]): unknown[][] {
  const pairs: unknown[][] = []
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.push([flat[at], flat[at + 1]])
  return pairs
}

/** Drops what the handler wanted to say, and hands the request to the error handlers. */
function fail(gate: Gate, res: ExchangeResponse, error: unknown): void {
  const { next, setup, req } = gate.exchanges[0] as Exchange
  gate.phase = FAILED
  gate.queue = NO_CALLS
  unlock(gate, res)
  setup.report(error, req, false)
  if (res.headersSent) {
    // Half of the answer is out. Cutting it off is all that tells the client not to believe it.
    res.destroy?.(error as Error)
  } else {
    for (const name of REPRESENTATION_HEADERS) res.removeHeader(name)
  }
  queueMicrotask(() => {
    gate.phase = ANSWERING
    next(error)
  })
}

/** Headers that describe the answer that is not given (RFC 9110, sections 8 and 10.2.2). */
const REPRESENTATION_HEADERS = [
  'Content-Type',
  'Content-Length',
  'Content-Encoding',
  'Content-Language',
  'Content-Range',
  'Content-Disposition',
  'Transfer-Encoding',
  'ETag',
  'Last-Modified',
  'Location',
]

/**
 * While it is held, a response behaves as one whose headers were sent: for its handler, they are. Node.js takes it for
 * one when it has a head. Others, those of HTTP/2 for one, get methods of their own, which cost 1 us. These stay: a
 * response that has lost a property is slower in all that Node does with it, by 10 us.
 */
function lock(gate: Gate, res: HeadedResponse): void {
  if (hasNodesMessages && res._header === null) {
    res._header = HELD_HEAD
    gate.headIsHeld = true
    return
  }
  if (gate.unlocked !== undefined) return
  gate.unlocked = {}
  for (const name of LOCKED) {
    if (typeof res[name] !== 'function') continue
    gate.unlocked[name] = res[name] as Original
    res[name] = lockable[name] as never
  }
  gate.headersSent = Object.getOwnPropertyDescriptor(res, 'headersSent')?.value
  Object.defineProperty(res, 'headersSent', HEADERS_SENT)
}

function unlock(gate: Gate, res: HeadedResponse): void {
  if (!gate.headIsHeld) return
  gate.headIsHeld = false
  res._header = null
}

/** With the status line and the headers as they are sent, once Node has written them. */
interface HeadedResponse extends ExchangeResponse {
  _header?: string | null
}

const HELD_HEAD = 'held back'

const lockable = {
  setHeader: lockableMethod('setHeader'),
  appendHeader: lockableMethod('appendHeader'),
  setHeaders: lockableMethod('setHeaders'),
  removeHeader: lockableMethod('removeHeader'),
}

function lockableMethod(name: (typeof LOCKED)[number]): Original {
  return function (...args) {
    const gate = this[kGate] as Gate
    if (gate.phase === HELD) refuse()
    const unlocked = gate.unlocked?.[name] as Original
    return unlocked.apply(this, args)
  }
}

const HEADERS_SENT: PropertyDescriptor & ThisType<ExchangeResponse> = {
  configurable: true,
  enumerable: true,
  get() {
    const { phase, headersSent } = this[kGate] as Gate
    return phase === HELD || (headersSent ?? Reflect.get(Object.getPrototypeOf(this), 'headersSent', this))
  },
  set(value: unknown) {
    ;(this[kGate] as Gate).headersSent = value
  },
}

function refuse(): never {
  const error: NodeJS.ErrnoException = new Error('Cannot set headers after they are sent to the client')
  error.code = 'ERR_HTTP_HEADERS_SENT'
  throw error
}

/** Whether the end is among the calls that wait. */
function isEnding(gate: Gate): boolean {
  return gate.queue.some(([method]) => method === 'end')
}

function isCallback(argument: unknown): boolean {
  return typeof argument === 'function'
}

function isChunk(chunk: unknown): boolean {
  return typeof chunk === 'string' || chunk instanceof Uint8Array
}
