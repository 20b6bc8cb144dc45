/** The checkout: a form in three steps. What was filled in is kept, whichever way one walks through it. */
import { randomInt } from 'node:crypto'
import { Router } from 'express'
import { cartLines, cartTins, cartTotal } from '../cart.js'
import { deliveries, findDelivery, price } from '../catalogue.js'
import { csrfField } from '../csrf.js'
import { input, text } from '../form.js'
import { html } from '../html.js'
import { fullName } from '../users.js'
import { requireLogin } from './account.js'
import { sendPage } from './layout.js'

/** @typedef {import('express').Request} Request */

export const checkoutPages = Router()

checkoutPages.use('/checkout', requireLogin)

checkoutPages.use(['/checkout/address', '/checkout/delivery', '/checkout/review'], (req, res, next) => {
  if (cartLines(req.session).length > 0) return next()
  req.flash('info', 'There is nothing to check out yet.')
  res.redirect(303, '/cart')
})

checkoutPages.get('/checkout', (_req, res) => res.redirect(303, '/checkout/address'))

checkoutPages.get('/checkout/address', (req, res) => {
  sendPage(req, res, { title: 'Address', main: addressStep(req) })
})

checkoutPages.post('/checkout/address', (req, res) => {
  const address = Object.fromEntries(FIELDS.map(({ name }) => [name, text(req, name)]))
  req.session.checkout = { ...req.session.checkout, address }
  if (missing(address).length === 0) return res.redirect(303, '/checkout/delivery')
  res.status(422)
  sendPage(req, res, { title: 'Address', main: addressStep(req, missing(address)) })
})

checkoutPages.get('/checkout/delivery', requireAddress, (req, res) => {
  sendPage(req, res, { title: 'Delivery', main: deliveryStep(req) })
})

checkoutPages.post('/checkout/delivery', requireAddress, (req, res) => {
  const method = findDelivery(text(req, 'method'))?.id ?? 'standard'
  const delivery = { method, gift: text(req, 'gift') === 'yes', note: text(req, 'note', 500) }
  req.session.checkout = { ...req.session.checkout, delivery }
  res.redirect(303, text(req, 'go') === 'back' ? '/checkout/address' : '/checkout/review')
})

checkoutPages.get('/checkout/review', requireAddress, requireDelivery, (req, res) => {
  sendPage(req, res, { title: 'Review', main: reviewStep(req) })
})

checkoutPages.post('/checkout/review', requireAddress, requireDelivery, (req, res) => {
  const { session } = req
  const number = `KL-${randomInt(100_000, 1_000_000)}`
  const order = { number, placed: Date.now(), tins: cartTins(session), total: orderTotal(session) }
  session.orders = [order, ...(session.orders ?? [])].slice(0, 5)
  delete session.cart
  delete session.checkout
  req.flash('success', 'Thank you. Your order is on its way.')
  res.redirect(303, '/checkout/done')
})

checkoutPages.get('/checkout/done', (req, res) => {
  const order = req.session.orders?.[0]
  if (order === undefined) return res.redirect(303, '/cart')
  sendPage(req, res, { title: 'Thank you', main: donePage(order) })
})

/**
 * @param {Request} req
 * @param {import('express').Response} res
 * @param {import('express').NextFunction} next
 */
function requireAddress(req, res, next) {
  const address = req.session.checkout?.address
  if (address !== undefined && missing(address).length === 0) return next()
  res.redirect(303, '/checkout/address')
}

/**
 * @param {Request} req
 * @param {import('express').Response} res
 * @param {import('express').NextFunction} next
 */
function requireDelivery(req, res, next) {
  if (req.session.checkout?.delivery !== undefined) return next()
  res.redirect(303, '/checkout/delivery')
}

const FIELDS = [
  { name: 'name', label: 'Full name', autocomplete: 'name' },
  { name: 'street', label: 'Street and number', autocomplete: 'street-address' },
  { name: 'postcode', label: 'Postcode', autocomplete: 'postal-code', className: 'short' },
  { name: 'city', label: 'Town or city', autocomplete: 'address-level2' },
  { name: 'country', label: 'Country', autocomplete: 'country-name' },
]

/**
 * The names of the fields that are still empty.
 *
 * @param {Record<string, string>} address
 */
function missing(address) {
  return FIELDS.map(({ name }) => name).filter((name) => !address[name])
}

/** @param {Request['session']} session */
function orderTotal(session) {
  return cartTotal(session) + (findDelivery(session.checkout?.delivery?.method)?.price ?? 0)
}

/**
 * @param {Request} req
 * @param {readonly string[]} empty The fields to complain about.
 */
