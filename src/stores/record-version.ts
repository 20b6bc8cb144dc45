/** Versions for the stores whose server keeps them in a plain column. */

/**
 * 53 random bits: a number that JavaScript, BIGINT columns and BSON all keep exactly. Random rather than counted,
 * because a counter would begin anew when a record is deleted and made again.
 */
export function newVersion(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2))
  return (high! >>> 11) * 2 ** 32 + low!
}
