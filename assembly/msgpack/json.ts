// Makes JSON (RFC 8259) of MessagePack, where that is hardly more than copying.

import { OUTPUT, OUTPUT_SIZE, PAYLOAD, UNICODE } from '../memory'
import { SIZES } from './scan'

/** For each number below 1000 its three digits, and how many of them count. */
const DIGITS = memory.data(1000 * 4, 16)

for (let number: u32 = 0; number < 1000; number++) {
  const size: u32 = number < 10 ? 1 : number < 100 ? 2 : 3
  const digits = (0x30 + number / 100) | ((0x30 + ((number / 10) % 10)) << 8) | ((0x30 + (number % 10)) << 16)
  store<u32>(DIGITS + (number << 2), digits | (size << 24))
}

// V8 makes vectors of constants anew each time they are used, so they are loaded from memory.

/** Sixteen times the first character that is no control character; a quotation mark; a backslash. */
const MARKS = memory.data<u8>([
  0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20,
  0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22,
  0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c, 0x5c,
], 16)

/** What one member takes at most: two texts of 255 bytes. */
const MEMBER: usize = 600

/**
 * Makes JSON of a map's members, the first of which begins at `from`: keys and values must be ASCII text of up to 255
 * characters that JSON has no escapes for, values may also be integers of up to 32 bits, booleans and nil. Leaves the
 * JSON in OUTPUT, and in UNICODE where the map ends, in bytes from PAYLOAD. Answers how many bytes of JSON; 0 where
 * anything is different.
 */
export function toJson(from: i32, members: i32, payloadEnd: i32): i32 {
  const end = PAYLOAD + <usize>payloadEnd
  let at = PAYLOAD + <usize>from
  let to = OUTPUT
  // Looked at once, at the end: the next token need not wait for what is found in this one.
  let escaped: u32 = 0
  for (let i = 0; i < members; i++) {
    if (at >= end || to > OUTPUT + OUTPUT_SIZE - MEMBER) return 0
    store<u16>(to, 0x222c) // ,"
    to += 2
    const key = <u32>load<u8>(at)
    if ((key & 0xe0) == 0xa0) {
      const size = <usize>(key & 0x1f)
      escaped |= copy(at + 1, to, size)
      at += 1 + size
      to += size
    } else if (key == 0xd9) {
      const size = <usize>load<u8>(at, 1)
      escaped |= copyLong(at + 2, to, size)
      at += 2 + size
      to += size
    } else return 0
    store<u16>(to, 0x3a22) // ":
    to += 2
    const tag = <u32>load<u8>(at)
    // By branches, which are predicted: to look up where a token ends takes twice as long.
    if (tag < 0x80) {
      to = natural(tag, to)
      at += 1
    } else if (tag == 0xcd) {
      to = natural(bswap(load<u16>(at, 1)), to)
      at += 3
    } else if (tag == 0xcc) {
      to = natural(load<u8>(at, 1), to)
      at += 2
    } else if ((tag & 0xe0) == 0xa0) {
      const size = <usize>(tag & 0x1f)
      store<u8>(to, 0x22)
      escaped |= copy(at + 1, to + 1, size)
      at += 1 + size
      to += 2 + size
      store<u8>(to - 1, 0x22)
    } else if (tag == 0xd9) {
      const size = <usize>load<u8>(at, 1)
      store<u8>(to, 0x22)
      escaped |= copyLong(at + 2, to + 1, size)
      at += 2 + size
      to += 2 + size
      store<u8>(to - 1, 0x22)
    } else {
      to = scalar(tag, at, to)
      if (to == 0) return 0
      at += tag >= 0xe0 ? 1 : <usize>load<u8>(SIZES + (tag & 0x1f))
    }
  }
  if (members == 0 || escaped != 0 || at > end) return 0
  store<u8>(OUTPUT, 0x7b) // {
  store<u8>(to, 0x7d) // }
  store<u32>(UNICODE, <i32>(at - PAYLOAD))
  return <i32>(to + 1 - OUTPUT)
}

/** Copies up to 31 bytes. Answers 0 if they can be copied. */
// @ts-ignore: decorator
@inline function copy(at: usize, to: usize, size: usize): u32 {
  let escaped = copy16(at, to)
  if (size > 16) escaped |= copy16(at + 16, to + 16) << 16
  return escaped & ((1 << <u32>size) - 1)
}

/** The same for any number. */
function copyLong(at: usize, to: usize, size: usize): u32 {
  let escaped: u32 = 0
  while (size > 16) {
    escaped |= copy16(at, to)
    at += 16
    to += 16
    size -= 16
  }
  return escaped | copy(at, to, size)
}

/** Copies 16 bytes, and answers which of them JSON has escapes for, or are not ASCII. */
// @ts-ignore: decorator
@inline function copy16(at: usize, to: usize): u32 {
  const bytes = v128.load(at)
  v128.store(to, bytes)
  return <u32>i8x16.bitmask(
    v128.or(
      // Bytes are signed, so what is no ASCII is less, too.
      i8x16.lt_s(bytes, v128.load(MARKS)),
      v128.or(i8x16.eq(bytes, v128.load(MARKS, 16)), i8x16.eq(bytes, v128.load(MARKS, 32))),
    ),
  )
}

/** Writes any other number or a literal name, and answers where it ends; 0 for what is neither. */
function scalar(tag: u32, at: usize, to: usize): usize {
  if (tag == 0xce) return natural(bswap(load<u32>(at, 1)), to)
  if (tag >= 0xe0) return integer(<i32>tag - 0x100, to)
  if (tag == 0xd0) return integer(load<i8>(at, 1), to)
  if (tag == 0xd1) return integer(bswap(load<i16>(at, 1)), to)
  if (tag == 0xd2) return integer(bswap(load<i32>(at, 1)), to)
  if (tag == 0xc2) {
    store<u64>(to, 0x65736c6166) // false
    return to + 5
  }
  if (tag != 0xc0 && tag != 0xc3) return 0
  store<u32>(to, tag == 0xc0 ? 0x6c6c756e : 0x65757274) // null, true
  return to + 4
}

function integer(number: i32, to: usize): usize {
  if (number >= 0) return natural(<u32>number, to)
  store<u8>(to, 0x2d)
  return natural(-<u32>number, to + 1)
}

// @ts-ignore: decorator
@inline function natural(number: u32, to: usize): usize {
  return number < 1000 ? first(number, to) : large(number, to)
}

function large(number: u32, to: usize): usize {
  const thousands = number / 1000
  return three(number % 1000, thousands < 1000 ? first(thousands, to) : large(thousands, to))
}

/** The first one to three digits. */
// @ts-ignore: decorator
@inline function first(number: u32, to: usize): usize {
  const digits = load<u32>(DIGITS + (<usize>number << 2))
  const size = digits >> 24
  store<u32>(to, digits >> ((3 - size) << 3))
  return to + <usize>size
}

/** Three digits more. */
// @ts-ignore: decorator
@inline function three(number: u32, to: usize): usize {
  store<u32>(to, load<u32>(DIGITS + (<usize>number << 2)))
  return to + 3
}
