/** What a user's compiler says about sessions, checked by the compiler alone. */
import express, { type Request, type Response } from 'express'
import fastSession, {
  type CookieOptions,
  MemoryStore,
  type RequestOf,
  SessionError,
  type SessionOptions,
  Store,
} from 'fast-session'
import { createCore } from 'fast-session/core'
import { flash } from 'fast-session/flash'

declare module 'fast-session' {
  interface SessionData {
    typed?: string
  }
}

/** The parameter is taken as it is: no wider, no narrower. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_: Same<A, B>): void {}

/** `any` is a member of all types, and all are members of it. */
type IsAny<T> = 0 extends 1 & T ? true : false
function noAny<T>(_: IsAny<T> extends true ? never : T): void {}

const options: SessionOptions = { secret: 'a secret' }
const app = express()
app.use(fastSession(options))
app.use(flash())

app.get('/', async (req, res) => {
  same<typeof req.session.typed, string | undefined>(true)
  same<typeof req.sessionID, string>(true)
  req.session.typed = 'text'
  // @ts-expect-error the type that was declared
  req.session.typed = 1
  // @ts-expect-error no such field was declared
  req.session.undeclared
  const { maxAge } = req.session.cookie
  same<typeof maxAge, number | null>(true)
  await req.session.save()
  req.session.save((error) => noAny(error))
  noAny(req.session)
  noAny(req.session.cookie)
  noAny(req.sessionStore)
  const renewed = await req.session.regenerate({ grace: 1000 })
  same<typeof renewed.typed, string | undefined>(true)
  req.session.regenerate((error) => noAny(error))
  await req.session.reload()
  const count = await req.session.update((session) => session.typed?.length ?? 0)
  same<typeof count, number>(true)
  await req.session.destroy()
  req.session.destroy((error) => error)
  res.end()
})

fastSession({ genid: (req) => req.url ?? '', cookie: (req) => ({ secure: req.method === 'POST' }) })
fastSession({ genid: (req: Request) => req.hostname, cookie: (req: Request) => ({ domain: req.hostname }) })
fastSession({ secret: [new Uint8Array(32), Buffer.alloc(32), 'old'] })
fastSession({ cookie: { maxAge: null, sameSite: 'auto', secure: 'auto' } satisfies CookieOptions })
fastSession({ onError: (error) => error instanceof SessionError && error.code === 'SESSION_GONE' })

fastSession({ merge: (base, mine, theirs) => [base, mine, theirs].map((value) => noAny(value)) })

// @ts-expect-error a misspelt option
fastSession({ secrt: '' })
// @ts-expect-error a misspelt attribute
fastSession({ cookie: { httponly: true } })
// @ts-expect-error neither an attribute nor a value of it
fastSession({ cookie: { sameSite: 'sometimes' } })
// @ts-expect-error an id is text
fastSession({ genid: () => 1 })
// @ts-expect-error a number is no secret
fastSession({ secret: 1 })
// @ts-expect-error a URL is no store
fastSession({ store: 'redis://localhost' })

interface Basket {
  items: string[]
}
const sessions = fastSession<Basket>({ secret: 'a secret' })
app.use(sessions)
app.get('/basket', (req: Request & RequestOf<typeof sessions>, res: Response) => {
  same<typeof req.session.items, string[] | undefined>(true)
  // @ts-expect-error items are text
  req.session.items = [1]
  res.end()
})
same<typeof sessions.engine, 'wasm' | 'node' | 'js'>(true)

class MapStore extends Store {
  get(_id: string, callback: (error: unknown, session?: object | null) => void): void {
    callback(null, null)
  }
  set(_id: string, _session: object, callback?: (error?: unknown) => void): void {
    callback?.()
  }
  destroy(_id: string, callback?: (error?: unknown) => void): void {
    callback?.()
  }
}
fastSession({ store: new MapStore() })
fastSession({ store: new MemoryStore({ maxEntries: 10 }) })
const stored = await new MemoryStore().get('id')
noAny(stored)
same<typeof stored extends object | undefined ? true : false, true>(true)

const core = createCore({ secrets: 'a secret' })
same<ReturnType<typeof core.verify>, string | false>(true)
