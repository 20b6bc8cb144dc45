/**
 * The record that a store keeps: a header (version byte, times, flags) around the payload.
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 1 | version, 1 |
 * | 1 | 1 | flags: 1 has cookie overrides and more in an extras map |
 * | 2 | 8 | created, ms since the epoch, float64 big-endian |
 * | 10 | 8 | expires of the cookie, ms since the epoch, NaN for none |
 * | 18 | 8 | originalMaxAge, ms, NaN for none |
 * | 26 | n | the extras map (MessagePack), only with flag 1 |
 * | 26+n | | the payload (MessagePack map) |
 */
export interface RecordHeader {
  /** When the session began, ms since the epoch. */
  created: number
  /** When the cookie expires, ms since the epoch; null for a cookie that ends with the browser session. */
  expires: number | null
  /** The cookie's lifetime as last set, ms; null for a cookie that ends with the browser session. */
  originalMaxAge: number | null
  /** What is kept beside the payload: attributes a handler set on this one cookie, `owner`, `label`, … */
  extras: Readonly<Record<string, unknown>> | null
}
