/** The overview of the teas, and a page for each. A visitor who only looks around gets no cookie. */
import { Router } from 'express'
import { MOST, setTins } from '../cart.js'
import { findTea, price, teas } from '../catalogue.js'
import { csrfField } from '../csrf.js'
import { count } from '../form.js'
import { html } from '../html.js'
import { sendPage, tinOf } from './layout.js'

export const teaPages = Router()

teaPages.get('/', (req, res) => {
  sendPage(req, res, { title: 'Teas', main: overview() })
})

teaPages.get('/teas/:id', (req, res, next) => {
  const tea = findTea(req.params.id)
  if (tea === undefined) return next()
  sendPage(req, res, { title: tea.name, main: teaPage(req, tea) })
})

teaPages.post('/teas/:id', async (req, res, next) => {
  const tea = findTea(req.params.id)
  if (tea === undefined) return next()
  const added = Math.max(1, count(req, 'tins') ?? 1)
  // Atomic: the same tea may be added in another tab at this moment, and both tins count.
  await req.session.update((session) => setTins(session, tea.id, (session.cart?.[tea.id] ?? 0) + added))
  req.flash('success', '%s is in your cart.', tea.name)
  res.redirect(303, '/cart')
})

function overview() {
  return html`
    <div class="hero">
      <h1>Six teas, chosen slowly</h1>
      <p>Whole leaves in tins of a hundred grams, from people whose names we know.</p>
    </div>
    <ul class="grid">
      ${teas.map(
        (tea) => html`
          <li class="card">
            ${tinOf(tea)}
            <div class="card-text">
              <p class="origin">${tea.origin}</p>
              <h2><a href="/teas/${tea.id}">${tea.name}</a></h2>
              <p>${tea.line}</p>
              <p class="price">${price(tea.price)}</p>
            </div>
          </li>`,
      )}
    </ul>`
}

/**
 * @param {import('express').Request} req
 * @param {import('../catalogue.js').Tea} tea
 */
function teaPage(req, tea) {
  return html`
    <article class="product">
      <div class="picture">${tinOf(tea)}</div>
      <div>
        <p class="origin">${tea.origin}</p>
        <h1>${tea.name}</h1>
        <p class="lead">${tea.line}</p>
        <p>${tea.text}</p>
        <dl class="facts">
          <div><dt>Brew at</dt><dd>${tea.water}</dd></div>
          <div><dt>A tin</dt><dd>100 g, about 40 cups</dd></div>
        </dl>
        <form method="post" class="buy">
          ${csrfField(req)}
          <p class="price large">${price(tea.price)}</p>
          <div class="field">
            <label for="tins">Tins</label>
            <input id="tins" name="tins" type="number" inputmode="numeric" min="1" max="${MOST}" value="1" required>
          </div>
          <button class="button">Add to cart</button>
        </form>
      </div>
    </article>`
}
