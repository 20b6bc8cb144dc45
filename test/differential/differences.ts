/**
 * Every intended difference between express-session and fast-session that the scenarios show, with its reason. The
 * comparison fails on a difference that no row covers, and on a row of which any part no longer occurs.
 */
export interface IntendedDifference {
  readonly id: string
  /** What differs, in a sentence for somebody who moves from express-session. */
  readonly what: string
  readonly reason: string
  /** The scenarios that show it, by name. */
  readonly scenarios: readonly (string | RegExp)[]
  /** Where it shows. */
  readonly shows: readonly Showing[]
}

export interface Showing {
  /** A path as the comparison names it. */
  readonly at: string | RegExp
  /** What each side has there; left out: anything. */
  readonly express?: unknown
  readonly fast?: unknown
}

export const intendedDifferences: readonly IntendedDifference[] = [
  {
    id: 'default-resave',
    what: '`resave` is false unless it is set: a session that did not change is touched, not stored again.',
    reason:
      'Storing what was only read overwrites what other requests stored meanwhile. express-session deprecates its default.',
    scenarios: ['no options but the secret: a stored session is read'],
    shows: [
      {
        at: 'asked',
        express: ['set SID1', 'get SID1', 'set SID1'],
        fast: ['set SID1', 'get SID1', 'touch SID1'],
      },
    ],
  },
  {
    id: 'default-save-uninitialized',
    what: '`saveUninitialized` is false unless it is set: a session that nothing was put into is not stored and sends no cookie.',
    reason:
      'Every crawler would get a stored session, every visitor a cookie without need. express-session deprecates its default.',
    scenarios: ['no options but the secret: a new visitor whose session stays empty'],
    shows: [
      { at: 'asked', express: ['set SID1'], fast: [] },
      { at: 'responses.0.cookies.0', fast: 'absent' },
    ],
  },
  {
    id: 'default-same-site',
    what: "`cookie.sameSite` is 'lax' unless it is set.",
    reason:
      'Browsers that do not assume it themselves would send the cookie with forged cross-site POST requests.',
    scenarios: [
      /^no options but the secret: a (stored|new visitor is counted)/,
      'cookie options without sameSite',
    ],
    shows: [
      { at: /^responses\.0\.cookies\.0\.SameSite$/, express: 'absent', fast: 'Lax' },
      { at: /^responses\.0\.cookies\.0\.attributes$/ },
      { at: /cookie\.sameSite$/, express: 'absent', fast: 'lax' },
    ],
  },
  {
    id: 'default-secure',
    what: "`cookie.secure` is 'auto' unless it is set: the cookie is Secure when the request came by HTTPS.",
    reason: 'A cookie that was given out over HTTPS should not be sent over plain HTTP.',
    scenarios: [
      /^no options but the secret: a (stored|new visitor is counted)/,
      /^cookie options without secure/,
    ],
    shows: [
      { at: 'responses.0.cookies.0.Secure', express: 'absent', fast: true },
      { at: 'responses.0.cookies.0.attributes' },
      { at: /cookie\.secure$/, express: 'absent' },
    ],
  },
  {
    id: 'options-are-checked',
    what: 'Options that can not be meant are refused at construction: a signing secret under 32 bytes, unknown names, values of a wrong type.',
    reason: 'express-session takes them and fails, or is insecure, at the first request or without a word.',
    scenarios: [/^construction with /],
    shows: [{ at: 'notes.construction.0', express: 'accepted', fast: 'refused' }],
  },
  {
    id: 'stored-before-sent',
    what: 'No byte of a response leaves before the store has answered.',
    reason:
      'express-session sends all but the last byte first: a client that follows a redirect at once finds the old session, and the status is out when the store fails.',
    scenarios: [/^no byte leaves before/, 'an answer by getHeader and getHeaders on the way'],
    shows: [
      { at: 'notes.has come before the store answered.0', express: true, fast: false },
      { at: /^notes\.afterwards\./, express: true, fast: false },
    ],
  },
  {
    id: 'one-write',
    what: 'A response that `end` makes in one piece is sent in one piece, with a Content-Length.',
    reason: 'express-session splits it, which makes it chunked. It costs a system call and the length.',
    scenarios: [
      /^an answer by (end|a big body at once$|getHeader)/,
      'an answer by send of nothing',
      'an answer by early hints',
      'an answer by headers that are removed again',
      'an answer by removing Set-Cookie before the end',
    ],
    shows: [
      { at: /^responses\.\d\.headers\.Transfer-Encoding$/, express: ['chunked'], fast: 'absent' },
      { at: /^responses\.\d\.headers\.Content-Length$/, express: 'absent' },
    ],
  },
  {
    id: 'end-callback',
    what: 'The callback of `res.end` is called.',
    reason: 'express-session drops it, or takes it for the body and fails, when it has something to store.',
    scenarios: [
      'an answer by end with a callback',
      'an answer by end of a string with encoding and callback',
    ],
    shows: [
      { at: 'notes.called back', express: 'absent', fast: [true, true] },
      { at: /^errors\.[01]$/, fast: 'absent' },
    ],
  },
  {
    id: 'failing-store-is-a-500',
    what: 'When the store fails, the error handlers answer, with a 500 by default, and no cookie for what was not stored is sent.',
    reason:
      'express-session tells the error handlers, too, but the visitor has the 200 already and believes that the change was kept.',
    scenarios: [
      /^a store that fails, (at once|soon|late), in (set|touch|destroy)/,
      'a store that fails to store a new session',
      'a store that fails to store what a stream has already sent',
      'a store that fails, and an error handler that renders a page of its own',
      'unset destroy with a store that fails',
    ],
    shows: [
      { at: /^responses\.[01]\.status$/, express: 200 },
      { at: /^responses\.[01]\.body/ },
      { at: 'responses.0.cookies.0', fast: 'absent' },
      { at: /^responses\.0\.headers\.(Content-Type|Retry-After|Transfer-Encoding|Content-Length)/ },
    ],
  },
  {
    id: 'bad-cookie-is-a-500',
    what: 'When a handler gives the session cookie an attribute that no cookie can have, the error handlers answer.',
    reason:
      'express-session sends the 200 without the cookie: the visitor is logged out and nobody knows why.',
    scenarios: ['a handler sets a domain that no cookie may have', 'a handler sets an unknown sameSite'],
    shows: [
      { at: /^responses\.[13]\.status$/, express: 200, fast: 500 },
      { at: /^responses\.[13]\.body/ },
      { at: /^errors\.[01]\.message$/ },
    ],
  },
  {
    id: 'no-hanging-response',
    what: 'When `res.end` fails (the session can not be stored as JSON, the store throws, `req.session` is no session), the error handlers answer.',
    reason:
      'In express-session the response of the error handlers is swallowed: the visitor waits until the connection times out.',
    scenarios: [
      /^a store that throws in (set|touch|destroy)/,
      /^req\.session: (a circular reference|a BigInt|a getter that throws) is an error$/,
      /^the session is replaced by /,
      'an answer by end of something that is no body',
      'a store that gains and loses touch while the app runs',
    ],
    shows: [
      { at: /^responses\.\d\.status$/, express: 0 },
      { at: /^responses\.\d\.ending$/, express: 'hangs', fast: 'complete' },
      { at: /^responses\.\d\.headers\./, express: 'absent' },
      { at: /^responses\.\d\.(body|reason)$/, express: '' },
      { at: /^responses\.\d\.cookies\.0$/, express: 'absent' },
      {
        at: 'errors.0',
        express: { name: 'TypeError', message: 'store.touch is not a function' },
        fast: 'absent',
      },
      {
        at: 'asked',
        express: ['set SID1', 'get SID1', 'get SID1', 'touch SID1'],
        fast: ['set SID1', 'get SID1', 'touch SID1', 'get SID1', 'touch SID1'],
      },
      { at: 'asked', express: ['set SID1', 'set SID2'], fast: ['set SID1', 'get SID1', 'set SID1'] },
    ],
  },
  {
    id: 'replaced-session',
    what: 'A plain object that a handler puts in the place of `req.session` becomes the data of the session.',
    reason: 'express-session fails on it after the handler is through, and the visitor gets no answer.',
    scenarios: [
      'the session is replaced by a plain object',
      'the session is replaced by a spread copy of itself',
    ],
    shows: [
      { at: 'asked' },
      { at: 'errors.0', fast: 'absent' },
      { at: 'responses.2.body.session.user', express: 'ada', fast: 'eve' },
    ],
  },
  {
    id: 'clear-errors',
    what: 'Errors about sessions that can not be stored or read have a `code` and a message that names the field or the option.',
    reason: 'express-session passes on what its internals stumbled over.',
    scenarios: [
      'the session is replaced by a string',
      'req.session: a circular reference is an error',
      /^a store that answers a session (without a cookie|with cookie: null)$/,
    ],
    shows: [{ at: /^errors\.\d\.(name|message|code)$/ }, { at: 'responses.0.body.error' }],
  },
  {
    id: 'saved-once-after-regenerate',
    what: 'A session that is saved explicitly after `regenerate` and not changed since is stored once.',
    reason:
      'express-session stores it again at the end of the response, which doubles the writes of every login.',
    scenarios: [
      'regenerate, a login and an explicit save',
      'regenerate, and the old fields are merged in, as passport does for keepSessionInfo',
    ],
    shows: [
      {
        at: 'asked',
        express: ['set SID1', 'get SID1', 'destroy SID1', 'set SID2', 'set SID2', 'get SID2', 'touch SID2'],
        fast: ['set SID1', 'get SID1', 'destroy SID1', 'set SID2', 'get SID2', 'touch SID2'],
      },
    ],
  },
  {
    id: 'reload-is-no-change',
    what: 'A session that `reload` brought up to date is not stored again if nothing else changed.',
    reason: 'express-session writes back what it has just read, over what others may have stored since.',
    scenarios: ['reload sees what another request stored'],
    shows: [
      {
        at: 'asked',
        express: ['set SID1', 'get SID1', 'get SID1', 'set SID1', 'get SID1', 'touch SID1'],
        fast: ['set SID1', 'get SID1', 'get SID1', 'touch SID1', 'get SID1', 'touch SID1'],
      },
    ],
  },
  {
    id: 'destroyed-once',
    what: "With `unset: 'destroy'`, a session that a handler destroyed is not destroyed once more at the end.",
    reason: 'The second call is lost time for the store and the visitor.',
    scenarios: ['destroy with unset: destroy asks the store once more'],
    shows: [
      {
        at: 'asked',
        express: ['set SID1', 'get SID1', 'destroy SID1', 'destroy SID1', 'get SID1'],
        fast: ['set SID1', 'get SID1', 'destroy SID1', 'get SID1'],
      },
    ],
  },
  {
    id: 'unread-is-not-unset',
    what: "With `unset: 'destroy'`, a session that the store failed to read is kept.",
    reason:
      'express-session takes the missing `req.session` for one that a handler unset: a hiccup of the database logs everybody out.',
    scenarios: [/^a store that (fails, (at once|soon|late),|throws) in get/],
    shows: [
      {
        at: 'asked',
        express: ['set SID1', 'get SID1', 'destroy SID1', 'get SID1'],
        fast: ['set SID1', 'get SID1', 'get SID1', 'touch SID1'],
      },
      { at: 'responses.2.body.session.user', express: 'absent', fast: 'ada' },
    ],
  },
  {
    id: 'middlewares-on-one-store',
    what: 'Each session middleware makes sessions by its own options, also when several share a store.',
    reason:
      'In express-session the options of the one that was made last hold for all: their cookies get a wrong lifetime.',
    scenarios: ['two middlewares with different names on different paths'],
    shows: [
      { at: /^data\.[03]\.cookie\.(originalMaxAge|expires)$/, fast: null },
      { at: 'responses.0.cookies.0.attributes', express: 'Path, Expires, HttpOnly', fast: 'Path, HttpOnly' },
      { at: 'responses.0.cookies.0.Expires', fast: 'absent' },
      { at: 'responses.2.cookies.0', fast: 'absent' },
    ],
  },
  {
    id: 'auto-in-a-cookie-function',
    what: "`'auto'` works in what a `cookie` function answers.",
    reason: 'express-session takes it for true: over plain HTTP no cookie is sent.',
    scenarios: [/^a cookie function that says secure: 'auto'/],
    shows: [
      { at: 'data.0.cookie.secure', express: 'auto' },
      { at: 'responses.0.cookies.0', express: 'absent' },
    ],
  },
  {
    id: 'save-gives-back-the-session',
    what: '`save(callback)` gives back the session, as documented.',
    reason: "express-session's own wrapper loses it.",
    scenarios: [
      'save, touch and resetMaxAge give back the session for chaining when they are given a callback or need none',
    ],
    shows: [{ at: /^responses\.[01]\.body\.saved$/, express: false, fast: true }],
  },
  {
    id: 'id-and-req-are-accessors',
    what: '`session.id` and `session.req` are read-only accessors of the class, not properties of each session.',
    reason: 'It makes a session cheaper; they can not be overwritten as before.',
    scenarios: [
      'req.session: Object.getOwnPropertyNames',
      'req.session: id and req are not enumerable and read-only',
    ],
    shows: [{ at: /^responses\.\d\.body\.(\d|write|writeReq|remove)$/ }],
  },
  {
    id: 'stored-before-the-head',
    what: 'A session is stored before the head of a streamed response leaves, and once more at its end if it was changed since.',
    reason: 'A client may act on the head; the end can be minutes away.',
    scenarios: ['an answer by writeHead, and a change of the session after it'],
    shows: [
      {
        at: 'asked',
        express: ['set SID1', 'get SID1', 'set SID1'],
        fast: ['set SID1', 'set SID1', 'get SID1', 'set SID1'],
      },
    ],
  },
  {
    id: 'reserved-names-are-no-change',
    what: 'Stored fields that no session can have (`id`, `req`, `toString`, inherited ones) are left out, as before, and that alone is no change.',
    reason: 'express-session stores such a session anew at every visit.',
    scenarios: [
      /^a store that answers a session (with fields id|with a field toString|with an own field __proto__|that inherits)/,
    ],
    shows: [{ at: 'asked', express: ['set SID1'], fast: ['touch SID1'] }],
  },
  {
    id: 'compared-before-json',
    what: 'Maps, Sets and Buffers that a handler puts into the session anew count as changed, also in a store that keeps JSON.',
    reason:
      'They are data of their own for the stores of this package; a store of JSON turns them into something else.',
    scenarios: [/^req\.session: a (Map and a Set are|Buffer is) stored as JSON would$/],
    shows: [
      {
        at: 'asked',
        express: ['set SID1', 'get SID1', 'set SID1', 'get SID1', 'touch SID1'],
        fast: ['set SID1', 'get SID1', 'set SID1', 'get SID1', 'set SID1'],
      },
    ],
  },
  {
    id: 'own-stores-keep-overrides',
    what: 'A stored session in a store of this package names only those attributes of its cookie that a handler changed.',
    reason:
      'What the options say need not be kept with every session, and a change of the options holds for all of them.',
    scenarios: [
      "a handler asks the package's own memory store itself",
      "a handler counts and clears the package's own memory store",
    ],
    shows: [
      { at: /\.cookie\.(secure|sameSite)$/, express: false, fast: 'absent' },
      { at: 'responses.2.body.session.cookie.httpOnly', express: 'absent', fast: true },
    ],
  },
  {
    id: 'genid-has-to-answer-an-id',
    what: 'A `genid` that answers anything but a non-empty string is an error of the request.',
    reason:
      'No cookie can carry such an id: express-session loses the session without a word, or stores all of them as one.',
    scenarios: [/^genid (makes an empty id|gives a number|gives undefined)$/],
    shows: [
      { at: /^responses\.[01]\.status$/, express: 200, fast: 500 },
      { at: /^responses\.[01]\.body\./ },
      { at: /^errors\.[01]$/, express: 'absent' },
      { at: 'asked', express: ['set ', 'set '], fast: [] },
      { at: 'responses.0.cookies.0', fast: 'absent' },
    ],
  },
  {
    id: 'blank-means-left-out',
    what: "Cookie options that are '' count as left out.",
    reason:
      'That is what an unset environment variable looks like; a cookie without a Path is kept for one folder of the site only.',
    scenarios: ['cookie options: an empty domain', 'cookie options: an empty path'],
    shows: [
      { at: /^data\.[02]\.cookie\.domain$/, express: '', fast: 'absent' },
      { at: /^data\.[02]\.cookie\.path$/, express: '', fast: '/' },
      { at: 'responses.0.cookies.0.attributes', express: 'HttpOnly', fast: 'Path, HttpOnly' },
      { at: 'responses.0.cookies.0.Path', express: 'absent', fast: '/' },
    ],
  },
  {
    id: 'replaced-cookie',
    what: 'A plain object that a handler puts in the place of `req.session.cookie` becomes the attributes of the cookie.',
    reason: 'express-session sends a cookie without any attributes then, open to scripts.',
    scenarios: ['a handler replaces the cookie by a plain object'],
    shows: [
      { at: /^data\.0\.cookie\.(originalMaxAge|expires|httpOnly)$/, express: 'absent' },
      { at: 'responses.0.cookies.0.attributes', express: '', fast: 'Path, Expires, HttpOnly' },
      { at: /^responses\.0\.cookies\.0\.(Path|Expires|HttpOnly)$/, express: 'absent' },
    ],
  },
  {
    id: 'each-middleware-its-own-session',
    what: 'Where one session middleware follows another, each looks after its own session only.',
    reason:
      "In express-session the first one takes the second one's session for its own, and sends its id in its cookie.",
    scenarios: ['two middlewares with different names and stores, one after the other has been set aside'],
    shows: [
      { at: 'asked', express: ['get SID1'], fast: [] },
      { at: 'responses.0.cookies.1', fast: 'absent' },
    ],
  },
]
