// Text: UTF-8 (RFC 3629) to UTF-16 and back, by vectors. Both may read and write up to 64 bytes beyond.

/**
 * For each set of the bytes among nine that continue a character of two bytes: of each character that begins in the
 * first eight, as 16-bit lanes, the last byte and the one before it. 0x80 stands for zero.
 */
const TO_UNITS = memory.data(512 * 16, 16)

/** For each set of eight 16-bit lanes: these, one after the other. */
const THESE = memory.data(256 * 16, 16)

/** For each set of the ASCII characters among eight 16-bit lanes: the first byte of these, both bytes of the others. */
const TO_BYTES = memory.data(256 * 16, 16)

/**
 * For each set of the ASCII characters among four 32-bit lanes, and above it of those of up to two bytes: the first byte
 * of the former, the first two of the latter, of all others the third one and these.
 */
const TO_MORE_BYTES = memory.data(256 * 16, 16)

for (let set: u32 = 0; set < 512; set++) {
  let units = TO_UNITS + (set << 4)
  for (let i: u32 = 0; i < 8; i++) {
    if (((set >> i) & 1) != 0) continue
    const ofTwo = ((set >> (i + 1)) & 1) != 0
    store<u16>(units, ofTwo ? (i << 8) | (i + 1) : 0x8000 | i)
    units += 2
  }
}

for (let set: u32 = 0; set < 256; set++) {
  let these = THESE + (set << 4)
  let byte = TO_BYTES + (set << 4)
  v128.store(byte, i8x16.splat(-128))
  for (let i: u32 = 0; i < 8; i++) {
    const both = ((2 * i + 1) << 8) | (2 * i)
    store<u16>(byte, both)
    byte += 2
    if (((set >> i) & 1) == 0) continue
    store<u16>(these, both)
    these += 2
    byte -= 1
  }
  let more = TO_MORE_BYTES + (set << 4)
  for (let i: u32 = 0; i < 4; i++) {
    if (((set >> (i + 4)) & 1) == 0) store<u8>(more++, i * 4 + 2)
    store<u8>(more++, i * 4)
    if (((set >> i) & 1) == 0) store<u8>(more++, i * 4 + 1)
  }
}

// V8 makes vectors of constants anew each time they are used, so they are loaded from memory: 1.5 times as fast.

/** The first so many of 32 bytes, from 32 less so many on. */
const WITHIN = memory.data<u8>([
  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
], 16)

/** Which of 16 bytes continue characters of three bytes, if there are no others. */
const ALL_OF_THREE: u32 = 0x6db6

