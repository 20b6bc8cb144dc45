/**
 * Memory for short arrays of bytes, many to an allocation: a view takes 40 ns (12 more by `subarray`), memory of its own
 * 300 and more.
 */

/** Answers a function that makes arrays of so many bytes. What is in them is not defined; they share their buffer. */
export function createSlab(): (size: number) => Uint8Array {
  let slab = new ArrayBuffer(0)
  let left = 0
  return (size) => {
    if (size > POOLED) return new Uint8Array(size)
    if (size > left) {
      slab = new ArrayBuffer(SLAB)
      left = SLAB
    }
    left -= size
    return new Uint8Array(slab, left, size)
  }
}

const POOLED = 4096
const SLAB = 1 << 15
