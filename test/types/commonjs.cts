/** The package as CommonJS modules know it, checked by the compiler alone. */
import express = require('express')
import session = require('fast-session')
import redis = require('fast-session/redis')

declare module 'fast-session' {
  interface SessionData {
    fromCommonJs?: string
  }
}

const options: session.SessionOptions = { secret: 'a secret' }
const app = express()
app.use(session(options))
app.get('/', (req, res) => {
  const field: string | undefined = req.session.fromCommonJs
  // @ts-expect-error no such field was declared
  req.session.undeclared
  res.end(field)
})

class EmptyStore extends session.Store {
  get() {}
  set() {}
  destroy() {}
}
session({ store: new EmptyStore() })
session({ store: new session.MemoryStore() })

export const fieldOf = (data: session.SessionData) => data.fromCommonJs
export const expiresOf = (cookie: session.Cookie, { maxAge }: session.CookieOptions) => [
  cookie.expires,
  maxAge,
]
export const endOf = (one: session.Session) => one.destroy((error) => error instanceof session.SessionError)
export const storeOf = (store: session.Store, client: redis.RedisClient) => [store.load, client]