const FIRST = memory.data<u8>([0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0], 16)
// As signed numbers the first bytes of characters of two, three and four bytes are greater than these.
const BELOW_TWO = memory.data<u8>([0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1], 16)
const BELOW_THREE = memory.data<u8>([0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf, 0xdf], 16)
const BELOW_FOUR = memory.data<u8>([0xef, 0xef, 0xef, 0xef, 0xef, 0xef, 0xef, 0xef, 0xef, 0xef, 0xef, 0xef, 0xef, 0xef, 0xef, 0xef], 16)
const UPPER_5_OF_11 = memory.data<u16>([0x7c0, 0x7c0, 0x7c0, 0x7c0, 0x7c0, 0x7c0, 0x7c0, 0x7c0], 16)
const LOW_6_OF_BOTH = memory.data<u8>([0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f], 16)
const LOW_4_OF_BOTH = memory.data<u8>([0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f], 16)
const HIGH_4_OF_BOTH = memory.data<u8>([0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0], 16)
const HIGH_5_OF_BOTH = memory.data<u8>([0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8, 0xf8], 16)
const SURROGATES = memory.data<u8>([0xd8, 0xd8, 0xd8, 0xd8, 0xd8, 0xd8, 0xd8, 0xd8, 0xd8, 0xd8, 0xd8, 0xd8, 0xd8, 0xd8, 0xd8, 0xd8], 16)
const LOW_7 = memory.data<u16>([0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f], 16)
const LOW_6 = memory.data<u16>([0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f], 16)
const MIDDLE_6 = memory.data<u16>([0xfc0, 0xfc0, 0xfc0, 0xfc0, 0xfc0, 0xfc0, 0xfc0, 0xfc0], 16)
const HIGH_4_OF_8 = memory.data<u16>([0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0], 16)
const THREE = memory.data<u16>([0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0], 16)
const HIGH_2_OF_BOTH = memory.data<u16>([0xc0c0, 0xc0c0, 0xc0c0, 0xc0c0, 0xc0c0, 0xc0c0, 0xc0c0, 0xc0c0], 16)
const CONTINUING = memory.data<u16>([0x8080, 0x8080, 0x8080, 0x8080, 0x8080, 0x8080, 0x8080, 0x8080], 16)
const HIGH_5 = memory.data<u16>([0xf800, 0xf800, 0xf800, 0xf800, 0xf800, 0xf800, 0xf800, 0xf800], 16)
const SURROGATE = memory.data<u16>([0xd800, 0xd800, 0xd800, 0xd800, 0xd800, 0xd800, 0xd800, 0xd800], 16)
const LOW_6_ABOVE = memory.data<u16>([0x3f00, 0x3f00, 0x3f00, 0x3f00, 0x3f00, 0x3f00, 0x3f00, 0x3f00], 16)
const FIRST_AND_NEXT = memory.data<u16>([0x80c0, 0x80c0, 0x80c0, 0x80c0, 0x80c0, 0x80c0, 0x80c0, 0x80c0], 16)
const SECOND_IS_FIRST = memory.data<u16>([0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40], 16)
const BEYOND_7 = memory.data<u16>([0xff80, 0xff80, 0xff80, 0xff80, 0xff80, 0xff80, 0xff80, 0xff80], 16)

// Of four characters of three bytes, as 16-bit lanes: the third and second bytes, then the first ones.
const OF_FOUR = memory.data<u8>([2, 1, 5, 4, 8, 7, 11, 10, 0, 0x80, 3, 0x80, 6, 0x80, 9, 0x80], 16)

/**
 * Makes UTF-16 of UTF-8. Answers how many code units; -1 when it is not well-formed. Each step takes 16 bytes, whatever
 * they are, so that none waits for the one before: twice as fast as steps of so many whole characters.
 */
