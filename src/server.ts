/**
 * `fast-session/server`: HTTP servers whose requests and responses are Express's from the start.
 *
 * Express gives each request and each response another prototype (`Object.setPrototypeOf(req, app.request)`). On
 * Node 20 and 22 that leaves every object with a hidden class of its own, so that all code that touches it later
 * misses its inline caches: most of what Express costs there. Objects that are made with that prototype pass the same
 * line untouched. `npm run bench:request` shows both ways.
 */

import http from 'node:http'
import https from 'node:https'
import { makesMessagesWith } from './hidden-class.ts'
import { bun } from './runtime.ts'

/**
 * `createServer` of node:http, for an application of Express 4 or 5: the same arguments, the same server. With any
 * other listener it is node:http's.
 *
 *     createServer(app).listen(3000)   // instead of app.listen(3000)
 */
export function createServer(app: http.RequestListener): http.Server
export function createServer(options: http.ServerOptions, app: http.RequestListener): http.Server
export function createServer(
  ...args: [http.RequestListener] | [http.ServerOptions, http.RequestListener]
): http.Server {
  const [options, app] = args.length === 1 ? [{}, args[0]] : args
  return http.createServer({ ...messageClasses(app), ...options }, app)
}

/** `createServer` of node:https, likewise. */
export function createHttpsServer(options: https.ServerOptions, app: http.RequestListener): https.Server {
  return https.createServer({ ...messageClasses(app), ...options }, app)
}

/** The options of a server that name the classes of its messages. */
export interface MessageClasses {
  IncomingMessage?: typeof http.IncomingMessage
  ServerResponse?: typeof http.ServerResponse
}

/**
 * The options `IncomingMessage` and `ServerResponse` that suit an application, for servers that are made elsewhere:
 * `http.createServer({ ...messageClasses(app), keepAlive: true }, (req, res) => app(req, res))`. Empty for what is no
 * application of Express, and on Bun, which has nothing to gain and fills in messages by constructors of its own.
 */
export function messageClasses(app: http.RequestListener): MessageClasses {
  const { request, response } = app as { request?: unknown; response?: unknown }
  if (bun !== undefined) return {}
  if (!(request instanceof http.IncomingMessage && response instanceof http.ServerResponse)) return {}
  return {
    IncomingMessage: requestClass(request),
    ServerResponse: responseClass(response),
  }
}

// Constructors with another prototype. No `class`, whose prototype can't be replaced, and no Reflect.construct, which
// makes a hidden class for each object (Node 20: 200 us). Named as Node's, for stack traces.
//
// Their assignments are never run. V8 counts them to know how many properties to make room for within the object, and
// trims what is too many after the first few; without them all lie in a second one. A request on Node 20: 12 us, 7 with.

function requestClass(prototype: http.IncomingMessage): typeof http.IncomingMessage {
  makesMessagesWith(prototype)
  const construct = http.IncomingMessage as unknown as Construct
  function IncomingMessage(this: Roomy, socket: unknown): void {
    construct.call(this, socket)
    if (prototype === undefined) {
      this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = 0
      this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = 0
      this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = 0
    }
  }
  IncomingMessage.prototype = prototype
  return IncomingMessage as unknown as typeof http.IncomingMessage
}

function responseClass(prototype: http.ServerResponse): typeof http.ServerResponse {
  makesMessagesWith(prototype)
  const construct = http.ServerResponse as unknown as Construct
  function ServerResponse(this: Roomy, req: unknown, options: unknown): void {
    construct.call(this, req, options)
    if (prototype === undefined) {
      this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = 0
      this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = 0
      this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = 0
      this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = 0
    }
  }
  ServerResponse.prototype = prototype
  return ServerResponse as unknown as typeof http.ServerResponse
}

type Construct = (this: object, ...args: unknown[]) => void

interface Roomy {
  a: number
}
