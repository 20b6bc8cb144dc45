// Scans MessagePack for text that is not ASCII, and makes UTF-16 of all of it.

import { PAYLOAD, UNICODE, UNICODE_SIZE, UNITS, UNITS_SIZE } from '../memory'
import { isAscii, widen } from '../text'

/** Bytes of the tokens from 0xc0 to 0xdf; 0 for what is no token, and for those that say how long they are. */
export const SIZES = memory.data<u8>([
  1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 5, 9, 2, 3, 5, 9,
  2, 3, 5, 9, 3, 4, 6, 10, 18, 0, 0, 0, 3, 5, 3, 5,
])

/** After all places. */
const NO_PLACE: i32 = i32.MAX_VALUE >> 1

/** The text that `toUnicode` found; no length when it found none. */
let text: usize = 0
let textLength: usize = 0

/**
 * Scans the payload from the text on that begins and ends at these places and is not ASCII. Leaves the code units of
 * all such texts in UNITS, and in UNICODE how far the scan came, then for each text its place and how many units there
 * are up to its end, then NO_PLACE. Answers how many there are; 0 when the first text is no UTF-8. Places are in bytes
 * from PAYLOAD.
 *
 * It stops before a token that is wrong, or that there is no room for.
 */
export function scan(from: i32, to: i32, payloadEnd: i32): i32 {
  const end = PAYLOAD + <usize>payloadEnd
  let token = PAYLOAD + <usize>from
  let units = UNITS
  let entry = UNICODE + 4
  text = token
  textLength = <usize>(to - from)
  while (textLength != 0) {
    if (units + (textLength << 1) > UNITS + UNITS_SIZE || entry + 12 > UNICODE + UNICODE_SIZE) break
    const count = widen(text, textLength, units)
    if (count < 0) break
    store<i32>(entry, <i32>(text - PAYLOAD))
    units += <usize>count << 1
    store<i32>(entry, <i32>((units - UNITS) >> 1), 4)
    entry += 8
    token = toUnicode(text + textLength, end)
  }
  store<i32>(entry, NO_PLACE)
  store<i32>(UNICODE, <i32>(token - PAYLOAD))
  return <i32>((units - UNITS) >> 1)
}

/** Answers the first token from `at` on that is text but not ASCII, or where it stops without. */
function toUnicode(at: usize, end: usize): usize {
  textLength = 0
  while (at < end) {
    const tag = <u32>load<u8>(at)
    if (tag < 0xa0 || tag >= 0xe0) {
      at += 1
      continue
    }
    let begin = at + 1
    let length = <usize>(tag & 0x1f)
    if (tag >= 0xc0) {
      const size = <usize>load<u8>(SIZES + length)
      if (size != 0) {
        at += size
        continue
      }
      if (tag == 0xc1) break
      // Text, binary data, or an extension with its type; with a length of one, two or four bytes.
      const exponent = (tag - (tag < 0xd9 ? 0xc4 : 0xd9)) % 3
      if (exponent == 0) length = <usize>load<u8>(at, 1)
      else if (exponent == 1) length = <usize>bswap(load<u16>(at, 1))
      else length = <usize>bswap(load<u32>(at, 1))
      begin += <usize>(1 << exponent)
      if (length > end) break
      if (tag < 0xd9) {
        at = begin + length + <usize>(tag >= 0xc7)
        continue
      }
    }
    if (begin + length > end) break
    if (!isAscii(begin, length)) {
      text = begin
      textLength = length
      break
    }
    at = begin + length
  }
  return at
}
