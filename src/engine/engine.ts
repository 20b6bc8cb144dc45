/** The contract of an engine: the primitives whose three implementations give byte-identical results. */

export type EngineName = 'wasm' | 'node' | 'js'

/** A signing key: its bytes, or a string that stands for its UTF-8 bytes. Any length but 0. */
export type Secret = string | Uint8Array

export interface Engine {
  readonly name: EngineName

  /**
   * Prepares a list of signing keys: the first signs, all verify. The key schedule (the two midstates of
   * RFC 2104) is computed once here, never per message. Changing the caller's bytes later changes nothing.
   */
  keyring(secrets: readonly Secret[]): Keyring

  /** A new session id: 24 bytes (192 bits) of the CSPRNG as 32 base64url characters (RFC 4648, section 5). */
  newId(): string

  /** What a store is told instead of a session id: SHA-256 (FIPS 180-4) of its UTF-8 bytes, as base64url. */
  hashId(id: string): string
}

export interface Keyring {
  /** `value.signature`, as the cookie-signature package makes it: base64 HMAC-SHA256 without padding. */
  sign(value: string): string

  /** The value, if any of the keys signed it, else false. Constant-time in the signature; never throws. */
  verify(signed: string): string | false

  /** Wipes the key schedule. Afterwards sign throws and verify answers false. */
  dispose(): void
}
