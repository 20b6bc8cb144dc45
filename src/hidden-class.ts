/**
 * Hidden classes of requests and responses on Node.js 20 to 23.
 *
 * Express gives each of them another prototype (`Object.setPrototypeOf(req, app.request)`). Before V8 13 every property
 * that such an object gets from then on makes it a hidden class of its own: 2 to 3 us each time, and whatever touches
 * the object later misses V8's inline caches. An object that has lost a property is a hash table instead, and hash
 * tables with the same prototype share one hidden class: with an application that does nothing, a request takes 38 us
 * of CPU instead of 62 (Node 20), or 37 instead of 60 (Node 22). `npm run bench:request`
 */
import { hasNodesMessages, v8 } from './runtime.ts'

const isAffected = hasNodesMessages && Number.parseInt(v8 ?? '', 10) < 13

const kMark = Symbol('fast-session.mark')

/** Prototypes that servers make messages with, so that none of these is given another one. */
const native = new WeakSet<object>()

export function makesMessagesWith(prototype: object): void {
  native.add(prototype)
}

/** Makes a message whose prototype was changed share the hidden class of all others of which that is true. */
export function shareHiddenClass(message: object): void {
  if (!isAffected) return
  const prototype = Object.getPrototypeOf(message)
  if (prototype === message.constructor?.prototype || native.has(prototype)) return
  const marked = message as { [kMark]?: true }
  marked[kMark] = true
  delete marked[kMark]
}
