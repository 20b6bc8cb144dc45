/** passport on fast-session, beside the same app on express-session. */
import express from 'express'
import express4 from 'express4'
import passport, { type PassportRequest, type Strategy } from 'passport'
import { describe, expect, it } from 'vitest'
import {
  type Contender,
  express as expressSession,
  fast,
  type SessionRequest,
} from '../differential/contender.ts'
import { SECRET } from '../differential/scenario.ts'
import { serve, Visitor } from './visitor.ts'

const users = new Map([
  ['1', { id: '1', name: 'ada' }],
  ['2', { id: '2', name: 'bob' }],
])

/** Takes the user's name from the query, and no password. */
const byName: Strategy = {
  name: 'by-name',
  authenticate(req) {
    const user = [...users.values()].find(({ name }) => name === req.query['name'])
    if (user === undefined) this.fail({ message: 'nobody of that name' })
    else this.success(user)
  },
}

const sessionOf = (req: unknown) => (req as SessionRequest).session
const passportOf = (req: unknown) => req as PassportRequest

function appOf(framework: typeof express, { middleware }: Contender): express.Application {
  const auth = new passport.Passport()
  auth.use(byName)
  auth.serializeUser<{ id: string }>((user, done) => done(null, user.id))
  auth.deserializeUser<string>((id, done) => done(null, users.get(id) ?? false))

  const app = framework()
  app.use(middleware({ secret: SECRET, resave: false, saveUninitialized: false }))
  app.use(auth.initialize(), auth.session())
  app.get('/browse', (req, res) => {
    sessionOf(req)['basket'] = ['book']
    res.json({ basket: ['book'] })
  })
  app.get('/me', (req, res) => {
    res.json({
      user: passportOf(req).user ?? null,
      authenticated: passportOf(req).isAuthenticated(),
      basket: sessionOf(req)['basket'] ?? null,
      messages: sessionOf(req)['messages'] ?? null,
    })
  })
  app.post(
    '/login',
    auth.authenticate('by-name', { failureRedirect: '/me', failureMessage: true }),
    (_req, res) => {
      res.redirect('/me')
    },
  )
  app.post('/login-and-keep', auth.authenticate('by-name', { keepSessionInfo: true }), (_req, res) => {
    res.redirect('/me')
  })
  app.post('/login-by-hand', (req, res, next) => {
    passportOf(req).login(users.get('2'), (error) => (error ? next(error) : res.redirect('/me')))
  })
  app.post('/logout', (req, res, next) => {
    passportOf(req).logout((error) => (error ? next(error) : res.redirect('/me')))
  })
  app.post('/logout-and-keep', (req, res, next) => {
    passportOf(req).logout({ keepSessionInfo: true }, (error) => (error ? next(error) : res.redirect('/me')))
  })
  return app
}

const me = async (visitor: Visitor) => JSON.parse((await visitor.get('/me')).text)
const nobody = { user: null, authenticated: false, basket: null, messages: null }
const ada = { ...nobody, user: users.get('1'), authenticated: true }

describe.each([expressSession, fast])('passport on $name', (contender) => {
  describe.each([
    ['Express 5', express],
    ['Express 4', express4],
  ])('and %s', (_name, framework) => {
    const arrive = async () => new Visitor(await serve(appOf(framework, contender)))

    it('knows nobody before the login', async () => {
      expect(await me(await arrive())).toEqual(nobody)
    })

    it('knows the user after the login', async () => {
      const visitor = await arrive()
      const answer = await visitor.post('/login?name=ada')
      expect(answer.headers.get('location')).toBe('/me')
      expect(await me(visitor)).toEqual(ada)
      expect(await me(visitor)).toEqual(ada)
    })

    it('gives a new id at the login, and the old one opens nothing', async () => {
      const visitor = await arrive()
      await visitor.get('/browse')
      const fixed = visitor.cookies.get('connect.sid')!
      const before = visitor.sid
      await visitor.post('/login?name=ada')
      expect(visitor.sid).not.toBe(before)
      visitor.cookies.set('connect.sid', fixed)
      expect(await me(visitor)).toEqual(nobody)
    })

    it('drops what the session held before the login', async () => {
      const visitor = await arrive()
      await visitor.get('/browse')
      await visitor.post('/login?name=ada')
      expect(await me(visitor)).toEqual(ada)
    })

    it('keeps what the session held before the login with keepSessionInfo', async () => {
      const visitor = await arrive()
      await visitor.get('/browse')
      const before = visitor.sid
      await visitor.post('/login-and-keep?name=ada')
      expect(visitor.sid).not.toBe(before)
      expect(await me(visitor)).toEqual({ ...ada, basket: ['book'] })
    })

    it('logs in by hand', async () => {
      const visitor = await arrive()
      await visitor.post('/login-by-hand')
      expect(await me(visitor)).toMatchObject({ user: users.get('2') })
    })

    it('keeps the messages of a failed login', async () => {
      const visitor = await arrive()
      await visitor.post('/login?name=eve')
      expect(await me(visitor)).toEqual({ ...nobody, messages: ['nobody of that name'] })
    })

    it('forgets the user at the logout, under a new id', async () => {
      const visitor = await arrive()
      await visitor.post('/login?name=ada')
      const [before, stolen] = [visitor.sid, visitor.cookies.get('connect.sid')!]
      await visitor.post('/logout')
      expect(visitor.sid).not.toBe(before)
      expect(await me(visitor)).toEqual(nobody)
      visitor.cookies.set('connect.sid', stolen)
      expect(await me(visitor)).toEqual(nobody)
    })

    it('keeps the rest of the session at the logout with keepSessionInfo', async () => {
      const visitor = await arrive()
      await visitor.post('/login?name=ada')
      await visitor.get('/browse')
      await visitor.post('/logout-and-keep')
      expect(await me(visitor)).toEqual({ ...nobody, basket: ['book'] })
    })

    it('keeps two visitors apart', async () => {
      const visitor = await arrive()
      await visitor.post('/login?name=ada')
      const other = new Visitor(visitor.origin)
      await other.post('/login?name=bob')
      expect(await me(visitor)).toMatchObject({ user: users.get('1') })
      expect(await me(other)).toMatchObject({ user: users.get('2') })
    })
  })
})
