// Base64 and base64url without padding, RFC 4648 sections 4 and 5.

/** What to add to a value to get its character, by class: a-z, ten digits, the last two of the alphabet, A-Z. */
const BASE64 = i8x16(71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0)
const BASE64URL = i8x16(71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -17, 32, 65, 0, 0)

/** 32 bytes as 43 characters of base64. Writes 48 bytes. */
export function digestToBase64(bytes: usize, text: usize): void {
  encodeDigest(bytes, text, BASE64)
}

/** 32 bytes as 43 characters of base64url. Writes 48 bytes. */
export function digestToBase64url(bytes: usize, text: usize): void {
  encodeDigest(bytes, text, BASE64URL)
}

/** 24 bytes as 32 characters of base64url. Reads 28 bytes. */
export function idToBase64url(bytes: usize, text: usize): void {
  v128.store(text, encode12(v128.load(bytes), BASE64URL))
  v128.store(text, encode12(v128.load(bytes, 12), BASE64URL), 16)
}

function encodeDigest(bytes: usize, text: usize, alphabet: v128): void {
  v128.store(text, encode12(v128.load(bytes), alphabet))
  v128.store(text, encode12(v128.load(bytes, 12), alphabet), 16)
  // The last 8 bytes, followed by zeros (section 3.5).
  v128.store(text, encode12(v128.load64_zero(bytes, 24), alphabet), 32)
}

/** Twelve bytes as sixteen characters, four groups of 24 bits at once; no table that a secret would index. */
// @ts-ignore: decorator
@inline function encode12(bytes: v128, alphabet: v128): v128 {
  const group = i8x16.swizzle(bytes, i8x16(2, 1, 0, -1, 5, 4, 3, -1, 8, 7, 6, -1, 11, 10, 9, -1))
  const first = i32x4.shr_u(group, 18)
  const second = v128.and(i32x4.shr_u(group, 4), i32x4.splat(0x3f00))
  const third = v128.and(i32x4.shl(group, 10), i32x4.splat(0x3f0000))
  const fourth = v128.and(i32x4.shl(group, 24), i32x4.splat(0x3f000000))
  const values = v128.or(v128.or(first, second), v128.or(third, fourth))
  const upperCase = v128.and(i8x16.lt_u(values, i8x16.splat(26)), i8x16.splat(13))
  const kind = v128.or(i8x16.sub_sat_u(values, i8x16.splat(51)), upperCase)
  return i8x16.add(values, i8x16.swizzle(alphabet, kind))
}
