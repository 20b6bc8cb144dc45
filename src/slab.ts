/** Memory for short arrays of bytes, many to an allocation: a view takes 50 ns, memory of its own 300 and more. */

/** Answers a function that makes arrays of so many bytes. What is in them is not defined; they share their buffer. */
export function createSlab(): (size: number) => Uint8Array {
  let slab = new Uint8Array(0)
  let used = 0
  return (size) => {
    if (size > POOLED) return new Uint8Array(size)
    if (used + size > slab.length) {
      slab = new Uint8Array(SLAB)
      used = 0
    }
    used += size
    return slab.subarray(used - size, used)
  }
}

const POOLED = 4096
const SLAB = 1 << 15
