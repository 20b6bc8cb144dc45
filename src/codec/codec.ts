/** The contract of the payload codec: session data as standard MessagePack, and change detection on its bytes. */

export interface Codec {
  /** Encodes any supported value (see docs of `fast-session/core`). Throws SessionError (ERR_SESSION_ENCODE) with a path to the offender. */
  encode(value: unknown): Uint8Array

  /** As encode, but answers undefined when the bytes would equal `previous`: exact, and without an allocation. */
  encodeIfChanged(value: unknown, previous: Uint8Array): Uint8Array | undefined

  /** Decodes exactly one value that fills all of `bytes`. Throws SessionError (ERR_SESSION_DECODE) on anything else. */
  decode(bytes: Uint8Array): unknown

  /**
   * Encodes a session: the own enumerable string keys of `data` except `cookie`, as one map. The bytes are the
   * caller's to keep.
   */
  encodeData(data: object): Uint8Array

  /**
   * As encodeData, but answers undefined when the bytes would equal `previous`: exact, never a false "unchanged".
   * One serialization, and no allocation when nothing changed.
   */
  encodeDataIfChanged(data: object, previous: Uint8Array): Uint8Array | undefined

  /**
   * Decodes a payload that encodeData made, the map's entries being set as own properties of `target`
   * (an own `__proto__` key is data, never a prototype; a `cookie` key is left out). When it throws, some of them may
   * have been set.
   */
  decodeInto(bytes: Uint8Array, target: object): void
}
