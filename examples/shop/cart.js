/** The shopping cart of a session. */
import { findTea } from './catalogue.js'

/** @typedef {import('express').Request['session']} Session */

/** How many tins of one tea an order can have. */
export const MOST = 20

/**
 * The lines of a cart, with their teas.
 *
 * @param {Session} session
 */
export function cartLines(session) {
  return Object.entries(session.cart ?? {}).flatMap(([id, tins]) => {
    const tea = findTea(id)
    return tea === undefined ? [] : [{ tea, tins, total: tea.price * tins }]
  })
}

/** @param {Session} session */
export function cartTins(session) {
  return cartLines(session).reduce((sum, { tins }) => sum + tins, 0)
}

/** @param {Session} session */
export function cartTotal(session) {
  return cartLines(session).reduce((sum, { total }) => sum + total, 0)
}

/**
 * Sets how many tins of a tea the cart holds; none takes the tea out.
 *
 * @param {Session} session
 * @param {string} id
 * @param {number} tins
 */
export function setTins(session, id, tins) {
  session.cart ??= {}
  if (tins > 0) session.cart[id] = Math.min(tins, MOST)
  else delete session.cart[id]
}
