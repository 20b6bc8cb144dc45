/**
 * What happens to sessions, for tracing: channels of node:diagnostics_channel. Nothing is made or published where
 * nobody has subscribed. `id` is the hash of the session id: the id itself opens the session, and has no place in a
 * trace.
 */
import { type Channel, channel } from 'node:diagnostics_channel'

/** A session was looked up: `{ id, found, store }`. */
export const loadChannel: Channel = channel('fast-session:load')
/** A session was stored: `{ id, bytes, attempts, store }`. */
export const commitChannel: Channel = channel('fast-session:commit')
/** Another request had stored the session first; the two are merged: `{ id, attempts, store }`. */
export const conflictChannel: Channel = channel('fast-session:conflict')
/** The expiry of an unchanged session was moved: `{ id, expires, store }`. */
export const touchChannel: Channel = channel('fast-session:touch')
/** A store failed or did not answer in time: `{ error, store }`. */
export const storeErrorChannel: Channel = channel('fast-session:store-error')

/** Publishes a message, if somebody listens. */
export function publish(channel: Channel, message: object): void {
  if (channel.hasSubscribers) channel.publish(message)
}