export function widen(from: usize, length: usize, to: usize): i32 {
  const end = from + length
  const start = to
  // Which of the bytes from here on continue a character that began before, a bit for each.
  let owed: u32 = 0
  while (from < end) {
    let left = <u32>min<usize>(end - from, 16)
    // What lies beyond the text counts as zeros.
    let bytes = v128.and(v128.load(from), v128.load(WITHIN + 32 - left))
    let beyondAscii = <u32>i8x16.bitmask(bytes)
    if ((beyondAscii | owed) == 0) {
      v128.store(to, i16x8.extend_low_i8x16_u(bytes))
      v128.store(to, i16x8.extend_high_i8x16_u(bytes), 16)
      from += left
      to += left << 1
      continue
    }
    // As signed numbers: 0x80 to 0xbf continue a character, from 0xc2 on they begin one.
    let continuing = <u32>i8x16.bitmask(i8x16.lt_s(bytes, v128.load(FIRST)))
    let leading = <u32>i8x16.bitmask(i8x16.gt_s(bytes, v128.load(BELOW_TWO))) & beyondAscii
    let ofMore = <u32>i8x16.bitmask(i8x16.gt_s(bytes, v128.load(BELOW_THREE))) & beyondAscii
    if (ofMore == 0) {
      const expected = leading << 1 | owed
      if (((expected ^ continuing) & 0xffff | (leading | continuing) ^ beyondAscii) != 0) return -1
      const here = i8x16.swizzle(bytes, v128.load(TO_UNITS + ((expected & 0x1ff) << 4)))
      const rest = i8x16.swizzle(v128.load(from, 8), v128.load(TO_UNITS + (expected >> 8 << 4)))
      v128.store(to, ofUpToTwo(here))
      v128.store(to + 16 - (popcnt(expected & 0xff) << 1), ofUpToTwo(rest))
      from += left
      to += (left - popcnt(continuing)) << 1
      owed = expected >> 16
      continue
    }
    const ofFour = <u32>i8x16.bitmask(i8x16.gt_s(bytes, v128.load(BELOW_FOUR))) & beyondAscii
    if (ofFour != 0) {
      left = ctz(ofFour)
      if (left == 0) {
        if (owed != 0) return -1
        do {
          const first = <u32>load<u8>(from)
          const b1 = <u32>load<u8>(from, 1) ^ 0x80
          const b2 = <u32>load<u8>(from, 2) ^ 0x80
          const b3 = <u32>load<u8>(from, 3) ^ 0x80
          const point = (first & 0x07) << 18 | b1 << 12 | b2 << 6 | b3
          if (end - from < 4 || first > 0xf4 || (b1 | b2 | b3) > 0x3f || point < 0x10000 || point > 0x10ffff) return -1
          store<u16>(to, 0xd7c0 + (point >> 10))
          store<u16>(to, 0xdc00 | (point & 0x3ff), 2)
          from += 4
          to += 4
        } while (from < end && load<u8>(from) > 0xef)
        continue
      }
      const within = (1 << left) - 1
      bytes = v128.and(bytes, v128.load(WITHIN + 32 - left))
      beyondAscii &= within
      continuing &= within
      leading &= within
      ofMore &= within
    }
    // Twice as fast as what follows.
    if (continuing == (ALL_OF_THREE & ((1 << left) - 1)) && owed == 0) {
      const count = onlyOfThree(from, end, to)
      if (count != 0) {
        from += count * 3
        to += count << 1
        continue
      }
    }
    const expected = leading << 1 | ofMore << 2 | owed
    if (((expected ^ continuing) & 0xffff | (leading | continuing) ^ beyondAscii) != 0) return -1
    const second = v128.load(from, 1)
    const ofThree = i8x16.gt_u(bytes, v128.load(BELOW_THREE))
    const isMore = i8x16.lt_s(bytes, i8x16.splat(0))
    // The last byte of each character that begins here, and the one before it.
    const last = v128.bitselect(v128.load(from, 2), second, ofThree)
    const lastButOne = v128.bitselect(second, bytes, ofThree)
    const low = v128.bitselect(
      v128.or(v128.and(last, v128.load(LOW_6_OF_BOTH)), v128.and(i16x8.shl(lastButOne, 6), v128.load(HIGH_2_OF_BOTH))),
      bytes,
      isMore,
    )
    const high = v128.and(
      v128.or(
        v128.and(i16x8.shr_u(lastButOne, 2), v128.load(LOW_4_OF_BOTH)),
        v128.and(v128.and(i16x8.shl(bytes, 4), v128.load(HIGH_4_OF_BOTH)), ofThree),
      ),
      isMore,
    )
    const high5 = v128.and(high, v128.load(HIGH_5_OF_BOTH))
    const wrong = v128.or(i8x16.eq(high5, i8x16.splat(0)), i8x16.eq(high5, v128.load(SURROGATES)))
    if (v128.any_true(v128.and(wrong, ofThree))) return -1
    // Lanes of those bytes that begin a character.
    const begins = ~continuing
    const here = v128.shuffle<u8>(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
    const rest = v128.shuffle<u8>(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
    v128.store(to, i8x16.swizzle(here, v128.load(THESE + ((begins & 0xff) << 4))))
    v128.store(to + (popcnt(begins & 0xff) << 1), i8x16.swizzle(rest, v128.load(THESE + ((begins >> 8 & 0xff) << 4))))
    from += left
    to += (left - popcnt(continuing)) << 1
    owed = expected >> 16
  }
  return owed != 0 ? -1 : <i32>((to - start) >> 1)
}

/** Makes code units of lanes from TO_UNITS. */
// @ts-ignore: decorator
@inline function ofUpToTwo(lanes: v128): v128 {
  return v128.or(v128.and(lanes, v128.load(LOW_7)), v128.and(i16x8.shr_u(lanes, 2), v128.load(UPPER_5_OF_11)))
}

/**
 * Makes UTF-16 of characters of three bytes, until there is another, or none. Answers how many they are. The loop ends by
 * a count, which is known long before the vectors are: 8 % faster.
 */
function onlyOfThree(from: usize, end: usize, to: usize): usize {
  const start = to
  for (; from + 24 <= end; from += 24, to += 16) if (v128.any_true(eightOfThree(from, to))) break
  const right = i16x8.bitmask(i16x8.eq(eightOfThree(from, to), i16x8.splat(0)))
  return ((to - start) >> 1) + min<usize>(ctz(~right), (end - from) / 3)
}

/** Makes UTF-16 of eight characters. Answers which of them, as 16-bit lanes, are not of three bytes: those are not zero. */
// @ts-ignore: decorator
@inline function eightOfThree(from: usize, to: usize): v128 {
  const here = i8x16.swizzle(v128.load(from), v128.load(OF_FOUR))
  const rest = i8x16.swizzle(v128.load(from, 12), v128.load(OF_FOUR))
  const firsts = v128.shuffle<u64>(here, rest, 1, 3)
  const others = v128.shuffle<u64>(here, rest, 0, 2)
  const units = v128.or(
    i16x8.shl(firsts, 12),
    v128.or(v128.and(others, v128.load(LOW_6)), v128.and(i16x8.shr_u(others, 2), v128.load(MIDDLE_6))),
  )
  v128.store(to, units)
  const high5 = v128.and(units, v128.load(HIGH_5))
  return v128.or(
    v128.or(
      v128.xor(v128.and(firsts, v128.load(HIGH_4_OF_8)), v128.load(THREE)),
      v128.xor(v128.and(others, v128.load(HIGH_2_OF_BOTH)), v128.load(CONTINUING)),
    ),
    v128.or(i16x8.eq(high5, i16x8.splat(0)), i16x8.eq(high5, v128.load(SURROGATE))),
  )
}

/** Makes UTF-8 of UTF-16, 16 units a step. Answers how many bytes; -1 when there is a lone surrogate. */
export function narrow(from: usize, count: usize, to: usize): i32 {
  const end = from + (count << 1)
  const start = to
  while (from < end) {
    let left = <u32>min<usize>((end - from) >> 1, 16)
    // What lies beyond the text counts as zeros.
    let here = v128.and(v128.load(from), v128.load(WITHIN + 32 - (left << 1)))
    let rest = v128.and(v128.load(from, 16), v128.load(WITHIN + 48 - (left << 1)))
    let oneByte = lanes(ofOneByte(here), ofOneByte(rest))
    if (oneByte == 0xffff) {
      v128.store(to, i8x16.narrow_i16x8_u(here, rest))
      from += left << 1
      to += left
      continue
    }
    if (!v128.any_true(v128.and(v128.or(here, rest), v128.load(HIGH_5)))) {
      const bytesHere = i8x16.swizzle(upToTwoBytes(here), v128.load(TO_BYTES + ((oneByte & 0xff) << 4)))
      const bytesRest = i8x16.swizzle(upToTwoBytes(rest), v128.load(TO_BYTES + (oneByte >> 8 << 4)))
      v128.store(to, bytesHere)
      v128.store(to + 16 - popcnt(oneByte & 0xff), bytesRest)
      from += left << 1
      to += left + 16 - popcnt(oneByte)
      continue
    }
    const surrogates = lanes(ofSurrogates(here), ofSurrogates(rest))
    if (surrogates != 0) {
      left = ctz(surrogates)
      if (left == 0) {
        do {
          const high = <u32>load<u16>(from)
          const low = <u32>load<u16>(from, 2)
          if (high > 0xdbff || end - from < 4 || (low & 0xfc00) != 0xdc00) return -1
          const point = ((high & 0x3ff) << 10) + (low & 0x3ff) + 0x10000
          store<u8>(to, 0xf0 | point >> 18)
          store<u8>(to, 0x80 | point >> 12 & 0x3f, 1)
          store<u8>(to, 0x80 | point >> 6 & 0x3f, 2)
          store<u8>(to, 0x80 | point & 0x3f, 3)
          from += 4
          to += 4
        } while (from < end && (load<u16>(from) & 0xf800) == 0xd800)
        continue
      }
      here = v128.and(here, v128.load(WITHIN + 32 - (left << 1)))
      rest = v128.and(rest, v128.load(WITHIN + 48 - (left << 1)))
      oneByte = lanes(ofOneByte(here), ofOneByte(rest))
    }
    const upToTwo = lanes(ofUpToTwoBytes(here), ofUpToTwoBytes(rest))
    const next = upToThreeBytes(here, oneByte & 0xff, upToTwo & 0xff, to)
    to = upToThreeBytes(rest, oneByte >> 8, upToTwo >> 8, next) - (16 - left)
    from += left << 1
  }
  return <i32>(to - start)
}

/** Which of sixteen lanes are all ones, a bit for each. */
// @ts-ignore: decorator
@inline function lanes(here: v128, rest: v128): u32 {
  return <u32>i8x16.bitmask(i8x16.narrow_i16x8_s(here, rest))
}

// @ts-ignore: decorator
@inline function ofOneByte(units: v128): v128 {
  return i16x8.eq(v128.and(units, v128.load(BEYOND_7)), i16x8.splat(0))
}

// @ts-ignore: decorator
@inline function ofUpToTwoBytes(units: v128): v128 {
  return i16x8.eq(v128.and(units, v128.load(HIGH_5)), i16x8.splat(0))
}

// @ts-ignore: decorator
@inline function ofSurrogates(units: v128): v128 {
  return i16x8.eq(v128.and(units, v128.load(HIGH_5)), v128.load(SURROGATE))
}

/** Makes lanes for TO_BYTES. */
// @ts-ignore: decorator
@inline function upToTwoBytes(units: v128): v128 {
  const both = v128.or(
    v128.or(i16x8.shr_u(units, 6), v128.and(i16x8.shl(units, 8), v128.load(LOW_6_ABOVE))),
    v128.load(FIRST_AND_NEXT),
  )
  return v128.bitselect(units, both, ofOneByte(units))
}

/** Makes UTF-8 of eight units, of which those are ASCII, and those up to two bytes. Answers where it ends. */
// @ts-ignore: decorator
@inline function upToThreeBytes(units: v128, oneByte: u32, upToTwo: u32, to: usize): usize {
  const firsts = v128.or(i16x8.shr_u(units, 12), v128.load(THREE))
  const second = v128.or(v128.and(i16x8.shr_u(units, 6), v128.load(LOW_6)), v128.and(ofUpToTwoBytes(units), v128.load(SECOND_IS_FIRST)))
  const both = v128.or(v128.or(second, v128.and(i16x8.shl(units, 8), v128.load(LOW_6_ABOVE))), v128.load(CONTINUING))
  const others = v128.bitselect(units, both, ofOneByte(units))
  const four = v128.shuffle<u16>(others, firsts, 0, 8, 1, 9, 2, 10, 3, 11)
  const more = v128.shuffle<u16>(others, firsts, 4, 12, 5, 13, 6, 14, 7, 15)
  const ofFour = oneByte & 0xf | (upToTwo & 0xf) << 4
  const ofMore = oneByte >> 4 | upToTwo & 0xf0
  const next = to + 12 - popcnt(ofFour)
  v128.store(to, i8x16.swizzle(four, v128.load(TO_MORE_BYTES + (ofFour << 4))))
  v128.store(next, i8x16.swizzle(more, v128.load(TO_MORE_BYTES + (ofMore << 4))))
  return next + 12 - popcnt(ofMore)
}

export function isAscii(from: usize, length: usize): bool {
  const end = from + length
  for (; from + 16 <= end; from += 16) if (i8x16.bitmask(v128.load(from)) != 0) return false
  return (i8x16.bitmask(v128.load(from)) & ((1 << <i32>(end - from)) - 1)) == 0
}
