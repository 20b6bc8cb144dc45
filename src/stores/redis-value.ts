/**
 * What a record is in Redis: a string of a printable header and the payload.
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 1 | 0xC1, which begins neither UTF-8 text (RFC 3629) nor MessagePack: all else is another program's value |
 * | 1 | 20 | version |
 * | 21 | 1 | `+` when an owner follows, `-` when the payload does |
 * | 22 | 22 | only with `+`: the tag of the owner |
 * | 44 | 16 | only with `+`: until when the index of that owner holds the record, in ms since the epoch |
 * | 22 or 60 | n | payload |
 *
 * When the record ends is no part of it: that is the key's time to live.
 */

import { hash } from 'node:crypto'
import type { RecordVersion, StoredRecord } from './store.ts'

export const MARK = 0xc1
export const VERSION = 1
export const VERSION_LENGTH = 20
export const KIND = VERSION + VERSION_LENGTH
export const TAG = KIND + 1
export const TAG_LENGTH = 22
export const INDEXED_UNTIL = TAG + TAG_LENGTH
export const OWNED_HEADER = INDEXED_UNTIL + 16

/** The last moment that a Date can hold: when a key without a time to live ends. */
export const END_OF_TIME = 8.64e15

export interface Ownership {
  readonly tag: string
  /** Until when the owner's index holds the record, in ms since the epoch. */
  readonly indexedUntil: number
}

export function encodeValue(version: string, owned: Ownership | undefined, payload: Uint8Array): Buffer {
  const kind = owned === undefined ? '-' : `+${owned.tag}${String(owned.indexedUntil).padStart(16, '0')}`
  const header = String.fromCharCode(MARK) + version + kind
  const value = Buffer.allocUnsafe(header.length + payload.length)
  value.write(header, 'latin1')
  value.set(payload, header.length)
  return value
}

/** Of a value without our header, such as the JSON of connect-redis, all is payload and the version its SHA-1. */
export function decodeValue(value: Buffer, expires: number): StoredRecord {
  if (!isOurs(value)) return { payload: value, version: hash('sha1', value), expires }
  const owned = isOwned(value)
  return {
    payload: value.subarray(owned ? OWNED_HEADER : TAG),
    version: value.toString('latin1', VERSION, owned ? INDEXED_UNTIL : KIND),
    expires,
  }
}

export function ownershipOf(value: Buffer): Ownership | undefined {
  if (!isOurs(value) || !isOwned(value)) return undefined
  return {
    tag: value.toString('latin1', TAG, INDEXED_UNTIL),
    indexedUntil: Number(value.toString('latin1', INDEXED_UNTIL, OWNED_HEADER)),
  }
}

/** What the caller gets as the version of a record: with the owner in it, `write` knows who is in the index already. */
export function recordVersion(version: string, tag: string | undefined): string {
  return tag === undefined ? version : `${version}+${tag}`
}

/** The bytes of a record version that compare-and-set compares: ours without the owner, or the SHA-1. */
export function comparedVersion(version: RecordVersion): Buffer {
  const text = String(version)
  return Buffer.from(text.length === 40 ? text : text.slice(0, VERSION_LENGTH), 'latin1')
}

/** Whether the record of that version belonged to that owner. */
export function isVersionOf(tag: string, version: RecordVersion | null): boolean {
  return String(version).slice(VERSION_LENGTH) === `+${tag}`
}

/** Owners are arbitrary strings: 128 bits of their SHA-256 make a key, and tell the store's reader no names. */
export function ownerTag(owner: string): string {
  return hash('sha256', owner, 'base64url').slice(0, TAG_LENGTH)
}

function isOurs(value: Buffer): boolean {
  return value.length >= TAG && value[0] === MARK
}

function isOwned(value: Buffer): boolean {
  return value[KIND] === 0x2b
}
