import { describe, expect, it } from 'vitest'
import { coreWith, ENGINES, SECRET } from './engines.ts'

const hex = (digits: string) => Uint8Array.from(Buffer.from(digits, 'hex'))

// RFC 4231, sections 4.2 to 4.8. Sections 4.4 and 4.5 are left out: their data is no UTF-8, and sign takes text.
const rfc4231 = [
  {
    section: '4.2',
    key: hex('0b'.repeat(20)),
    data: 'Hi There',
    hmac: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  },
  {
    section: '4.3, a key shorter than the output',
    key: hex('4a656665'),
    data: 'what do ya want for nothing?',
    hmac: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
  {
    section: '4.6, truncated to 128 bits',
    key: hex('0c'.repeat(20)),
    data: 'Test With Truncation',
    hmac: 'a3b6167473100ee06e0c796c2955552b',
  },
  {
    section: '4.7, a key longer than a block',
    key: hex('aa'.repeat(131)),
    data: 'Test Using Larger Than Block-Size Key - Hash Key First',
    hmac: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  },
  {
    section: '4.8, key and data longer than a block',
    key: hex('aa'.repeat(131)),
    data:
      'This is a test using a larger than block-size key and a larger than block-size data. ' +
      'The key needs to be hashed before being used by the HMAC algorithm.',
    hmac: '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  },
]

// FIPS 180-4: the examples that NIST publishes for it.
const nist = [
  {
    message: '',
    name: 'the empty message',
    digest: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  },
  {
    message: 'abc',
    name: 'one block',
    digest: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  },
  {
    message: 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    name: 'two blocks, as the length needs one of its own',
    digest: '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  },
  {
    message:
      'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu',
    name: '896 bits',
    digest: 'cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1',
  },
  {
    message: 'a'.repeat(1_000_000),
    name: 'a million a',
    digest: 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
  },
]

describe.each(ENGINES)('the engine %s knows the vectors', (engine) => {
  it.each(rfc4231)('of RFC 4231, section $section', ({ key, data, hmac }) => {
    const core = coreWith(key, engine)
    const signed = core.sign(data)
    const signature = Buffer.from(signed.slice(data.length + 1), 'base64').toString('hex')
    expect(signature.slice(0, hmac.length)).toBe(hmac)
    expect(core.verify(signed)).toBe(data)
    core.dispose()
  })

  it.each(nist)('of FIPS 180-4: $name', ({ message, digest }) => {
    const core = coreWith(SECRET, engine)
    expect(Buffer.from(core.hashId(message), 'base64url').toString('hex')).toBe(digest)
  })
})
