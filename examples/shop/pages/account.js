/** What the shop knows of the person who is logged in. */
import { createHash } from 'node:crypto'
import { Router } from 'express'
import { price } from '../catalogue.js'
import { csrfField } from '../csrf.js'
import { text } from '../form.js'
import { html } from '../html.js'
import { fullName } from '../users.js'
import { sendPage } from './layout.js'

export const accountPages = Router()

accountPages.get('/account', requireLogin, async (req, res) => {
  const sessions = await storeOf(req).sessionsOf(req.session.owner ?? '')
  sendPage(req, res, { title: 'Account', main: accountPage(req, sessions) })
})

accountPages.post('/account/end', requireLogin, async (req, res) => {
  const ended = await storeOf(req).revoke(req.session.owner ?? '', text(req, 'session'))
  req.flash(
    ended ? 'success' : 'info',
    ended ? 'You are logged out there.' : 'That session had ended already.',
  )
  res.redirect(303, '/account')
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
        <ul class="entries">${sessions.map((one) => sessionEntry(req, one))}</ul>
        ${
          sessions.length > 1 &&
          html`
            <form method="post" action="/account/revoke">
              ${csrfField(req)}
              <button class="button quiet wide">Log out everywhere else</button>
            </form>`
        }
        <p class="hint">
          This session goes on until ${moment(session.cookie.expires)}${
            storeOf(req).records.name === 'memory'
              ? html`, or until the server is stopped: it is kept in memory.`
              : html`, also when the server is restarted.`
          }
        </p>
      </section>
    </div>`
}

/**
 * @param {import('express').Request} req
 * @param {import('fast-session').OwnedSession} session One of the user's.
 */
function sessionEntry(req, { key, label, lastSeen }) {
  // The key of a session is the SHA-256 of its id.
  const isThisOne = key === createHash('sha256').update(req.sessionID).digest('base64url')
  return html`
    <li>
      <strong>${label}</strong>
      <span>${moment(lastSeen)}</span>
      ${
        isThisOne
          ? html`<span>This is the one you are using.</span>`
          : html`
            <form method="post" action="/account/end">
              ${csrfField(req)}
              <input type="hidden" name="session" value="${key}">
              <button class="link">Log out there<span class="hidden">: ${label}, ${moment(lastSeen)}</span></button>
            </form>`
      }
    </li>`
}

/** @param {number | Date | null | false | undefined} when */
function moment(when) {
  return when ? MOMENT.format(when) : 'the browser is closed'
}

const MOMENT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' })
