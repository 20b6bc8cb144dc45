/**
 * `fast-session/server`: HTTP servers whose requests and responses are Express's from the start.
 *
 * Express gives each request and each response another prototype (`Object.setPrototypeOf(req, app.request)`). On
 * Node 20 and 22 that leaves every object with a hidden class of its own, so that all code that touches it later
 * misses its inline caches: most of what Express costs there. Objects that are made with that prototype pass the same
 * line untouched. `npm run bench:request` shows both ways.
 */

import type { RequestListener, ServerOptions } from 'node:http'
import { createServer as createHttp, IncomingMessage, type Server, ServerResponse } from 'node:http'
import {
  createServer as createHttps,
  type ServerOptions as HttpsOptions,
  type Server as HttpsServer,
} from 'node:https'

/**
 * `createServer` of node:http, for an application of Express 4 or 5: the same arguments, the same server. With any
 * other listener it is node:http's.
 *
 *     createServer(app).listen(3000)   // instead of app.listen(3000)
 */
export function createServer(app: RequestListener): Server
export function createServer(options: ServerOptions, app: RequestListener): Server
export function createServer(...args: [RequestListener] | [ServerOptions, RequestListener]): Server {
  const [options, app] = args.length === 1 ? [{}, args[0]] : args
  return createHttp({ ...messageClasses(app), ...options }, app)
}

/** `createServer` of node:https, likewise. */
export function createHttpsServer(options: HttpsOptions, app: RequestListener): HttpsServer {
  return createHttps({ ...messageClasses(app), ...options }, app)
}

/** The options of a server that name the classes of its messages. */
export interface MessageClasses {
  IncomingMessage?: typeof IncomingMessage
  ServerResponse?: typeof ServerResponse
}

/**
 * The options `IncomingMessage` and `ServerResponse` that suit an application, for servers that are made elsewhere:
 * `http.createServer({ ...messageClasses(app), keepAlive: true }, (req, res) => app(req, res))`. Empty for what is no
 * application of Express.
 */
export function messageClasses(app: RequestListener): MessageClasses {
  const { request, response } = app as { request?: unknown; response?: unknown }
  if (!(request instanceof IncomingMessage && response instanceof ServerResponse)) return {}
  return {
    IncomingMessage: withPrototype(IncomingMessage, request),
    ServerResponse: withPrototype(ServerResponse, response),
  }
}

/**
 * A constructor that makes what `base` makes, with another prototype. No `class`, whose prototype can't be replaced,
 * and no Reflect.construct, which makes a hidden class for each object (Node 20: 200 us).
 */
function withPrototype<Base extends typeof IncomingMessage | typeof ServerResponse>(
  base: Base,
  prototype: InstanceType<Base>,
): Base {
  const construct = base as unknown as (this: object, first: unknown, second: unknown) => void
  function Message(this: { a: number }, first: unknown, second: unknown): void {
    construct.call(this, first, second)
    // Never run. V8 counts such assignments to know how many properties to make room for within the object, and trims
    // what is too many after the first few; without them all lie in a second one. A request on Node 20: 12 us, 7 with.
    if (prototype === undefined) {
      this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = 0
      this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = 0
      this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = 0
      this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = this.a = 0
    }
  }
  Message.prototype = prototype
  return Message as unknown as Base
}
