/**
 * The record that a store keeps: a header (version byte, times, flags) around the payload.
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 1 | version, 1 |
 * | 1 | 1 | flags: 1 has cookie overrides and more in an extras map, 2 has a cookie with a lifetime |
 * | 2 | 8 | created, ms since the epoch, float64 big-endian |
 * | 10 | 8 | expires of the cookie, ms since the epoch, NaN for none; only with flag 2 |
 * | 18 | 8 | originalMaxAge, ms, NaN for none; only with flag 2 |
 * | | n | the extras map (MessagePack), only with flag 1 |
 * | | | the payload (MessagePack map) |
 */

import { SessionError } from '../errors.ts'
import { createSlab } from '../slab.ts'
import { DEFAULT_MAX_BYTES } from './format.ts'
import { decodePartPlain, encodePlain } from './plain.ts'

export interface RecordHeader {
  /** When the session began, ms since the epoch; NaN when nobody knows (express-session doesn't store it). */
  created: number
  /** When the cookie expires, ms since the epoch; null for a cookie that ends with the browser session. */
  expires: number | null
  /** The cookie's lifetime as last set, ms; null for a cookie that ends with the browser session. */
  originalMaxAge: number | null
  /**
   * What is kept beside the payload: `cookie` (attributes that a handler set on this one cookie), `owner`,
   * `label`, … Keys that are unknown here pass through.
   */
  extras: Readonly<Record<string, unknown>> | null
}

export type DecodedRecord =
  /** A record of ours. `payload` is a view into the record's bytes. */
  | { readonly kind: 'record'; readonly header: RecordHeader; readonly payload: Uint8Array }
  /** A session that express-session wrote as JSON text. `data` is the session without its `cookie`. */
  | { readonly kind: 'json'; readonly header: RecordHeader; readonly data: Record<string, unknown> }

const VERSION = 1
const HAS_EXTRAS = 1
const HAS_LIFETIME = 2
const FLAGS = HAS_EXTRAS | HAS_LIFETIME
const SHORT_HEADER = 10
const LONG_HEADER = 26
const JSON_TEXT = 0x7b // {

/** The bytes of a record. Throws SessionError (ERR_SESSION_ENCODE) when the extras can't be encoded. */
export function encodeRecord(header: RecordHeader, payload: Uint8Array): Uint8Array {
  const extras = header.extras === null ? undefined : encodePlain(header.extras, DEFAULT_MAX_BYTES)
  const extrasBytes = extras === undefined ? 0 : extras.length
  const hasLifetime = header.expires !== null || header.originalMaxAge !== null
  const headerBytes = hasLifetime ? LONG_HEADER : SHORT_HEADER
  const bytes = room(headerBytes + extrasBytes + payload.length)
  bytes[0] = VERSION
  bytes[1] = (extras === undefined ? 0 : HAS_EXTRAS) | (hasLifetime ? HAS_LIFETIME : 0)
  times.setFloat64(0, header.created)
  if (hasLifetime) {
    times.setFloat64(8, header.expires ?? Number.NaN)
    times.setFloat64(16, header.originalMaxAge ?? Number.NaN)
  }
  for (let i = 2; i < headerBytes; i++) bytes[i] = timeBytes[i - 2] as number
  if (extras !== undefined) bytes.set(extras, headerBytes)
  bytes.set(payload, headerBytes + extrasBytes)
  return bytes
}

// Hot: a DataView of each record would take 60 ns of the 80 that it takes to read a header.
const timeBytes = new Uint8Array(24)
const times = new DataView(timeBytes.buffer)

const room = createSlab()

/**
 * Takes a record apart. Bytes that begin with `{` are JSON text, as express-session's stores write it. Throws
 * SessionError (ERR_SESSION_DECODE) on a version that it does not know, or on anything else.
 */
export function decodeRecord(bytes: Uint8Array): DecodedRecord {
  if (bytes[0] === JSON_TEXT) return decodeJsonRecord(bytes)
  if (bytes[0] !== VERSION) throw unreadable(`its version is ${bytes[0] ?? 'missing'}, not ${VERSION}`)
  const flags = bytes[1] as number
  if ((flags & ~FLAGS) !== 0) throw unreadable(`its flags are ${flags}`)
  const hasLifetime = (flags & HAS_LIFETIME) !== 0
  const headerBytes = hasLifetime ? LONG_HEADER : SHORT_HEADER
  if (bytes.length < headerBytes) throw unreadable('it is shorter than its header')
  for (let i = 2; i < headerBytes; i++) timeBytes[i - 2] = bytes[i] as number
  const created = times.getFloat64(0)
  const expires = hasLifetime ? times.getFloat64(8) : Number.NaN
  const originalMaxAge = hasLifetime ? times.getFloat64(16) : Number.NaN
  let extras: RecordHeader['extras'] = null
  let start = headerBytes
  if ((flags & HAS_EXTRAS) !== 0) {
    const decoded = decodePartPlain(bytes, headerBytes, 0)
    if (!isPlainObject(decoded.value)) throw unreadable('its extras are no map')
    extras = decoded.value
    start = decoded.end
  }
  return {
    kind: 'record',
    header: {
      created,
      expires: Number.isNaN(expires) ? null : expires,
      originalMaxAge: Number.isNaN(originalMaxAge) ? null : originalMaxAge,
      extras,
    },
    payload: bytes.subarray(start),
  }
}

/** The attributes that express-session keeps in a session's `cookie`, with the types that each may have. */
const COOKIE_ATTRIBUTES: Readonly<Record<string, ReadonlyArray<'string' | 'boolean'>>> = {
  domain: ['string'],
  httpOnly: ['boolean'],
  partitioned: ['boolean'],
  path: ['string'],
  priority: ['string'],
  sameSite: ['string', 'boolean'],
  secure: ['boolean', 'string'],
}

function decodeJsonRecord(bytes: Uint8Array): DecodedRecord {
  let session: Record<string, unknown>
  try {
    session = JSON.parse(textDecoder.decode(bytes))
  } catch (cause) {
    throw unreadable('it begins like JSON but is not', cause)
  }
  const { cookie, ...data } = session
  const attributes: Record<string, unknown> = isPlainObject(cookie) ? cookie : {}
  const expires = typeof attributes['expires'] === 'string' ? Date.parse(attributes['expires']) : Number.NaN
  const { originalMaxAge } = attributes
  const overrides: Record<string, unknown> = {}
  for (const [name, types] of Object.entries(COOKIE_ATTRIBUTES)) {
    const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined
    if ((types as readonly string[]).includes(typeof value)) overrides[name] = value
  }
  return {
    kind: 'json',
    header: {
      created: Number.NaN,
      expires: Number.isNaN(expires) ? null : expires,
      originalMaxAge: typeof originalMaxAge === 'number' ? originalMaxAge : null,
      extras: Object.keys(overrides).length > 0 ? { cookie: overrides } : null,
    },
    data,
  }
}

const textDecoder = new TextDecoder('utf-8', { fatal: true })

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function unreadable(problem: string, cause?: unknown): SessionError {
  return new SessionError(
    'ERR_SESSION_DECODE',
    `The stored session can't be read: ${problem}. Was it written by a newer version, or by another package?`,
    cause === undefined ? undefined : { cause },
  )
}
