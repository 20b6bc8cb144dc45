/** With @types/express-session in the same program, `req.session` has the fields of both; checked by the compiler. */
import express from 'express'
import expressSession from 'express-session'
import fastSession from 'fast-session'

declare module 'express-session' {
  interface SessionData {
    declaredForTheOther?: number
  }
}

declare module 'fast-session' {
  interface SessionData {
    declaredForThis?: string
  }
}

const app = express()
app.use(fastSession({ store: new expressSession.MemoryStore() }))
app.get('/', async (req, res) => {
  const both: [number | undefined, string | undefined] = [
    req.session.declaredForTheOther,
    req.session.declaredForThis,
  ]
  await req.session.regenerate()
  req.session.regenerate((error) => res.json([error, both]))
  // @ts-expect-error neither of them declared it
  req.session.undeclared
})
