/** The cookie is not ours, or no longer whole. */
import { sign } from 'cookie-signature'
import { countVisits, FOREIGN_SECRET, type Scenario, SECRET } from '../scenario.ts'

const ID = 'abcdefghijklmnopqrstuvwxyz012345'
const SIGNED = sign(ID, SECRET)
const STORED = { cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/' }, views: 1 }

/** A visitor sends this Cookie header while the store has a session under the id that it may contain. */
function sends(what: string, cookie: string, id = ID): Scenario {
  return {
    name: `the cookie ${what}`,
    handler: countVisits,
    steps: async (browser, { store }) => {
      store.plant(id, STORED)
      await browser.visit('/', { cookie })
    },
  }
}

const named = (value: string): string => `connect.sid=${value}`

export const refusedCookies: Scenario[] = [
  sends('is whole and percent-encoded', named(encodeURIComponent(`s:${SIGNED}`))),
  sends('is whole and not percent-encoded', named(`s:${SIGNED}`)),
  sends('is whole, every character percent-encoded', named([...`s:${SIGNED}`].map(percent).join(''))),
  sends(
    'is whole, its escapes in lower case',
    named(
      encodeURIComponent(`s:${SIGNED}`)
        .toLowerCase()
        .replace(/^s%3a.*/, (s) => s.slice(0, 4) + encodeURIComponent(SIGNED)),
    ),
  ),
  sends('is whole and in quotes', named(`"s:${SIGNED}"`)),
  sends('has a quote only before it', named(`"s:${SIGNED}`)),
  sends('has blanks around name and value', `a=b;  connect.sid =  s:${SIGNED}  ; c=d`),
  sends('has tabs around name and value', `a=b;\tconnect.sid\t=\ts:${SIGNED}\t; c=d`),
  sends(
    'comes last of many',
    `${Array.from({ length: 100 }, (_, n) => `c${n}=${n}`).join('; ')}; ${named(`s:${SIGNED}`)}`,
  ),
  sends('comes without blanks between the pairs', `a=b;${named(`s:${SIGNED}`)};c=d`),
  sends('comes after pairs without an equals sign', `flag; other;; ; ${named(`s:${SIGNED}`)}`),
  sends('comes after a pair whose value holds its name', `a=connect.sid=x; ${named(`s:${SIGNED}`)}`),
  sends('comes after a name that ends like its own', `xconnect.sid=s:bad; ${named(`s:${SIGNED}`)}`),
  sends('comes twice, the whole one first', `${named(`s:${SIGNED}`)}; ${named('s:bad')}`),
  sends('comes twice, the whole one second', `${named('s:bad')}; ${named(`s:${SIGNED}`)}`),
  sends('comes twice, first empty', `${named('')}; ${named(`s:${SIGNED}`)}`),
  sends('has its name in capitals', `CONNECT.SID=s:${SIGNED}`),
  sends('is empty', named('')),
  sends('has no equals sign', 'connect.sid'),
  sends('has only an equals sign', 'connect.sid='),
  sends('is the id without signature or prefix', named(ID)),
  sends('is signed but without the prefix', named(SIGNED)),
  sends('is the prefix only', named('s:')),
  sends('is half of the prefix', named('s')),
  sends('is the prefix and a dot', named('s:.')),
  sends('has the prefix in capitals', named(`S:${SIGNED}`)),
  sends('has the prefix of JSON cookies', named(`j:{"id":"${ID}"}`)),
  sends('has no signature', named(`s:${ID}`)),
  sends('has an empty signature', named(`s:${ID}.`)),
  sends('has an empty id, signed', named(`s:${sign('', SECRET)}`), ''),
  sends('has a signature cut by one', named(`s:${SIGNED.slice(0, -1)}`)),
  sends('has a signature longer by one', named(`s:${SIGNED}A`)),
  sends('has base64 padding on its signature', named(`s:${SIGNED}=`)),
  sends(
    'has the last character of its signature changed',
    named(`s:${SIGNED.slice(0, -1)}${SIGNED.endsWith('A') ? 'B' : 'A'}`),
  ),
  sends(
    'has the signature in base64url',
    named(
      `s:${sign('id-whose-signature-has-both-marks-2', SECRET).replaceAll('+', '-').replaceAll('/', '_')}`,
    ),
    'id-whose-signature-has-both-marks-2',
  ),
  sends(
    'has another id under its signature',
    named(`s:${ID.replace('a', 'b')}.${SIGNED.slice(33)}`),
    ID.replace('a', 'b'),
  ),
  sends('is signed with a secret that is not ours', named(`s:${sign(ID, FOREIGN_SECRET)}`)),
  sends('is signed with an empty secret', named(`s:${sign(ID, '')}`)),
  sends('has a broken escape', named('s%3A%E0%A4%A')),
  sends('has a lone percent sign in an otherwise whole value', named(`s:${SIGNED}%`)),
  sends('has an escaped NUL', named(`s%3A${encodeURIComponent(SIGNED)}%00`)),
  sends('has bytes beyond ASCII', named('s:\xfc\xe4.\xff')),
  sends('is 10,000 characters long', named(`s:${'A'.repeat(10_000)}`)),
  sends(
    'has an id of 3,000 characters, signed',
    named(`s:${sign('x'.repeat(3000), SECRET)}`),
    'x'.repeat(3000),
  ),
  sends('is larger than a header may be', named(`s:${'A'.repeat(20_000)}`)),
  sends('has an id with dots, signed', named(`s:${sign('a.b.c', SECRET)}`), 'a.b.c'),
  sends(
    'has an id beyond ASCII, signed',
    named(encodeURIComponent(`s:${sign('grün-世界', SECRET)}`)),
    'grün-世界',
  ),
  sends(
    'has an id with a semicolon, signed and escaped',
    named(encodeURIComponent(`s:${sign('a;b', SECRET)}`)),
    'a;b',
  ),
  sends('has the id __proto__, signed', named(`s:${sign('__proto__', SECRET)}`), '__proto__'),
  sends(
    'has the id ../../etc/passwd, signed',
    named(encodeURIComponent(`s:${sign('../../etc/passwd', SECRET)}`)),
    '../../etc/passwd',
  ),
  sends('is named __proto__', '__proto__=s:x.y; constructor=s:x.y; toString=1'),
  sends('is a row of semicolons', ';;;;;;;;'),
  sends('is a row of equals signs', '========'),
  sends('is one character', 'x'),
  {
    name: 'the cookie comes in two Cookie headers, the whole one in the second',
    handler: countVisits,
    steps: async (browser, { store }) => {
      store.plant(ID, STORED)
      await browser.visit('/', {
        headers: [
          ['Cookie', 'a=b'],
          ['Cookie', named(`s:${SIGNED}`)],
        ],
      })
    },
  },
  {
    name: 'the cookie is refused and the visitor goes on with the new one',
    handler: countVisits,
    steps: async (browser, { store }) => {
      store.plant(ID, STORED)
      await browser.visit('/', { cookie: named(`s:${ID}.wrong`) })
      await browser.visit()
    },
  },
  {
    name: 'the cookie is refused and an unused session sends none in its place',
    handler: (_req, res) => res.end('nothing'),
    steps: async (browser) => {
      await browser.visit('/', { cookie: named(`s:${ID}.wrong`) })
    },
  },
]

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
