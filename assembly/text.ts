// Text: UTF-8 (RFC 3629) to UTF-16 and back, by vectors. Both may read and write up to 24 bytes beyond.

/**
 * For each set of the bytes among eight that end a character of one or two bytes: 16-bit lanes of that byte and the one
 * before it, counted from the byte before the eight. 0x80 stands for zero.
 */
const TO_UNITS = memory.data(256 * 16, 16)

/** For each set of the ASCII characters among eight 16-bit lanes: the first byte of these, both bytes of the others. */
const TO_BYTES = memory.data(256 * 16, 16)

for (let set: u32 = 0; set < 256; set++) {
  const toUnits = TO_UNITS + (set << 4)
  const toBytes = TO_BYTES + (set << 4)
  memory.fill(toUnits, 0x80, 16)
  memory.fill(toBytes, 0x80, 16)
  let unit: usize = 0
  let byte: usize = 0
  for (let i: u32 = 0; i < 8; i++) {
    store<u8>(toBytes + byte++, i << 1)
    if (((set >> i) & 1) == 0) {
      store<u8>(toBytes + byte++, (i << 1) | 1)
      continue
    }
    store<u8>(toUnits + unit, i + 1)
    store<u8>(toUnits + unit, i, 1)
    unit += 2
  }
}

// V8 makes vectors of constants anew each time they are used, so they are loaded from memory: 1.5 times as fast.

const FIRST_OF_MORE = memory.data<u8>([0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1], 16)
const FIRST_OF_THREE = memory.data<u8>([0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0], 16)
const FIRST = memory.data<u8>([0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0], 16)
const UPPER_5_OF_11 = memory.data<u16>([0x7c0, 0x7c0, 0x7c0, 0x7c0, 0x7c0, 0x7c0, 0x7c0, 0x7c0], 16)
const LOW_7 = memory.data<u16>([0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f], 16)
const LOW_6 = memory.data<u16>([0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f], 16)
const MIDDLE_6 = memory.data<u16>([0xfc0, 0xfc0, 0xfc0, 0xfc0, 0xfc0, 0xfc0, 0xfc0, 0xfc0], 16)
const HIGH_4_OF_8 = memory.data<u16>([0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0], 16)
const THREE = memory.data<u16>([0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0], 16)
const HIGH_2_OF_BOTH = memory.data<u16>([0xc0c0, 0xc0c0, 0xc0c0, 0xc0c0, 0xc0c0, 0xc0c0, 0xc0c0, 0xc0c0], 16)
const CONTINUING = memory.data<u16>([0x8080, 0x8080, 0x8080, 0x8080, 0x8080, 0x8080, 0x8080, 0x8080], 16)
const BEYOND_TWO = memory.data<u16>([0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800, 0x800], 16)
const HIGH_5 = memory.data<u16>([0xf800, 0xf800, 0xf800, 0xf800, 0xf800, 0xf800, 0xf800, 0xf800], 16)
const SURROGATE = memory.data<u16>([0xd800, 0xd800, 0xd800, 0xd800, 0xd800, 0xd800, 0xd800, 0xd800], 16)
const BEYOND_ONE = memory.data<u16>([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], 16)
const TWO = memory.data<u16>([0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0], 16)

// Of eight characters of three bytes in vectors 8 bytes apart: the first bytes, twice; the third and second ones. And
// back: the first bytes and the others, for a vector and the half that follows it.
const FIRSTS_OF_HERE = memory.data<u8>([0, 0, 3, 3, 6, 6, 9, 9, 12, 12, 15, 15, 0x80, 0x80, 0x80, 0x80], 16)
const FIRSTS_OF_REST = memory.data<u8>([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 10, 10, 13, 13], 16)
const OTHERS_OF_HERE = memory.data<u8>([2, 1, 5, 4, 8, 7, 11, 10, 14, 13, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], 16)
const OTHERS_OF_REST = memory.data<u8>([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 9, 8, 12, 11, 15, 14], 16)
const FIRSTS_TO_HERE = memory.data<u8>([0, 0x80, 0x80, 2, 0x80, 0x80, 4, 0x80, 0x80, 6, 0x80, 0x80, 8, 0x80, 0x80, 10], 16)
const OTHERS_TO_HERE = memory.data<u8>([0x80, 0, 1, 0x80, 2, 3, 0x80, 4, 5, 0x80, 6, 7, 0x80, 8, 9, 0x80], 16)
const FIRSTS_TO_REST = memory.data<u8>([0x80, 0x80, 12, 0x80, 0x80, 14, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], 16)
const OTHERS_TO_REST = memory.data<u8>([10, 11, 0x80, 12, 13, 0x80, 14, 15, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], 16)

