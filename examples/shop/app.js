/** The shop as an Express application: what a request passes, in order. */
import { fileURLToPath } from 'node:url'
import express from 'express'
import fastSession, { MemoryStore } from 'fast-session'
import flash from 'fast-session/flash'
import { checkCsrf } from './csrf.js'
import { securityHeaders } from './headers.js'
import { accountPages } from './pages/account.js'
import { cartPages } from './pages/cart.js'
import { checkoutPages } from './pages/checkout.js'
import { failed, notFound } from './pages/error.js'
import { icon } from './pages/layout.js'
import { loginPages } from './pages/login.js'
import { teaPages } from './pages/teas.js'

const DAY = 24 * 60 * 60 * 1000

/**
 * @param {object} options
 * @param {string} options.secret At least 32 bytes.
 * @param {import('fast-session').SessionStore} [options.store] Default: the memory of this process.
 * @param {import('fast-session').SessionOptions['cookie']} [options.cookie]
 */
export function createApp({ secret, store = new MemoryStore(), cookie = { maxAge: 7 * DAY } }) {
  const sessions = fastSession({ secret, store, cookie, name: 'shop.sid', absoluteTimeout: 30 * DAY })
  const app = express()
  app.disable('x-powered-by')
  app.locals['engine'] = sessions.engine
  app.locals['store'] = store

  app.get('/style.css', (_req, res) => res.sendFile(fileURLToPath(new URL('style.css', import.meta.url))))
  app.get('/icon.svg', (_req, res) => res.type('svg').send(icon))

  app.use(securityHeaders)
  app.use(sessions)
  app.use(flash())
  app.use(express.urlencoded({ extended: false, limit: '10kb' }))
  app.use(checkCsrf)
  app.use(teaPages, cartPages, loginPages, accountPages, checkoutPages)
  app.use(notFound)
  app.use(failed)
  return app
}
