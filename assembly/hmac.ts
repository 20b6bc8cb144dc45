// HMAC-SHA256, RFC 2104: keys and the signatures made with them.

import { digestToBase64 } from './base64'
import { DIGEST, INPUT, INPUT_SIZE, KEY, SCHEDULE, STATE, TEXT } from './memory'
import { BLOCK, DIGEST_LENGTH, absorb, copyHashValue, finish, resume, startHash } from './sha256'

const INNER = KEY
const OUTER = KEY + DIGEST_LENGTH

/** Characters of a signature, and of a signature after its dot. */
const SIGNATURE: i32 = 43
const DOT_SIGNATURE: i32 = 1 + SIGNATURE

/** Makes the key schedule, in KEY, of the key at INPUT, which has at most a block. */
export function setKey(length: i32): void {
  memory.fill(INPUT + length, 0, BLOCK - length)
  absorbPadded(0x36, INNER)
  absorbPadded(0x36 ^ 0x5c, OUTER)
  memory.fill(INPUT, 0, BLOCK)
  memory.fill(SCHEDULE, 0, 4 * BLOCK)
  memory.fill(STATE, 0, DIGEST_LENGTH)
}

/** The same of a longer key, whose rest lies at INPUT: its hash is the key (section 2). */
export function setLongKey(length: i32): void {
  finish(INPUT, length)
  memory.fill(INPUT, 0, INPUT_SIZE)
  copyHashValue(INPUT, DIGEST)
  memory.fill(DIGEST, 0, DIGEST_LENGTH)
  setKey(DIGEST_LENGTH)
}

function absorbPadded(pad: u8, schedule: usize): void {
  for (let at = INPUT; at < INPUT + BLOCK; at += 16) v128.store(at, v128.xor(v128.load(at), i8x16.splat(pad)))
  startHash()
  absorb(BLOCK)
  copyHashValue(schedule, STATE)
}

/** Starts a message under the key. */
export function startMac(): void {
  resume(INNER, BLOCK)
}

/** Signs the message whose rest lies at INPUT: 43 characters in TEXT. */
export function finishSign(length: i32): void {
  mac(length)
  digestToBase64(DIGEST, TEXT)
}

/** Whether the message whose rest lies at INPUT ends in the signature of what stands before the last dot. */
export function finishVerify(length: i32): bool {
  const dot = INPUT + length - DOT_SIGNATURE
  if (length < DOT_SIGNATURE || load<u8>(dot) != 0x2e) return false
  const claim0 = v128.load(dot, 1)
  const claim16 = v128.load(dot, 17)
  const claim27 = v128.load(dot, 28)
  finishSign(length - DOT_SIGNATURE)
  // All 43 characters are compared before the answer is known.
  const difference0 = v128.xor(claim0, v128.load(TEXT))
  const difference16 = v128.xor(claim16, v128.load(TEXT, 16))
  const difference27 = v128.xor(claim27, v128.load(TEXT, 27))
  return !v128.any_true(v128.or(v128.or(difference0, difference16), difference27))
}

export function sign(length: i32): void {
  startMac()
  finishSign(length)
}

export function verify(length: i32): bool {
  startMac()
  return finishVerify(length)
}

/** Section 2: H(K XOR opad, H(K XOR ipad, text)). */
function mac(length: i32): void {
  finish(INPUT, length)
  resume(OUTER, BLOCK)
  finish(DIGEST, DIGEST_LENGTH)
}
