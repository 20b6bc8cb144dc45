/** What the shop knows of the person who is logged in. */
import { Router } from 'express'
import { price } from '../catalogue.js'
import { csrfField } from '../csrf.js'
import { html } from '../html.js'
import { fullName } from '../users.js'
import { sendPage } from './layout.js'

export const accountPages = Router()

accountPages.get('/account', requireLogin, async (req, res) => {
  const sessions = await storeOf(req).sessionsOf(req.session.owner ?? '')
  sendPage(req, res, { title: 'Account', main: accountPage(req, sessions) })
})

accountPages.post('/account/revoke', requireLogin, async (req, res) => {
  const ended = await storeOf(req).revokeOwner(req.session.owner ?? '', { except: req.sessionID })
  req.flash('success', ended === 1 ? 'One other session was ended.' : `${ended} other sessions were ended.`)
  res.redirect(303, '/account')
})

/**
 * @param {import('express').Request} req
 * @returns {import('fast-session').SessionStore}
 */
function storeOf(req) {
  return req.app.locals['store']
}

/**
 * Sends visitors who are not logged in to the login, and back here afterwards.
 *
 * @param {import('express').Request} req
 * @param {import('express').Response} res
 * @param {import('express').NextFunction} next
 */
export function requireLogin(req, res, next) {
  if (req.session.owner !== undefined) return next()
  req.session.returnTo = req.originalUrl
  req.flash('info', 'Please log in first.')
  res.redirect(303, '/login')
}

/**
 * @param {import('express').Request} req
 * @param {readonly import('fast-session').OwnedSession[]} sessions All of the user's.
 */
function accountPage(req, sessions) {
  const { session } = req
  return html`
    <h1>${fullName(session.owner)}</h1>
    <div class="split even">
      <section class="panel" aria-labelledby="orders">
        <h2 id="orders">Orders</h2>
        ${
          session.orders === undefined
            ? html`<p>None in this session.</p>`
            : html`
              <ul class="entries">
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
      <section class="panel" aria-labelledby="sessions">
        <h2 id="sessions">Where you are logged in</h2>
        <ul class="entries">
          ${sessions.map(
            ({ label, lastSeen }) => html`<li><strong>${label}</strong><span>${moment(lastSeen)}</span></li>`,
          )}
        </ul>
        ${
          sessions.length > 1 &&
          html`
            <form method="post" action="/account/revoke">
              ${csrfField(req)}
              <button class="button quiet wide">Log out everywhere else</button>
            </form>`
        }
        <p class="hint">This session goes on until ${moment(session.cookie.expires)}, also when the server is restarted.</p>
      </section>
    </div>`
}

/** @param {number | Date | null | false | undefined} when */
function moment(when) {
  return when ? MOMENT.format(when) : 'the browser is closed'
}

const MOMENT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' })
