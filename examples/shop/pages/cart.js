/** The cart: see it, change quantities, take teas out. */
import { Router } from 'express'
import { cartLines, cartTotal, MOST, setTins } from '../cart.js'
import { findTea, price } from '../catalogue.js'
import { csrfField } from '../csrf.js'
import { count } from '../form.js'
import { html } from '../html.js'
import { sendPage, tinOf } from './layout.js'

export const cartPages = Router()

cartPages.get('/cart', (req, res) => {
  const main = cartLines(req.session).length === 0 ? emptyCart() : fullCart(req)
  sendPage(req, res, { title: 'Cart', main })
})

cartPages.post('/cart/:id', (req, res, next) => {
  const tea = findTea(req.params.id)
  const tins = count(req, 'tins')
  if (tea === undefined || tins === undefined) return next()
  setTins(req.session, tea.id, tins)
  if (tins === 0) req.flash('info', '%s is out of your cart.', tea.name)
  res.redirect(303, '/cart')
})

function emptyCart() {
  return html`
    <div class="empty">
      <h1>Your cart is empty</h1>
      <p>Nothing in it yet. The kettle can wait a moment.</p>
      <p><a class="button" href="/">Look at the teas</a></p>
    </div>`
}

/** @param {import('express').Request} req */
function fullCart(req) {
  const { session } = req
  return html`
    <h1>Your cart</h1>
    <div class="split">
      <ul class="lines">
        ${cartLines(session).map(
          ({ tea, tins, total }) => html`
            <li class="line">
              ${tinOf(tea)}
              <div class="line-name">
                <h2><a href="/teas/${tea.id}">${tea.name}</a></h2>
                <p>${price(tea.price)} a tin</p>
              </div>
              <form method="post" action="/cart/${tea.id}" class="stepper">
                ${csrfField(req)}
                <button name="tins" value="${tins - 1}" aria-label="One tin of ${tea.name} less">−</button>
                <span aria-label="${tins} of ${tea.name}" role="img">${tins}</span>
                <button name="tins" value="${tins + 1}" aria-label="One tin of ${tea.name} more" ${tins === MOST && html`disabled`}>+</button>
              </form>
              <p class="line-total">${price(total)}</p>
              <form method="post" action="/cart/${tea.id}" class="line-remove">
                ${csrfField(req)}
                <button class="link" name="tins" value="0" aria-label="Remove ${tea.name}">Remove</button>
              </form>
            </li>`,
        )}
      </ul>
      <aside class="panel" aria-labelledby="summary">
        <h2 id="summary">Summary</h2>
        <dl class="sums">
          <div><dt>Teas</dt><dd>${price(cartTotal(session))}</dd></div>
          <div><dt>Delivery</dt><dd>at the next step</dd></div>
        </dl>
        <p><a class="button wide" href="/checkout">Check out</a></p>
        ${session.owner === undefined && html`<p class="hint">You will be asked to log in. Your cart comes along.</p>`}
      </aside>
    </div>`
}
