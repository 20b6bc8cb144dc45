/** connect-flash, cookie-parser, csrf-csrf and compression on fast-session, beside the same apps on express-session. */
import compression from 'compression'
import connectFlash from 'connect-flash'
import cookieParser from 'cookie-parser'
import { doubleCsrf } from 'csrf-csrf'
import express, { type Application, type RequestHandler } from 'express'
import { flash as fastFlash } from 'fast-session/flash'
import { describe, expect, it } from 'vitest'
import {
  express as expressSession,
  fast,
  type Middleware,
  type SessionRequest,
} from '../differential/contender.ts'
import { OLD_SECRET, SECRET } from '../differential/scenario.ts'
import { serve, Visitor } from './visitor.ts'

const sessionOf = (req: unknown) => (req as SessionRequest).session

/** Serves an app that `build` fills; gives a visitor of it. */
async function visitorOf(build: (app: Application) => void): Promise<Visitor> {
  const app = express()
  build(app)
  return new Visitor(await serve(app))
}

describe.each([expressSession, fast])('on $name', ({ middleware }) => {
  const session = (): Middleware => middleware({ secret: SECRET, resave: false, saveUninitialized: false })

  describe.each([
    ['connect-flash', connectFlash as () => RequestHandler, connectFlash as () => RequestHandler],
    ['fast-session/flash', fastFlash as () => RequestHandler, fastFlash as () => RequestHandler],
    [
      'connect-flash, read by fast-session/flash',
      connectFlash as () => RequestHandler,
      fastFlash as () => RequestHandler,
    ],
    [
      'fast-session/flash, read by connect-flash',
      fastFlash as () => RequestHandler,
      connectFlash as () => RequestHandler,
    ],
  ])('%s', (_which, telling, hearing) => {
    type FlashRequest = { flash(type?: string, ...messages: unknown[]): unknown }
    const flashOf = (req: unknown) => req as FlashRequest

    const arrive = () =>
      visitorOf((app) => {
        app.use(session())
        app.use('/tell', telling())
        app.use(['/hear', '/hear-errors'], hearing())
        app.get('/tell', (req, res) => {
          flashOf(req).flash('info', 'saved')
          flashOf(req).flash('info', 'and sent')
          flashOf(req).flash('error', '%s is %d years old', 'ada', 36)
          res.redirect('/hear')
        })
        app.get('/hear', (req, res) => void res.json(flashOf(req).flash()))
        app.get('/hear-errors', (req, res) => void res.json(flashOf(req).flash('error')))
      })

    it('hands messages over a redirect, once', async () => {
      const visitor = await arrive()
      await visitor.get('/tell')
      expect(JSON.parse((await visitor.get('/hear')).text)).toEqual({
        info: ['saved', 'and sent'],
        error: ['ada is 36 years old'],
      })
      expect((await visitor.get('/hear')).text).toBe('{}')
    })

    it('hands over one type and keeps the others', async () => {
      const visitor = await arrive()
      await visitor.get('/tell')
      expect((await visitor.get('/hear-errors')).text).toBe('["ada is 36 years old"]')
      expect(JSON.parse((await visitor.get('/hear')).text)).toEqual({ info: ['saved', 'and sent'] })
    })

    it('collects messages over several requests', async () => {
      const visitor = await arrive()
      await visitor.get('/tell')
      await visitor.get('/tell')
      expect(JSON.parse((await visitor.get('/hear')).text)).toMatchObject({
        info: ['saved', 'and sent', 'saved', 'and sent'],
      })
    })
  })

  describe('cookie-parser', () => {
    const count: RequestHandler = (req, res) => {
      const views = Number(sessionOf(req)['views'] ?? 0) + 1
      sessionOf(req)['views'] = views
      res
        .cookie('signed', 'value', { signed: true })
        .json({ views, signed: req.signedCookies, cookies: req.cookies })
    }

    it.each([
      ['in front, with the same secret', SECRET],
      ['in front, with another secret', OLD_SECRET],
    ])('works %s', async (_where, secret) => {
      const visitor = await visitorOf((app) => app.use(cookieParser(secret), session(), count))
      await visitor.get('/')
      const { views, signed } = JSON.parse((await visitor.get('/')).text)
      expect(views).toBe(2)
      expect(signed).toMatchObject({ signed: 'value' })
    })

    it('works behind', async () => {
      const visitor = await visitorOf((app) => app.use(session(), cookieParser(SECRET), count))
      await visitor.get('/')
      expect(JSON.parse((await visitor.get('/')).text)).toMatchObject({
        views: 2,
        signed: { signed: 'value' },
      })
    })
  })

  describe('csrf-csrf', () => {
    const arrive = () =>
      visitorOf((app) => {
        const { generateCsrfToken, doubleCsrfProtection } = doubleCsrf({
          getSecret: () => OLD_SECRET,
          getSessionIdentifier: (req) => sessionOf(req).id,
          cookieName: 'csrf',
          cookieOptions: { secure: false },
        })
        app.use(session(), cookieParser())
        app.get('/form', (req, res) => {
          sessionOf(req)['form'] = true
          res.json(generateCsrfToken(req, res))
        })
        app.use(doubleCsrfProtection)
        app.post('/form', (_req, res) => void res.json('accepted'))
        const refuse: express.ErrorRequestHandler = (error, _req, res, _next) => {
          res.status(error.statusCode ?? 500).json(error.code)
        }
        app.use(refuse)
      })

    const tokenOf = async (visitor: Visitor): Promise<string> => JSON.parse((await visitor.get('/form')).text)

    it('accepts a token in the session that it was made for', async () => {
      const visitor = await arrive()
      const token = await tokenOf(visitor)
      expect(await visitor.post('/form', { 'x-csrf-token': token })).toMatchObject({
        status: 200,
        text: '"accepted"',
      })
    })

    it('refuses a request without a token', async () => {
      const visitor = await arrive()
      await tokenOf(visitor)
      expect(await visitor.post('/form')).toMatchObject({ status: 403 })
    })

    it('refuses the token of another session', async () => {
      const visitor = await arrive()
      const victim = new Visitor(visitor.origin)
      const token = await tokenOf(visitor)
      await tokenOf(victim)
      victim.cookies.set('csrf', visitor.cookies.get('csrf')!)
      expect(await victim.post('/form', { 'x-csrf-token': token })).toMatchObject({ status: 403 })
    })
  })

  describe('compression', () => {
    const text = 'a text that is worth compressing. '.repeat(200)
    const answer: RequestHandler = (req, res) => {
      sessionOf(req)['views'] = Number(sessionOf(req)['views'] ?? 0) + 1
      res.type('text').send(`${String(sessionOf(req)['views'])} ${text}`)
    }
    const stream: RequestHandler = (req, res) => {
      sessionOf(req)['views'] = Number(sessionOf(req)['views'] ?? 0) + 1
      res.type('text').write(`${String(sessionOf(req)['views'])} `)
      setImmediate(() => res.end(text))
    }

    it.each<[string, (app: Application) => void]>([
      ['in front of the session', (app) => app.use(compression(), session(), answer)],
      ['behind the session', (app) => app.use(session(), compression(), answer)],
      ['in front of the session, of a stream', (app) => app.use(compression(), session(), stream)],
      ['behind the session, of a stream', (app) => app.use(session(), compression(), stream)],
    ])('works %s', async (_where, build) => {
      const visitor = await visitorOf(build)
      const first = await visitor.get('/', { 'accept-encoding': 'gzip' })
      expect(first.headers.get('content-encoding')).toBe('gzip')
      expect(first.text).toBe(`1 ${text}`)
      expect((await visitor.get('/', { 'accept-encoding': 'gzip' })).text).toBe(`2 ${text}`)
    })
  })

  describe('middleware that wraps the response', () => {
    const count: RequestHandler = (req, res) => {
      sessionOf(req)['views'] = Number(sessionOf(req)['views'] ?? 0) + 1
      res.json({ views: sessionOf(req)['views'] })
    }

    /** Sets a header in the last moment, as response-time does. */
    const lateHeader: RequestHandler = (_req, res, next) => {
      const { writeHead } = res
      res.writeHead = function (this: typeof res, ...args: Parameters<typeof writeHead>) {
        res.setHeader('X-Cookies', String([res.getHeader('Set-Cookie') ?? []].flat().length))
        return writeHead.apply(this, args)
      } as typeof writeHead
      next()
    }

    /** Measures what is sent, as loggers do. */
    const measure = (seen: number[]): RequestHandler => {
      return (_req, res, next) => {
        const { end } = res
        res.end = function (this: typeof res, ...args: Parameters<typeof end>) {
          if (args[0]) seen.push(Buffer.byteLength(args[0] as string | Buffer))
          return end.apply(this, args)
        } as typeof end
        next()
      }
    }

    it.each<[string, (app: Application) => void]>([
      ['in front of the session', (app) => app.use(lateHeader, session(), count)],
      ['behind the session', (app) => app.use(session(), lateHeader, count)],
    ])('may set headers when the head is written, %s', async (_where, build) => {
      const visitor = await visitorOf(build)
      const answer = await visitor.get('/')
      expect(answer.headers.get('x-cookies')).toMatch(/^[01]$/)
      expect((await visitor.get('/')).text).toBe('{"views":2}')
    })

    it('may wrap end, in front of the session and behind it', async () => {
      const seen: number[] = []
      const visitor = await visitorOf((app) => app.use(measure(seen), session(), measure(seen), count))
      await visitor.get('/')
      expect((await visitor.get('/')).text).toBe('{"views":2}')
      expect(seen.length).toBeGreaterThanOrEqual(2)
    })

    it('may set security headers, in front of the session and behind it', async () => {
      const secure: RequestHandler = (_req, res, next) => {
        res.setHeader('Content-Security-Policy', "default-src 'self'")
        res.setHeader('Strict-Transport-Security', 'max-age=31536000')
        res.removeHeader('X-Powered-By')
        next()
      }
      const visitor = await visitorOf((app) => app.use(secure, session(), secure, count))
      const { headers } = await visitor.get('/')
      expect(headers.get('content-security-policy')).toBe("default-src 'self'")
      expect(headers.get('strict-transport-security')).toBe('max-age=31536000')
      expect(headers.get('x-powered-by')).toBeNull()
      expect(headers.getSetCookie()).toHaveLength(1)
    })
  })

  describe('error handlers', () => {
    it('see the session of the request that failed, and may change it', async () => {
      const visitor = await visitorOf((app) => {
        app.use(session())
        app.get('/fail', (req) => {
          sessionOf(req)['step'] = 'begun'
          throw new Error('on purpose')
        })
        app.get('/show', (req, res) => void res.json(sessionOf(req)['step'] ?? null))
        const handle: express.ErrorRequestHandler = (error, req, res, _next) => {
          sessionOf(req)['step'] = `${String(sessionOf(req)['step'])}, failed: ${error.message}`
          res.status(500).json('sorry')
        }
        app.use(handle)
      })
      expect(await visitor.get('/fail')).toMatchObject({ status: 500, text: '"sorry"' })
      expect((await visitor.get('/show')).text).toBe('"begun, failed: on purpose"')
    })

    it('leave the framework to answer when there are none', async () => {
      const visitor = await visitorOf((app) => {
        app.set('env', 'test')
        app.use(session())
        app.get('/fail', (req) => {
          sessionOf(req)['step'] = 'begun'
          throw new Error('on purpose')
        })
        app.get('/show', (req, res) => void res.json(sessionOf(req)['step'] ?? null))
      })
      expect(await visitor.get('/fail')).toMatchObject({ status: 500 })
      expect((await visitor.get('/show')).text).toBe('"begun"')
    })
  })

  it('two mounted apps with sessions of their own do not mix', async () => {
    const visitor = await visitorOf((app) => {
      for (const name of ['shop', 'admin']) {
        const mounted = express()
        mounted.use(
          middleware({ secret: SECRET, resave: false, saveUninitialized: false, name: `${name}.sid` }),
        )
        mounted.get('/', (req, res) => {
          sessionOf(req)[name] = Number(sessionOf(req)[name] ?? 0) + 1
          const { cookie: _, ...data } = sessionOf(req)
          res.json(data)
        })
        app.use(`/${name}`, mounted)
      }
    })
    await visitor.get('/shop')
    await visitor.get('/admin')
    expect((await visitor.get('/shop')).text).toBe('{"shop":2}')
    expect((await visitor.get('/admin')).text).toBe('{"admin":2}')
    expect([...visitor.cookies.keys()].sort()).toEqual(['admin.sid', 'shop.sid'])
  })
})