/** Makes UTF-16 of UTF-8. Answers how many code units; -1 when it is not well-formed. */
export function widen(from: usize, length: usize, to: usize): i32 {
  const end = from + length
  const start = to
  // Which of the bytes before may begin a character: not what comes before the first one.
  let earlier = ~1
  while (from < end) {
    const bytes = v128.load(from - 1)
    const left = <i32>min(end - from, 8)
    const within = (1 << left) - 1
    // As signed numbers: 0x80 to 0xbf continue a character, 0xc2 to 0xdf begin one of two bytes.
    const leading =
      i8x16.bitmask(v128.and(i8x16.gt_s(bytes, v128.load(FIRST_OF_MORE)), i8x16.lt_s(bytes, v128.load(FIRST_OF_THREE)))) & earlier
    const continuing = (i8x16.bitmask(i8x16.lt_s(bytes, v128.load(FIRST))) >> 1) & within
    const beyondAscii = (i8x16.bitmask(bytes) >> 1) & within
    earlier = ~0
    if ((beyondAscii | (leading & 1)) == 0) {
      const next = v128.load(from)
      const ascii = from + 16 <= end && i8x16.bitmask(next) == 0
      v128.store(to, i16x8.extend_low_i8x16_u(next))
      if (ascii) {
        v128.store(to, i16x8.extend_high_i8x16_u(next), 16)
        from += 16
        to += 32
      } else {
        from += left
        to += left << 1
      }
      continue
    }
    // The first byte that is neither of these nor ASCII, or the end.
    const count = min(ctz((beyondAscii & ~(continuing | (leading >> 1))) | (1 << left)), 8)
    // What follows a byte that begins a character continues it, and nothing else does.
    if (((leading ^ continuing) & ((2 << count) - 1) & 0xff) != 0) return -1
    if (count > 0) {
      const ends = ~(leading >> 1) & ((1 << count) - 1)
      const lanes = i8x16.swizzle(bytes, v128.load(TO_UNITS + (<usize>ends << 4)))
      const ofTwo = i16x8.shr_s(i16x8.shl(lanes, 8), 15)
      const upper = v128.and(v128.and(i16x8.shr_u(lanes, 2), v128.load(UPPER_5_OF_11)), ofTwo)
      v128.store(to, v128.or(v128.and(lanes, v128.load(LOW_7)), upper))
      to += popcnt(ends) << 1
      // A branch that is foreseen, so that the next turn need not wait for the count.
      if (count == 8) {
        from += 8
        continue
      }
      from += count
      if (from >= end) break
      continue
    }
    const first = <u32>load<u8>(from)
    if (first < 0xe0 || first > 0xf4) return -1
    if (first < 0xf0) {
      // Eight characters of three bytes: the first of these, the other two, and all together.
      const here = v128.load(from)
      const rest = v128.load(from, 8)
      const firsts = v128.or(i8x16.swizzle(here, v128.load(FIRSTS_OF_HERE)), i8x16.swizzle(rest, v128.load(FIRSTS_OF_REST)))
      const others = v128.or(i8x16.swizzle(here, v128.load(OTHERS_OF_HERE)), i8x16.swizzle(rest, v128.load(OTHERS_OF_REST)))
      const units = v128.or(
        i16x8.shl(firsts, 12),
        v128.or(
          v128.and(others, v128.load(LOW_6)),
          v128.and(i16x8.shr_u(others, 2), v128.load(MIDDLE_6)),
        ),
      )
      const wrong = v128.or(
        v128.or(
          i16x8.ne(v128.and(firsts, v128.load(HIGH_4_OF_8)), v128.load(THREE)),
          i16x8.ne(v128.and(others, v128.load(HIGH_2_OF_BOTH)), v128.load(CONTINUING)),
        ),
        v128.or(
          i16x8.lt_u(units, v128.load(BEYOND_TWO)),
          i16x8.eq(v128.and(units, v128.load(HIGH_5)), v128.load(SURROGATE)),
        ),
      )
      v128.store(to, units)
      if (from + 24 <= end && !v128.any_true(wrong)) {
        from += 24
        to += 16
        continue
      }
      const well = min(ctz(i16x8.bitmask(wrong) | 0x100), <i32>((end - from) / 3))
      if (well == 0) return -1
      from += well * 3
      to += well << 1
      continue
    }
    if (end - from < 4) return -1
    const b1 = <u32>load<u8>(from, 1) ^ 0x80
    const b2 = <u32>load<u8>(from, 2) ^ 0x80
    const b3 = <u32>load<u8>(from, 3) ^ 0x80
    const point = (first & 0x07) << 18 | b1 << 12 | b2 << 6 | b3
    if ((b1 | b2 | b3) > 0x3f || point < 0x10000 || point > 0x10ffff) return -1
    store<u16>(to, 0xd7c0 + (point >> 10))
    store<u16>(to, 0xdc00 | (point & 0x3ff), 2)
    from += 4
    to += 4
  }
  const last = length == 0 ? 0 : <u32>load<u8>(end - 1)
  return last >= 0xc0 ? -1 : <i32>((to - start) >> 1)
}

