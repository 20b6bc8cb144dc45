/**
 * Against cross-site request forgery: the cookie is SameSite=Lax, and every form carries a token of its session that
 * every POST has to bring back.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { html } from './html.js'

/**
 * The hidden field that a form begins with.
 *
 * @param {import('express').Request} req
 */
export function csrfField(req) {
  req.session.csrf ??= randomBytes(24).toString('base64url')
  return html`<input type="hidden" name="_csrf" value="${req.session.csrf}">`
}

/** @type {import('express').RequestHandler} */
export const checkCsrf = (req, _res, next) => {
  if (req.method === 'GET' || req.method === 'HEAD') return next()
  if (equal(req.body?.['_csrf'], req.session.csrf)) return next()
  next(
    Object.assign(new Error('This form has expired. Go back, reload the page, and try again.'), {
      status: 403,
    }),
  )
}

/**
 * Compares in constant time.
 *
 * @param {unknown} given
 * @param {string | undefined} expected
 */
function equal(given, expected) {
  if (typeof given !== 'string' || expected === undefined) return false
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
