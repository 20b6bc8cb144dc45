/** What the shop keeps in a session, so that `req.session.cart` has a type everywhere. */
import type { Flash } from 'fast-session/flash'

declare module 'fast-session' {
  interface SessionData {
    /** Who is logged in: the name of a user. By this field the store finds all sessions of somebody. */
    owner: string
    /** What the list of somebody's sessions calls this one. */
    label: string
    /** How many tins of which tea. */
    cart: Record<string, number>
    /** What was filled in at the checkout so far. */
    checkout: Checkout
    /** What was ordered in this session, the latest first. */
    orders: Order[]
    /** Where to go after the login. */
    returnTo: string
    /** The token that every form carries. */
    csrf: string
  }
}

export interface Checkout {
  address?: Record<string, string>
  delivery?: { method: string; gift: boolean; note: string }
}

export interface Order {
  number: string
  placed: number
  tins: number
  total: number
}

export type { Flash }
