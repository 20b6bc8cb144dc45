// The map of linear memory: every region is named here once, in the order of its address.
//
// Below STATIC_END lies what the compiler places itself (tables made with memory.data).

export const STATIC_END: usize = 4096

/** The key schedule of RFC 2104: the SHA-256 states after the first block of the inner and of the outer hash. */
export const INNER: usize = STATIC_END
export const OUTER: usize = INNER + 32

/** The hash value H of FIPS 180-4. */
export const STATE: usize = OUTER + 32

/** The last block or two of a message, while they are padded. */
export const TAIL: usize = STATE + 32
export const TAIL_SIZE: usize = 128

/** The message schedule W, each word with its constant K added. */
export const SCHEDULE: usize = TAIL + TAIL_SIZE

/** A finished digest, and its text. */
export const DIGEST: usize = SCHEDULE + 256
export const TEXT: usize = DIGEST + 32
export const TEXT_SIZE: usize = 64

/** Random bytes for session ids, and the ids made from them. */
export const POOL_IDS: usize = 256
export const RANDOM: usize = TEXT + TEXT_SIZE
export const RANDOM_SIZE: usize = POOL_IDS * 24
export const IDS: usize = RANDOM + RANDOM_SIZE
export const IDS_SIZE: usize = POOL_IDS * 32

/** What JavaScript hands over: a message, or as much of it as fits. A multiple of the block length. */
export const INPUT: usize = IDS + IDS_SIZE
export const INPUT_SIZE: usize = 8192

export const CORE_END: usize = INPUT + INPUT_SIZE
