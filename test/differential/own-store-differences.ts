/** What visitors see of the stores of this package in other ways than of express-session's, with the reasons. */
import type { IntendedDifference } from './differences.ts'

export const ownStoreDifferences: readonly IntendedDifference[] = [
  {
    id: 'own-dates',
    what: 'A Date in the session comes back as a Date.',
    reason: 'Stores of this package keep MessagePack, not JSON.',
    scenarios: ['a Date comes back as a string from a store that keeps JSON'],
    shows: [{ at: /^responses\.[12]\.body\.kind$/, express: 'string', fast: 'object' }],
  },
  {
    id: 'own-bigint',
    what: 'A BigInt in the session is stored.',
    reason: 'Stores of this package keep MessagePack, not JSON.',
    scenarios: ['req.session: a BigInt is an error'],
    shows: [{ at: /^responses\.\d\./ }, { at: /^errors\.\d$/, fast: 'absent' }],
  },
  {
    id: 'own-undefined-attributes',
    what: 'A cookie attribute that a handler set to undefined stays so.',
    reason:
      'JSON loses what is undefined, so that express-session has its default again at the next request.',
    scenarios: ['a handler sets httpOnly and path to undefined'],
    shows: [{ at: /\.(httpOnly|path)$/, fast: 'absent' }, { at: /^responses\.3\.cookies\.0\./ }],
  },
  {
    id: 'own-attributes',
    what: 'A stored cookie has the attributes of the options, but for those that were set for it alone.',
    reason: 'Options that change hold for sessions that are there already.',
    scenarios: [
      'a stored cookie expires in an hour and the session is only read',
      'a stored cookie has an expires that is no date',
      'a session that is only read keeps the cookie that the old secret signed',
      'rolling renews the cookie with the new secret',
    ],
    shows: [{ at: /cookie\.(secure|sameSite)$/, express: 'absent', fast: false }],
  },
  {
    id: 'own-auto',
    what: "`secure: 'auto'` is of each request, not of the one that the session began with.",
    reason: 'A session that goes on over HTTPS gets the Secure attribute.',
    scenarios: [/^secure: 'auto' follows every request of a session that began/],
    shows: [{ at: /^responses\.1\.cookies\.0/ }],
  },
  {
    id: 'own-lifetime-left',
    what: 'A session that was put into the store with an `expires` and without a lifetime has what is left of it for a lifetime.',
    reason: 'express-session lets it last until the browser closes, from the next request on.',
    scenarios: [
      'a stored cookie expires in an hour and says originalMaxAge: null',
      'a stored cookie has an expires and no originalMaxAge',
    ],
    shows: [{ at: 'responses.0.cookies.0', express: 'absent' }],
  },
  {
    id: 'own-no-lifetime',
    what: '`expires = false` comes back as null; the cookie is not set again with every change.',
    reason: 'Both mean a cookie that ends with the browser session, which the browser has already.',
    scenarios: ['a stored cookie has expires: false', 'a handler sets expires to false'],
    shows: [
      { at: /cookie\.(originalMaxAge|expires)$/, express: false, fast: null },
      { at: /^responses\.[03]\.cookies\.0$/, fast: 'absent' },
    ],
  },
  {
    id: 'own-no-lifetime-of-a-taken-session',
    what: 'A cookie without a lifetime has null for its `originalMaxAge`.',
    reason: 'As a session that never had another cookie.',
    scenarios: ['createSession through the store, as some packages do to take a session over'],
    shows: [{ at: 'responses.2.body.session.cookie.originalMaxAge', express: 'absent', fast: null }],
  },
  {
    id: 'own-expired',
    what: 'A session whose cookie has expired is over.',
    reason: "So it is in express-session's MemoryStore; the store of these scenarios gives it back.",
    scenarios: ['a handler sets expires to a date that is past', 'a handler sets maxAge to 0'],
    shows: [
      { at: /^responses\.2\.body\.session\.cookie\.(originalMaxAge|expires)$/ },
      { at: /^responses\.2\.body\.session\.(user|changed)$/, fast: 'absent' },
      { at: /^responses\.3\.cookies\.0\.(cookie|Expires)$/ },
    ],
  },
  {
    id: 'own-destroyed',
    what: 'A session that was destroyed is not brought back by saving what is left of it: that is the error SESSION_GONE.',
    reason: 'A logout holds, whatever a slower request does.',
    scenarios: ['destroy, and the kept session object is saved after it'],
    shows: [
      { at: 'responses.1.cookies.0', express: 'absent' },
      { at: 'responses.1.body.error', express: 'no error' },
      { at: 'responses.2.body.session.user', express: 'ada', fast: 'absent' },
    ],
  },
  {
    id: 'own-body',
    what: 'Where all of the store answers at once, a Buffer that is changed after `end` may leave changed.',
    reason: 'As in Node.js without sessions: the response is not held back, so nothing is copied.',
    scenarios: ['an answer by end, after which the body that was given is changed'],
    shows: [{ at: /^responses\.[01]\.body$/ }],
  },
  {
    id: 'own-store',
    what: '`req.sessionStore` is the store that was given as the option `store`.',
    reason: 'Here that is the store of this package, and the scenario compares it with its own.',
    scenarios: ['req.session: req.sessionStore is the store'],
    shows: [{ at: /^responses\.[02]\.body$/, express: true, fast: false }],
  },
]
