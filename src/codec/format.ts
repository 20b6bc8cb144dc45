/** What the codec adds to MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md): limits, extensions. */

import { SessionError } from '../errors.ts'

/** How deep containers may be nested, in values and in bytes. */
export const MAX_DEPTH = 100

/** How many bytes a value may encode to, unless told otherwise. */
export const DEFAULT_MAX_BYTES = 1_048_576

/** MessagePack's own timestamp. The extension types below are ours. */
export const EXT_TIMESTAMP = -1
/** A Map. Body: one MessagePack map, whose keys may be of any type. */
export const EXT_MAP = 1
/** A Set. Body: one MessagePack array. */
export const EXT_SET = 2
/** A BigInt that an int64 or uint64 can't tell from a number. Body: two's complement, big-endian, as short as can be. */
export const EXT_BIGINT = 3
/** A string with lone surrogates, which UTF-8 can't express. Body: its UTF-16 code units, little-endian. */
export const EXT_UTF16 = 4

/** A step from a container to what it holds. */
export type Path = ReadonlyArray<string | number>

export function encodeError(problem: string, path: Path): SessionError {
  return new SessionError('ERR_SESSION_ENCODE', `${formatPath(path)} ${problem}`)
}

export function decodeError(problem: string, offset: number): SessionError {
  return new SessionError(
    'ERR_SESSION_DECODE',
    `Not a payload of this package: ${problem} at byte ${offset}.`,
  )
}

/** `cart.items[3].x`; `the value` for the root. */
function formatPath(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step)) text += text === '' ? step : `.${step}`
    else text += `[${JSON.stringify(step)}]`
  }
  return text === '' ? 'The value' : `"${text}"`
}
