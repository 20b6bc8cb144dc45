// Session ids from a pool of random bytes, and what a store is told instead of them.

import { digestToBase64url, idToBase64url } from './base64'
import { DIGEST, INPUT, POOL, POOL_SIZE, TEXT } from './memory'
import { finish, startHash } from './sha256'

/** Random bytes of an id. */
const ID: i32 = 24

/** Bytes of the pool that ids were made of. */
let spent = POOL_SIZE

/** JavaScript has filled POOL anew. */
export function poolFilled(): void {
  spent = 0
}

/** Leaves a new id in TEXT, 32 characters, and wipes the bytes that it was made of; false when the pool is empty. */
export function takeId(): bool {
  if (spent == POOL_SIZE) return false
  const bytes = POOL + spent
  idToBase64url(bytes, TEXT)
  v128.store(bytes, i64x2.splat(0))
  store<u64>(bytes, 0, 16)
  spent += ID
  return true
}

/** SHA-256 of the text whose rest lies at INPUT: 43 characters in TEXT. */
export function finishHash(length: i32): void {
  finish(INPUT, length)
  digestToBase64url(DIGEST, TEXT)
}

export function hash(length: i32): void {
  startHash()
  finishHash(length)
}
