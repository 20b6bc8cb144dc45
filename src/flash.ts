/** `req.flash(type, ...messages)`: messages that the next page shows once. Data compatible with connect-flash. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { format } from 'node:util'

export interface Flash {
  /** Adds messages of a type; answers how many there are. More than one argument is formatted as util.format does. */
  (type: string, messages: readonly unknown[]): number
  (type: string, message: unknown, ...args: unknown[]): number
  /** Takes all messages of a type. */
  (type: string): unknown[]
  /** Takes all messages. */
  (): Record<string, unknown[]>
}

declare global {
  namespace Express {
    interface Request {
      flash: Flash
    }
  }
}

/** The middleware that gives requests their `flash`; it comes after the session's. */
export function flash(): (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void {
  return (req, _res, next) => {
    ;(req as FlashRequest).flash ??= flashOf
    next()
  }
}

export default flash

type Messages = Record<string, unknown[]>

interface FlashRequest extends IncomingMessage {
  session?: { flash?: Messages }
  flash?: unknown
}

function flashOf(this: FlashRequest, type?: string, message?: unknown, ...args: unknown[]): unknown {
  const { session } = this
  if (!session) throw new Error('req.flash() requires sessions')
  if (type === undefined) {
    const all = session.flash ?? {}
    if (Object.keys(all).length > 0) session.flash = {}
    return all
  }
  if (!message) return take(session, type)
  const added = args.length > 0 ? [format(message, ...args)] : Array.isArray(message) ? message : [message]
  session.flash ??= {}
  const all = session.flash
  const queue = Object.hasOwn(all, type) ? (all[type] as unknown[]) : []
  queue.push(...added)
  Object.defineProperty(all, type, { value: queue, configurable: true, enumerable: true, writable: true })
  return queue.length
}

function take(session: { flash?: Messages }, type: string): unknown[] {
  const all = session.flash
  if (all === undefined || !Object.hasOwn(all, type)) return []
  const messages = all[type] as unknown[]
  delete all[type]
  return messages
}
