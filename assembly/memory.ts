// The map of linear memory: every region is named once, here. The compiler gives out the addresses, so regions
// can't overlap; the sizes must fit the fixed number of pages in asconfig.json.

import { BLOCK, DIGEST_LENGTH } from './sha256'

/** Room after a message for its padding and for vector stores that reach past it. */
const SLACK: i32 = 2 * BLOCK

/** What JavaScript hands over: a message, or as much of it as fits. */
export const INPUT_SIZE: i32 = 4096
export const INPUT = memory.data(INPUT_SIZE + SLACK, 64)

/** The key schedule of RFC 2104: the hash value after the first block of the inner and of the outer hash. */
export const KEY_SIZE: i32 = 2 * DIGEST_LENGTH
export const KEY = memory.data(KEY_SIZE, 16)

/** The hash value H of FIPS 180-4. */
export const STATE = memory.data(DIGEST_LENGTH, 16)

/** The message schedule W of FIPS 180-4, the constants K added to it. */
export const SCHEDULE = memory.data(4 * BLOCK, 16)

/** A finished digest. */
export const DIGEST = memory.data(DIGEST_LENGTH + SLACK, 16)

/** A finished digest or id as text. */
export const TEXT_SIZE: i32 = 48
export const TEXT = memory.data(TEXT_SIZE, 16)

/** Random bytes that no id has been made of yet. */
export const POOL_SIZE: i32 = 256 * 24
export const POOL = memory.data(POOL_SIZE + 16, 16)

/** The longest payload that the codec takes through this memory. */
export const PAYLOAD_SIZE: i32 = 1 << 18
/** Room after a payload for what is read and written beyond its end. */
export const PAYLOAD_SLACK: i32 = 1024

/** A payload that is being decoded. */
export const PAYLOAD = memory.data(PAYLOAD_SIZE + PAYLOAD_SLACK, 64)

/** A payload that is being encoded: without its texts, where they go, and with them. */
export const SKELETON = memory.data(PAYLOAD_SIZE + PAYLOAD_SLACK, 64)
export const TEXTS_SIZE: i32 = 1 << 17
export const TEXTS = memory.data(TEXTS_SIZE, 64)
export const OUTPUT_SIZE: i32 = PAYLOAD_SIZE
export const OUTPUT = memory.data(OUTPUT_SIZE + PAYLOAD_SLACK, 64)

/** Text as UTF-16, on its way in or out. */
export const UNITS_SIZE: i32 = 1 << 18
export const UNITS = memory.data(UNITS_SIZE + PAYLOAD_SLACK, 64)

/** Which texts of a payload are not ASCII: see msgpack/scan.ts. */
export const UNICODE_SIZE: i32 = 1 << 17
export const UNICODE = memory.data(UNICODE_SIZE, 64)
