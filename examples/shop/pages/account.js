/** What the shop knows of the person who is logged in. */
import { Router } from 'express'
import { price } from '../catalogue.js'
import { html } from '../html.js'
import { fullName } from '../users.js'
import { sendPage } from './layout.js'

export const accountPages = Router()

accountPages.get('/account', requireLogin, (req, res) => {
  sendPage(req, res, { title: 'Account', main: accountPage(req) })
})

/**
 * Sends visitors who are not logged in to the login, and back here afterwards.
 *
 * @param {import('express').Request} req
 * @param {import('express').Response} res
 * @param {import('express').NextFunction} next
 */
export function requireLogin(req, res, next) {
  if (req.session.user !== undefined) return next()
  req.session.returnTo = req.originalUrl
  req.flash('info', 'Please log in first.')
  res.redirect(303, '/login')
}

/** @param {import('express').Request} req */
function accountPage({ session, app }) {
  return html`
    <h1>${fullName(session.user)}</h1>
    <div class="split even">
      <section class="panel" aria-labelledby="orders">
        <h2 id="orders">Orders</h2>
        ${
          session.orders === undefined
            ? html`<p>None in this session.</p>`
            : html`
              <ul class="orders">
                ${session.orders.map(
                  ({ number, placed, tins, total }) => html`
                    <li>
                      <strong>${number}</strong>
                      <span>${moment(placed)}</span>
                      <span>${tins} ${tins === 1 ? 'tin' : 'tins'}, ${price(total)}</span>
                    </li>`,
                )}
              </ul>`
        }
      </section>
      <section class="panel" aria-labelledby="session">
        <h2 id="session">This session</h2>
        <dl class="sums">
          <div><dt>Logged in</dt><dd>${moment(session.since)}</dd></div>
          <div><dt>Ends</dt><dd>${moment(session.cookie.expires)}</dd></div>
          <div><dt>Kept in</dt><dd>${app.locals['store']}</dd></div>
          <div><dt>Signed by</dt><dd>${app.locals['engine']}</dd></div>
        </dl>
        <p class="hint">Restart the server: you are still logged in, and the cart is as it was.</p>
      </section>
    </div>`
}

/** @param {number | Date | null | false | undefined} when */
function moment(when) {
  return when ? MOMENT.format(when) : 'with the browser'
}

const MOMENT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' })
