// Assembles MessagePack from what is not text, and the text that goes between.

import { OUTPUT, OUTPUT_SIZE, SKELETON, TEXTS, UNITS } from '../memory'
import { narrow } from '../text'

/**
 * Writes the first `skeletonEnd` bytes of SKELETON to OUTPUT, and at each place of TEXTS, which are pairs of a place
 * and how many code units, the text with its header. The code units lie in UNITS, one text after the other. Answers
 * how many bytes, and in TEXTS how many of the units are in texts that are not ASCII; -1 when a text has a lone surrogate,
 * or when there is no room.
 */
export function assemble(skeletonEnd: i32, texts: i32): i32 {
  let from = SKELETON
  let units = UNITS
  let to = OUTPUT
  let unicode: usize = 0
  for (let entry = TEXTS, last = TEXTS + (<usize>texts << 3); entry < last; entry += 8) {
    const place = SKELETON + load<u32>(entry)
    const count = <usize>load<u32>(entry, 4)
    // A code unit is at most three bytes, and a header five.
    if (to + (place - from) + count * 3 + 5 > OUTPUT + OUTPUT_SIZE) return -1
    to = copy(from, place, to)
    from = place
    const guess = headerSize(count)
    const size = <usize>narrow(units, count, to + guess)
    if (<i32>size < 0) return -1
    if (size != count) unicode += count
    const header = headerSize(size)
    if (header != guess) memory.copy(to + header, to + guess, size)
    if (header == 1) store<u8>(to, 0xa0 | size)
    else if (header == 2) store<u16>(to, 0xd9 | size << 8)
    else if (header == 3) {
      store<u8>(to, 0xda)
      store<u16>(to, bswap(<u16>size), 1)
    } else {
      store<u8>(to, 0xdb)
      store<u32>(to, bswap(<u32>size), 1)
    }
    to += header + size
    units += count << 1
  }
  const end = SKELETON + <usize>skeletonEnd
  store<u32>(TEXTS, unicode)
  if (to + (end - from) > OUTPUT + OUTPUT_SIZE) return -1
  return <i32>(copy(from, end, to) - OUTPUT)
}

/** By vectors, because memory.copy is a call out of WebAssembly. May read and write 15 bytes beyond. */
function copy(from: usize, end: usize, to: usize): usize {
  const length = end - from
  for (let at: usize = 0; at < length; at += 16) v128.store(to + at, v128.load(from + at))
  return to + length
}

// @ts-ignore: decorator
@inline function headerSize(size: usize): usize {
  return size < 0x20 ? 1 : size < 0x100 ? 2 : size < 0x10000 ? 3 : 5
}
