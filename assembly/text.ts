// Text: UTF-8 (RFC 3629) to UTF-16 and back, what is ASCII by vectors. Both may read and write up to 16 bytes beyond.

/** Makes UTF-16 of UTF-8. Answers how many code units; -1 when it is not well-formed. */
export function widen(from: usize, length: usize, to: usize): i32 {
  const end = from + length
  const start = to
  while (from < end) {
    while (from + 16 <= end) {
      const bytes = v128.load(from)
      if (i8x16.bitmask(bytes) != 0) break
      v128.store(to, i16x8.extend_low_i8x16_u(bytes))
      v128.store(to, i16x8.extend_high_i8x16_u(bytes), 16)
      from += 16
      to += 32
    }
    // Where one vector isn't all ASCII the next one is likely not to be either.
    for (const pause = min(from + 16, end); from < pause; ) {
      const b0 = <u32>load<u8>(from)
      if (b0 < 0x80) {
        store<u16>(to, b0)
        from += 1
        to += 2
        continue
      }
      const left = end - from
      const b1 = <u32>load<u8>(from, 1) ^ 0x80
      if (b0 < 0xe0) {
        if (b0 < 0xc2 || left < 2 || b1 > 0x3f) return -1
        store<u16>(to, (b0 & 0x1f) << 6 | b1)
        from += 2
        to += 2
        continue
      }
      const b2 = <u32>load<u8>(from, 2) ^ 0x80
      if (b0 < 0xf0) {
        const unit = (b0 & 0x0f) << 12 | b1 << 6 | b2
        if (left < 3 || (b1 | b2) > 0x3f || unit < 0x800 || (unit & 0xf800) == 0xd800) return -1
        store<u16>(to, unit)
        from += 3
        to += 2
        continue
      }
      const b3 = <u32>load<u8>(from, 3) ^ 0x80
      const point = (b0 & 0x07) << 18 | b1 << 12 | b2 << 6 | b3
      if (b0 > 0xf4 || left < 4 || (b1 | b2 | b3) > 0x3f || point < 0x10000 || point > 0x10ffff) return -1
      store<u16>(to, 0xd7c0 + (point >> 10))
      store<u16>(to, 0xdc00 | (point & 0x3ff), 2)
      from += 4
      to += 4
    }
  }
  return <i32>((to - start) >> 1)
}

/** Makes UTF-8 of UTF-16. Answers how many bytes; -1 when there is a lone surrogate. */
export function narrow(from: usize, units: usize, to: usize): i32 {
  const end = from + (units << 1)
  const start = to
  while (from < end) {
    const vector = v128.load(from)
    const wide = i16x8.bitmask(i16x8.gt_u(vector, i16x8.splat(0x7f)))
    const left = <u32>(end - from) >> 1
    if (left < 8) {
      if ((wide & ((1 << left) - 1)) == 0) {
        v128.store64_lane(to, i8x16.narrow_i16x8_u(vector, vector), 0)
        to += left
        break
      }
    } else if (wide == 0) {
      v128.store64_lane(to, i8x16.narrow_i16x8_u(vector, vector), 0)
      from += 16
      to += 8
      continue
    }
    for (const pause = min(from + 16, end); from < pause; from += 2) {
      const unit = <u32>load<u16>(from)
      if (unit < 0x80) {
        store<u8>(to, unit)
        to += 1
      } else if (unit < 0x800) {
        store<u8>(to, 0xc0 | unit >> 6)
        store<u8>(to, 0x80 | unit & 0x3f, 1)
        to += 2
      } else if ((unit & 0xf800) != 0xd800) {
        store<u8>(to, 0xe0 | unit >> 12)
        store<u8>(to, 0x80 | unit >> 6 & 0x3f, 1)
        store<u8>(to, 0x80 | unit & 0x3f, 2)
        to += 3
      } else {
        from += 2
        const low = <u32>load<u16>(from)
        if (unit > 0xdbff || from >= end || (low & 0xfc00) != 0xdc00) return -1
        const point = ((unit & 0x3ff) << 10) + (low & 0x3ff) + 0x10000
        store<u8>(to, 0xf0 | point >> 18)
        store<u8>(to, 0x80 | point >> 12 & 0x3f, 1)
        store<u8>(to, 0x80 | point >> 6 & 0x3f, 2)
        store<u8>(to, 0x80 | point & 0x3f, 3)
        to += 4
      }
    }
  }
  return <i32>(to - start)
}

export function isAscii(from: usize, length: usize): bool {
  const end = from + length
  for (; from + 16 <= end; from += 16) if (i8x16.bitmask(v128.load(from)) != 0) return false
  return (i8x16.bitmask(v128.load(from)) & ((1 << <i32>(end - from)) - 1)) == 0
}