/** Makes UTF-8 of UTF-16. Answers how many bytes; -1 when there is a lone surrogate. */
export function narrow(from: usize, count: usize, to: usize): i32 {
  const end = from + (count << 1)
  const start = to
  while (from < end) {
    const units = v128.load(from)
    const left = <i32>min((end - from) >> 1, 8)
    const oneByte = i16x8.lt_u(units, v128.load(BEYOND_ONE))
    const ascii = i16x8.bitmask(oneByte)
    if ((~ascii & ((1 << left) - 1)) == 0) {
      v128.store64_lane(to, i8x16.narrow_i16x8_u(units, units), 0)
      from += left << 1
      to += left
      continue
    }
    const trail = v128.or(v128.and(units, v128.load(LOW_6)), v128.load(BEYOND_ONE))
    const upToTwo = min(ctz(i16x8.bitmask(i16x8.ge_u(units, v128.load(BEYOND_TWO))) | 0x100), left)
    if (upToTwo > 0) {
      const both = v128.or(
        v128.or(i16x8.shr_u(units, 6), v128.load(TWO)),
        i16x8.shl(trail, 8),
      )
      const set = ascii & ((1 << upToTwo) - 1)
      const order = v128.load(TO_BYTES + (<usize>set << 4))
      v128.store(to, i8x16.swizzle(v128.bitselect(units, both, oneByte), order))
      from += upToTwo << 1
      to += (upToTwo << 1) - popcnt(set)
      continue
    }
    const isSurrogate = i16x8.eq(v128.and(units, v128.load(HIGH_5)), v128.load(SURROGATE))
    const notThree = v128.or(isSurrogate, i16x8.lt_u(units, v128.load(BEYOND_TWO)))
    const three = min(ctz(i16x8.bitmask(notThree) | 0x100), left)
    if (three > 0) {
      const firsts = v128.or(i16x8.shr_u(units, 12), v128.load(THREE))
      const middle = v128.or(v128.and(i16x8.shr_u(units, 6), v128.load(LOW_6)), v128.load(BEYOND_ONE))
      const others = v128.or(middle, i16x8.shl(trail, 8))
      v128.store(to, v128.or(i8x16.swizzle(firsts, v128.load(FIRSTS_TO_HERE)), i8x16.swizzle(others, v128.load(OTHERS_TO_HERE))))
      const rest = v128.or(i8x16.swizzle(firsts, v128.load(FIRSTS_TO_REST)), i8x16.swizzle(others, v128.load(OTHERS_TO_REST)))
      v128.store64_lane(to, rest, 0, 16)
      from += three << 1
      to += three * 3
      continue
    }
    const high = <u32>load<u16>(from)
    const low = <u32>load<u16>(from, 2)
    if (high > 0xdbff || left < 2 || (low & 0xfc00) != 0xdc00) return -1
    const point = ((high & 0x3ff) << 10) + (low & 0x3ff) + 0x10000
    store<u8>(to, 0xf0 | point >> 18)
    store<u8>(to, 0x80 | point >> 12 & 0x3f, 1)
    store<u8>(to, 0x80 | point >> 6 & 0x3f, 2)
    store<u8>(to, 0x80 | point & 0x3f, 3)
    from += 4
    to += 4
  }
  return <i32>(to - start)
}

export function isAscii(from: usize, length: usize): bool {
  const end = from + length
  for (; from + 16 <= end; from += 16) if (i8x16.bitmask(v128.load(from)) != 0) return false
  return (i8x16.bitmask(v128.load(from)) & ((1 << <i32>(end - from)) - 1)) == 0
}
