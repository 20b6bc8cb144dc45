/** Gives names to what differs from run to run: session ids, signatures, points in time. */
import { unsign } from 'cookie-signature'
import type { RawResponse } from './raw-client.ts'

/** A point in time, as ms from the moment at which it was seen. Equal within `TOLERANCE`. */
export class Instant {
  readonly ahead: number
  constructor(time: number) {
    this.ahead = time - Date.now()
  }
}

/** A duration in ms that was computed from the clock. Equal within `TOLERANCE`. */
export class Duration {
  readonly ms: number
  constructor(ms: number) {
    this.ms = ms
  }
}

export const TOLERANCE = 2000

/** 24 bytes as base64url: what both packages generate. */
const GENERATED_ID = /(?<![\w-])[\w-]{32}(?![\w-])/g

const SIGNED_COOKIE = /s(?:%3A|:)([^;,\s"]+)/g

const INSTANT_FIELDS = new Set(['expires', '_expires'])
const DURATION_FIELDS = new Set(['originalMaxAge', 'maxAge'])

export class Normalizer {
  readonly #secrets: readonly string[]
  readonly #names = new Map<string, string>()

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets
  }

  /** The text with signed ids as `s:SID1 signed with secret 1`, and ids as `SID1` in order of appearance. */
  text(text: string): string {
    return text
      .replace(SIGNED_COOKIE, (whole, encoded: string) => this.#signed(whole, encoded))
      .replace(GENERATED_ID, (id) => this.#name(id))
  }

  /** JSON data with the same replacements in all of its strings, and with its times as Instant and Duration. */
  value(value: unknown, field = ''): unknown {
    if (value instanceof Instant || value instanceof Duration) return value
    if (value instanceof Date) return new Instant(value.getTime())
    if (typeof value === 'string') {
      return INSTANT_FIELDS.has(field) && !Number.isNaN(Date.parse(value))
        ? new Instant(Date.parse(value))
        : this.text(value)
    }
    if (typeof value === 'number' && DURATION_FIELDS.has(field)) return new Duration(value)
    if (Array.isArray(value)) return value.map((item) => this.value(item))
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries((value as { toJSON?: () => object }).toJSON?.() ?? value)
      return Object.fromEntries(entries.map(([name, item]) => [this.text(name), this.value(item, name)]))
    }
    if (typeof value === 'function') return 'a function'
    return value
  }

  error(error: unknown): unknown {
    if (!(error instanceof Error)) return this.value(error)
    const { code } = error as { code?: unknown }
    return { name: error.name, message: this.text(error.message), ...(code === undefined ? {} : { code }) }
  }

  response({ status, reason, headers, body, ending }: RawResponse): unknown {
    const fields: Record<string, string[]> = {}
    const cookies: unknown[] = []
    for (const [name, value] of headers) {
      if (name.toLowerCase() === 'set-cookie') cookies.push(this.#cookie(value))
      else if (name.toLowerCase() !== 'date') fields[name] = [...(fields[name] ?? []), this.text(value)]
    }
    const text = body.toString('utf8')
    return { status, reason, headers: fields, cookies, body: this.#body(text), ending }
  }

  /** A Set-Cookie line by its attributes in their order, `Expires` as an instant. */
  #cookie(line: string): unknown {
    const [pair = '', ...attributes] = line.split('; ')
    const parsed = attributes.map((attribute) => {
      const [name = '', value] = attribute.split(/=(.*)/s)
      return [
        name,
        name === 'Expires' && value !== undefined ? new Instant(Date.parse(value)) : (value ?? true),
      ]
    })
    return {
      cookie: this.text(pair),
      attributes: parsed.map(([name]) => name).join(', '),
      ...Object.fromEntries(parsed),
    }
  }

  #body(text: string): unknown {
    try {
      return this.value(JSON.parse(text))
    } catch {
      return this.text(text)
    }
  }

  #signed(whole: string, encoded: string): string {
    let signed: string
    try {
      signed = decodeURIComponent(encoded)
    } catch {
      return whole
    }
    const secret = this.#secrets.findIndex((candidate) => unsign(signed, candidate) !== false)
    if (secret === -1) return whole
    const id = unsign(signed, this.#secrets[secret]!) as string
    return `s:${this.text(id)} signed with secret ${secret + 1}`
  }

  #name(id: string): string {
    const name = this.#names.get(id) ?? `SID${this.#names.size + 1}`
    this.#names.set(id, name)
    return name
  }
}
