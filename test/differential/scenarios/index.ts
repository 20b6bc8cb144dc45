/** All scenarios, by what a user sees. */
import type { Scenario } from '../scenario.ts'
import { interchange, paths, several, withCookieParser } from './composition.ts'
import { cookieAttributes, cookieFunction, oneSessionsCookie } from './cookie-attributes.ts'
import { construction, defaults } from './defaults.ts'
import { expired, rolling } from './expiry.ts'
import { destroy, ids, regenerate, reload, touch, unsetting } from './lifecycle.ts'
import { newVisitor } from './new-visitor.ts'
import { refusedCookies } from './refused-cookies.ts'
import { connections, cookiesBesides, endings, firstLooks, heads, streams } from './responses.ts'
import { returningVisitor } from './returning-visitor.ts'
import { combinations, explicitSave } from './saving.ts'
import { secrets, secure } from './security.ts'
import { sessionObject } from './session-object.ts'
import { askedDirectly, connection, failing, oddAnswers, tempers } from './stores.ts'

export const scenarios: Readonly<Record<string, readonly Scenario[]>> = {
  'a new visitor': newVisitor,
  'a returning visitor': returningVisitor,
  'the shape of the cookie': refusedCookies,
  'expired sessions': expired,
  rolling,
  'resave and saveUninitialized': combinations,
  'explicit save': explicitSave,
  regenerate,
  reload,
  destroy,
  touch,
  'a session set to nothing': unsetting,
  'session ids': ids,
  'several secrets': secrets,
  'secure, sameSite and proxies': secure,
  'cookie attributes': cookieAttributes,
  'cookie as a function': cookieFunction,
  "one session's cookie": oneSessionsCookie,
  'paths and mounted apps': paths,
  'several session middlewares': several,
  'beside cookie-parser': withCookieParser,
  'cookies and sessions of the other package': interchange,
  'stores quick and slow': tempers,
  'stores that a handler asks': askedDirectly,
  'stores that fail': failing,
  'stores with odd answers': oddAnswers,
  'stores that come and go': connection,
  'ways to end a response': endings,
  'ways to write the head': heads,
  'first looks at the session': firstLooks,
  'ways to stream': streams,
  'other cookies of the app': cookiesBesides,
  connections,
  'the session object': sessionObject,
  'options left out': defaults,
  'wrong options': construction,
}