function addressStep(req, empty = []) {
  const { session } = req
  const address = session.checkout?.address ?? { name: fullName(session.owner) ?? '' }
  return step(
    req,
    0,
    'Where does it go?',
    html`
      ${empty.length > 0 && html`<p class="flash error" role="alert">Please fill in what is marked below.</p>`}
      <div class="fields">
        ${FIELDS.map((field) =>
          input({
            ...field,
            value: address[field.name],
            error: empty.includes(field.name) ? `${field.label} is missing.` : undefined,
          }),
        )}
      </div>
      <div class="actions">
        <a class="button quiet" href="/cart">Back to the cart</a>
        <button class="button">Go on to delivery</button>
      </div>`,
  )
}

/** @param {Request} req */
function deliveryStep(req) {
  const chosen = req.session.checkout?.delivery ?? { method: 'standard', gift: false, note: '' }
  return step(
    req,
    1,
    'How should it travel?',
    html`
      <fieldset class="choices">
        <legend>Delivery</legend>
        ${deliveries.map(
          ({ id, name, text, price: cents }) => html`
            <label class="choice">
              <input type="radio" name="method" value="${id}" ${id === chosen.method && html`checked`}>
              <span><strong>${name}</strong><small>${text}</small></span>
              <span class="price">${cents === 0 ? 'free' : price(cents)}</span>
            </label>`,
        )}
      </fieldset>
      <label class="check">
        <input type="checkbox" name="gift" value="yes" ${chosen.gift && html`checked`}>
        <span>Wrap it as a gift</span>
      </label>
      <div class="field">
        <label for="note">A note to go with it <span class="optional">(if you like)</span></label>
        <textarea id="note" name="note" rows="3" maxlength="500">${chosen.note}</textarea>
      </div>
      <div class="actions">
        <button class="button quiet" name="go" value="back">Back to the address</button>
        <button class="button">Go on to review</button>
      </div>`,
  )
}

/** @param {Request} req */
function reviewStep(req) {
  const { session } = req
  const { address = {}, delivery } = session.checkout ?? {}
  const method = findDelivery(delivery?.method)
  return step(
    req,
    2,
    'All as it should be?',
    html`
      <div class="review">
        <section aria-labelledby="to">
          <h2 id="to">Goes to</h2>
          <p>${address['name']}<br>${address['street']}<br>${address['postcode']} ${address['city']}<br>${address['country']}</p>
          <p><a href="/checkout/address">Change<span class="hidden"> the address</span></a></p>
        </section>
        <section aria-labelledby="by">
          <h2 id="by">Travels</h2>
          <p>${method?.name}: ${method?.text}${delivery?.gift && html`<br>Wrapped as a gift`}</p>
          ${delivery?.note && html`<p class="note">${delivery.note}</p>`}
          <p><a href="/checkout/delivery">Change<span class="hidden"> the delivery</span></a></p>
        </section>
      </div>
      <dl class="sums">
        ${cartLines(session).map(({ tea, tins, total }) => html`<div><dt>${tins} × ${tea.name}</dt><dd>${price(total)}</dd></div>`)}
        <div><dt>Delivery</dt><dd>${method?.price === 0 ? 'free' : price(method?.price ?? 0)}</dd></div>
        <div class="total"><dt>Total</dt><dd>${price(orderTotal(session))}</dd></div>
      </dl>
      <div class="actions">
        <a class="button quiet" href="/checkout/delivery">Back to delivery</a>
        <button class="button">Place the order</button>
      </div>`,
  )
}

const STEPS = ['Address', 'Delivery', 'Review']

/**
 * @param {Request} req
 * @param {number} at
 * @param {string} question
 * @param {import('../html.js').Html} content
 */
function step(req, at, question, content) {
  return html`
    <div class="medium">
      <ol class="steps" aria-label="Checkout">
        ${STEPS.map(
          (name, index) => html`
            <li class="${index < at ? 'done' : ''}" ${index === at && html`aria-current="step"`}>
              <span class="number">${index + 1}</span>${name}<span class="hidden">${index < at && ', done'}</span>
            </li>`,
        )}
      </ol>
      <h1>${question}</h1>
      <form method="post" class="panel form" novalidate>
        ${csrfField(req)}
        ${content}
      </form>
    </div>`
}

/** @param {import('../session.d.ts').Order} order */
function donePage({ number, tins, total }) {
  return html`
    <div class="empty">
      <h1>Order ${number}</h1>
      <p>${tins} ${tins === 1 ? 'tin' : 'tins'} for ${price(total)}. Put the kettle on; this was a demo.</p>
      <p><a class="button" href="/">Back to the teas</a></p>
    </div>`
}
