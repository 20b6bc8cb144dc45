/** What the shop needs from its surroundings: a secret, and a place for its sessions. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MemoryStore } from 'fast-session'
import { lmdbStore } from 'fast-session/lmdb'

/**
 * SESSION_SECRET. Only a demo may do what happens without it: a secret is made once and kept beside the data.
 *
 * @param {string} directory
 */
export function sessionSecret(directory) {
  const { SESSION_SECRET } = process.env
  if (SESSION_SECRET !== undefined) return SESSION_SECRET
  const path = join(directory, 'session-secret')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  try {
    // `wx`: a secret that is there stays.
    writeFileSync(path, randomBytes(32).toString('base64url'), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
  }
  return readFileSync(path, 'utf8')
}

/**
 * The embedded database; the memory of this process where the package `lmdb` is missing.
 *
 * @param {string} directory
 */
export async function sessionStore(directory) {
  try {
    await import('lmdb')
  } catch (error) {
    console.warn(
      `Sessions are kept in memory, and end with this process: ${/** @type {Error} */ (error).message}`,
    )
    return new MemoryStore()
  }
  return lmdbStore({ path: join(directory, 'sessions') })
}
