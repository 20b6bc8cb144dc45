/** The frame around every page, and the drawings in it. */
import { cartTins } from '../cart.js'
import { csrfField } from '../csrf.js'
import { html } from '../html.js'
import { fullName } from '../users.js'

/** @typedef {import('../html.js').Html} Html */

/**
 * Answers with a page.
 *
 * @param {import('express').Request} req
 * @param {import('express').Response} res
 * @param {{ title: string, main: Html }} page
 */
export function sendPage(req, res, { title, main }) {
  res.send(String(layout(req, title, main)))
}

/**
 * @param {import('express').Request} req
 * @param {string} title
 * @param {Html} main
 */
function layout(req, title, main) {
  const { engine, store } = req.app.locals
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title} · Kettle &amp; Leaf</title>
  <link rel="icon" href="/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/style.css">
</head>
<body>
  <a class="skip" href="#main">Skip to the content</a>
  <header class="site-header">
    <div class="inner">
      <a class="brand" href="/">${leaf()}<span>Kettle &amp; Leaf</span></a>
      <nav aria-label="Main">${navigation(req)}</nav>
    </div>
  </header>
  <main id="main" tabindex="-1">
    ${flashMessages(req)}
    ${main}
  </main>
  <footer class="site-footer">
    <div class="inner">
      <p>A demo shop. Nothing is charged, nothing is sent.</p>
      <p>Sessions by <strong>fast-session</strong>: engine <code>${engine}</code>, store <code>${store.records.name}</code></p>
    </div>
  </footer>
</body>
</html>`
}

/** @param {import('express').Request} req */
function navigation(req) {
  const { session, path } = req
  const tins = cartTins(session)
  const name = fullName(session.owner)
  /** @param {string} href */
  const current = (href) => path === href && html` aria-current="page"`
  return html`
    <ul>
      <li><a href="/"${current('/')}>Teas</a></li>
      <li><a href="/cart"${current('/cart')}>Cart${tins > 0 && html` <span class="badge">${tins}<span class="hidden"> ${tins === 1 ? 'tin' : 'tins'}</span></span>`}</a></li>
      ${
        name === undefined
          ? html`<li><a href="/login"${current('/login')}>Log in</a></li>`
          : html`
            <li><a href="/account"${current('/account')}><span class="hidden">Account of </span>${name.split(' ')[0]}</a></li>
            <li><form method="post" action="/logout">${csrfField(req)}<button class="link">Log out</button></form></li>`
      }
    </ul>`
}

/** @param {import('express').Request} req */
function flashMessages(req) {
  const messages = Object.entries(req.flash()).flatMap(([type, texts]) =>
    texts.map((text) => ({ type, text })),
  )
  if (messages.length === 0) return
  return html`
    <div class="flashes" role="status">
      ${messages.map(({ type, text }) => html`<p class="flash ${type}">${String(text)}</p>`)}
    </div>`
}

function leaf() {
  return html`<svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true"><path d="M27 4C14 4 5 10 5 20c0 2 .4 3.8 1.1 5.3C9 18.5 14 14 20.5 11.5 15 15.5 10.5 20.5 8.3 28h2.8c.5-1.7 1-3.1 1.7-4.4C22 24.5 27.5 17 27 4Z" fill="currentColor"/></svg>`
}

/** The tab's icon. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#1f5d4c"/><path d="M25 7C14.5 7 8 11.5 8 19.5c0 1.6.3 3 .9 4.1 2.3-5.2 6.2-8.7 11.3-10.6-4.3 3.1-7.8 7-9.5 12.8h2.2c.4-1.3.8-2.4 1.3-3.4C21.3 23 25.4 17.1 25 7Z" fill="#f7f3ea"/></svg>`

/**
 * A tin of tea. Its colours are attributes: the page's content security policy allows no inline styles.
 *
 * @param {import('../catalogue.js').Tea} tea
 */
export function tinOf({ colours: { ground, tin, lid, label, leaf } }) {
  return html`
    <svg class="tin" viewBox="0 0 320 240" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      <rect class="day" width="320" height="240" fill="${ground}"/>
      <rect class="night" width="320" height="240" fill="${tin}" opacity=".3"/>
      <ellipse cx="160" cy="211" rx="84" ry="10" fill="#000" opacity=".13"/>
      <rect x="96" y="62" width="128" height="150" rx="9" fill="${tin}"/>
      <rect x="90" y="40" width="140" height="30" rx="7" fill="${lid}"/>
      <rect x="96" y="70" width="128" height="5" fill="#000" opacity=".18"/>
      <rect x="104" y="46" width="10" height="18" rx="5" fill="#fff" opacity=".18"/>
      <rect x="106" y="82" width="9" height="122" rx="4.5" fill="#fff" opacity=".14"/>
      <rect x="122" y="98" width="76" height="84" rx="38" fill="${label}"/>
      <path d="M180 114c-24 0-40 10-40 27 0 3.6.7 6.7 1.9 9.3 5-11.5 13.6-19.2 24.6-23.5-9.4 6.9-17 15.6-20.8 28.4h4.8c.9-2.9 1.7-5.3 2.9-7.5 16 1.6 27-11.2 26.6-33.7Z" fill="${leaf}"/>
      <rect x="143" y="166" width="34" height="3" rx="1.5" fill="${leaf}" opacity=".55"/>
    </svg>`
}
