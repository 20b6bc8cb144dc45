/** Logging in and out. */
import { Router } from 'express'
import { csrfField } from '../csrf.js'
import { input, text } from '../form.js'
import { html } from '../html.js'
import { authenticate, demoUsers } from '../users.js'
import { sendPage } from './layout.js'

export const loginPages = Router()

loginPages.get('/login', (req, res) => {
  if (req.session.owner !== undefined) return res.redirect(303, '/account')
  sendPage(req, res, { title: 'Log in', main: loginPage(req) })
})

loginPages.post('/login', async (req, res) => {
  const name = text(req, 'name').toLowerCase()
  const user = await authenticate(name, text(req, 'password'))
  if (user === undefined) {
    res.status(401)
    return sendPage(req, res, { title: 'Log in', main: loginPage(req, name) })
  }
  // The session gets a new id, so that one that somebody planted before the login is worth nothing after it.
  const { cart, returnTo } = req.session
  const session = await req.session.regenerate()
  session.owner = user.name
  session.label = browserOf(req)
  if (cart !== undefined) session.cart = cart
  req.flash('success', 'Welcome, %s.', user.fullName)
  res.redirect(303, returnTo ?? '/account')
})

loginPages.post('/logout', async (req, res) => {
  // Everything of the old session is deleted; the new one has nothing but this message.
  await req.session.regenerate()
  req.flash('info', 'You are logged out.')
  res.redirect(303, '/')
})

/**
 * What the browser calls itself, in two words.
 *
 * @param {import('express').Request} req
 */
function browserOf(req) {
  const agent = req.get('User-Agent') ?? ''
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)/.exec(agent)?.[1] ?? 'A browser'
  const system = /(Android|iPhone|iPad|Windows|Mac OS X|Linux)/.exec(agent)?.[1] ?? 'some device'
  return `${NAMES[browser] ?? browser} on ${NAMES[system] ?? system}`
}

/** @type {Record<string, string>} */
const NAMES = { Edg: 'Edge', OPR: 'Opera', 'Mac OS X': 'macOS' }

/**
 * @param {import('express').Request} req
 * @param {string} [failedName] Who could not log in just now.
 */
function loginPage(req, failedName) {
  return html`
    <div class="narrow">
      <h1>Log in</h1>
      ${failedName !== undefined && html`<p class="flash error" role="alert">That name and password don’t go together.</p>`}
      <form method="post" action="/login" class="panel form">
        ${csrfField(req)}
        ${input({ name: 'name', label: 'Name', value: failedName, autocomplete: 'username' })}
        ${input({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' })}
        <button class="button wide">Log in</button>
      </form>
      <section class="hint-box" aria-labelledby="demo-users">
        <h2 id="demo-users">Two users for trying it out</h2>
        <dl class="credentials">
          ${demoUsers.map(({ name, password }) => html`<div><dt><code>${name}</code></dt><dd><code>${password}</code></dd></div>`)}
        </dl>
      </section>
    </div>`
}
