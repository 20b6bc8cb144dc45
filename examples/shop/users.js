/** The demo's two users, and how their passwords are checked. */
import { scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/** They are shown on the login page, so the passwords are here as well; an application has the hashes only. */
export const demoUsers = [
  { name: 'ada', password: 'analytical-engine' },
  { name: 'grace', password: 'nanosecond' },
]

/**
 * The user of this name, if that is the password.
 *
 * @param {string} name
 * @param {string} password
 */
export async function authenticate(name, password) {
  const user = Object.hasOwn(users, name) ? users[name] : undefined
  // An unknown name costs as much time as a wrong password, so that the answer's delay tells nothing.
  const matches = await verify(password, user?.hash ?? NOBODY)
  return matches && user !== undefined ? { name, fullName: user.fullName } : undefined
}

/** @param {string | undefined} name */
export function fullName(name) {
  return name !== undefined && Object.hasOwn(users, name) ? users[name]?.fullName : undefined
}

/** @type {Record<string, { fullName: string, hash: string }>} */
const users = {
  ada: {
    fullName: 'Ada Lovelace',
    hash: 'hW_bkdrjEp7eB6gRUf-GsQ.usKvrvr9FAop3AQHuc93o0DWRVve2M3breqrpyi3lWk',
  },
  grace: {
    fullName: 'Grace Hopper',
    hash: '0AxfRxq-cQi76DUYpskAug.UC9_d1D21CE2jWGGL4sytf6yQfta5KQcUtpg88PMS6M',
  },
}

/** The hash of a password that nobody has. */
const NOBODY = 'NDrOPeAcMbUmZz-gKCvyqQ.2QVodt5Q5lFSbv80nRbGbDvLqDrvadPLrQ_ACTmFROw'

// OWASP's password storage cheat sheet: N 2^15, r 8, p 3, which takes 32 MiB a password.
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 2 ** 26 }

const derive =
  /** @type {(password: string, salt: Buffer, bytes: number, cost: typeof COST) => Promise<Buffer>} */ (
    promisify(scrypt)
  )

/**
 * @param {string} password
 * @param {string} hash `salt.key`, both base64url
 */
async function verify(password, hash) {
  const [salt = '', key = ''] = hash.split('.')
  const expected = Buffer.from(key, 'base64url')
  const actual = await derive(password, Buffer.from(salt, 'base64url'), expected.length, COST)
  return timingSafeEqual(actual, expected)
}
