// SHA-256, FIPS 180-4 section 6.2.

import { DIGEST, SCHEDULE, STATE, TAIL, TAIL_SIZE } from './memory'

/** Bytes of a message block. */
export const BLOCK: usize = 64

// Section 4.2.2
const K = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
], 16)

// Section 5.3.3
const H0 = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
], 16)

/** Bytes of the message that are in STATE already. */
let absorbed: u64 = 0

/** Starts a hash at a given state, reached after `length` bytes. */
export function resume(state: usize, length: u64): void {
  memory.copy(STATE, state, 32)
  absorbed = length
}

export function start(): void {
  resume(H0, 0)
}

/** Hashes whole blocks. */
export function update(message: usize, length: usize): void {
  for (let block = message, end = message + length; block < end; block += BLOCK) compress(block)
  absorbed += length
}

/** Hashes the rest of the message, pads it (section 5.1.1) and leaves the digest in DIGEST. */
export function finish(message: usize, length: usize): void {
  const rest = length % BLOCK
  update(message, length - rest)
  const padded = rest < 56 ? BLOCK : TAIL_SIZE
  memory.fill(TAIL, 0, TAIL_SIZE)
  memory.copy(TAIL, message + length - rest, rest)
  store<u8>(TAIL + rest, 0x80)
  store<u64>(TAIL + padded - 8, bswap((absorbed + rest) << 3))
  for (let at: usize = 0; at < padded; at += BLOCK) compress(TAIL + at)
  for (let at: usize = 0; at < 32; at += 4) store<u32>(DIGEST + at, bswap(load<u32>(STATE + at)))
}

/** Section 6.2.2: one block into STATE. */
function compress(block: usize): void {
  for (let t: usize = 0; t < 64; t += 4) store<u32>(SCHEDULE + t, bswap(load<u32>(block + t)))
  for (let t: usize = 64; t < 256; t += 4) {
    const w = SCHEDULE + t
    store<u32>(w, σ1(load<u32>(w - 8)) + load<u32>(w - 28) + σ0(load<u32>(w - 60)) + load<u32>(w - 64))
  }

  let a = load<u32>(STATE)
  let b = load<u32>(STATE, 4)
  let c = load<u32>(STATE, 8)
  let d = load<u32>(STATE, 12)
  let e = load<u32>(STATE, 16)
  let f = load<u32>(STATE, 20)
  let g = load<u32>(STATE, 24)
  let h = load<u32>(STATE, 28)
  for (let t: usize = 0; t < 256; t += 4) {
    const T1 = h + Σ1(e) + Ch(e, f, g) + load<u32>(K + t) + load<u32>(SCHEDULE + t)
    const T2 = Σ0(a) + Maj(a, b, c)
    h = g
    g = f
    f = e
    e = d + T1
    d = c
    c = b
    b = a
    a = T1 + T2
  }
  store<u32>(STATE, load<u32>(STATE) + a)
  store<u32>(STATE, load<u32>(STATE, 4) + b, 4)
  store<u32>(STATE, load<u32>(STATE, 8) + c, 8)
  store<u32>(STATE, load<u32>(STATE, 12) + d, 12)
  store<u32>(STATE, load<u32>(STATE, 16) + e, 16)
  store<u32>(STATE, load<u32>(STATE, 20) + f, 20)
  store<u32>(STATE, load<u32>(STATE, 24) + g, 24)
  store<u32>(STATE, load<u32>(STATE, 28) + h, 28)
}

// Section 4.1.2

// @ts-ignore: decorator
@inline function Ch(x: u32, y: u32, z: u32): u32 { return ((y ^ z) & x) ^ z }
// @ts-ignore: decorator
@inline function Maj(x: u32, y: u32, z: u32): u32 { return (x & y) | (z & (x | y)) }
// @ts-ignore: decorator
@inline function Σ0(x: u32): u32 { return rotr(x, 2) ^ rotr(x, 13) ^ rotr(x, 22) }
// @ts-ignore: decorator
@inline function Σ1(x: u32): u32 { return rotr(x, 6) ^ rotr(x, 11) ^ rotr(x, 25) }
// @ts-ignore: decorator
@inline function σ0(x: u32): u32 { return rotr(x, 7) ^ rotr(x, 18) ^ (x >> 3) }
// @ts-ignore: decorator
@inline function σ1(x: u32): u32 { return rotr(x, 17) ^ rotr(x, 19) ^ (x >> 10) }
