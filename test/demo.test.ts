/** The demo over HTTP, as its visitors use it; and `npm start`, as its README says. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createApp } from '../examples/shop/app.js'

const secret = 'a secret of the demo test, which is long enough'

let server: http.Server
let shopper: Shopper

beforeAll(async () => {
  server = http.createServer(createApp({ secret }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

beforeEach(() => {
  shopper = newShopper()
})

describe('a visitor who looks around', () => {
  it('gets no cookie', async () => {
    const page = await shopper.get('/')
    expect(page.status).toBe(200)
    expect(page.text).toContain('Assam Mangalam')
    expect(shopper.cookie).toBeUndefined()
  })

  it('is told when there is no such page', async () => {
    expect(await shopper.get('/teas/coffee')).toMatchObject({ status: 404 })
  })

  it('gets pages that no cache keeps and no other site can frame', async () => {
    const { headers } = await shopper.get('/')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-powered-by')).toBeNull()
  })
})

describe('the cart', () => {
  it('takes teas, with a message that the next page shows once', async () => {
    const page = await shopper.add('assam-mangalam', 2)
    expect(page.text).toContain('Assam Mangalam is in your cart.')
    expect(page.text).toContain('€23.80')
    expect((await shopper.get('/cart')).text).not.toContain('is in your cart.')
  })

  it('adds up what is added again', async () => {
    await shopper.add('lapsang', 1)
    expect((await shopper.add('lapsang', 2)).text).toContain('3 of Lapsang Souchong')
  })

  it('changes quantities, and removes a tea', async () => {
    await shopper.add('assam-mangalam', 1)
    await shopper.add('bai-mudan', 1)
    expect((await shopper.submit('/cart/bai-mudan', { tins: '5' })).text).toContain('5 of Bai Mudan')
    const page = await shopper.submit('/cart/bai-mudan', { tins: '0' })
    expect(page.text).toContain('Bai Mudan is out of your cart.')
    expect(page.text).not.toContain('5 of Bai Mudan')
    expect(page.text).toContain('1 of Assam Mangalam')
  })

  it('loses nothing that is added at the same time', async () => {
    await shopper.get('/teas/lapsang')
    const adding = ['lapsang', 'bai-mudan', 'lapsang', 'dong-ding'].map((tea) =>
      shopper.send(`/teas/${tea}`, { tins: '1' }),
    )
    await Promise.all(adding)
    const { text } = await shopper.get('/cart')
    for (const line of ['2 of Lapsang', '1 of Bai Mudan', '1 of Dong Ding']) expect(text).toContain(line)
  })

  it.each(['-1', '1e3', 'NaN', '99999', ''])('refuses %j as a quantity', async (tins) => {
    await shopper.add('lapsang', 1)
    expect(await shopper.send('/cart/lapsang', { tins })).toMatchObject({ status: 404 })
    expect((await shopper.get('/cart')).text).toContain('1 of Lapsang')
  })
})

describe('the login', () => {
  it('shows who is logged in', async () => {
    const page = await shopper.login()
    expect(page.text).toContain('Welcome, Ada Lovelace.')
    expect(page.text).toContain('Log out')
  })

  it.each([
    ['ada', 'wrong'],
    ['nobody', 'analytical-engine'],
    ['__proto__', 'analytical-engine'],
    ['', ''],
  ])('refuses %j with the password %j', async (name, password) => {
    await shopper.get('/login')
    const page = await shopper.submit('/login', { name, password })
    expect(page.status).toBe(401)
    expect((await shopper.get('/account')).headers.get('location')).toBe('/login')
  })

  it('gives the session a new id, and the old one is dead', async () => {
    await shopper.add('lapsang', 1)
    const before = shopper.cookie
    await shopper.login()
    expect(shopper.cookie).not.toBe(before)

    const thief = newShopper()
    thief.cookie = before
    expect((await thief.get('/cart')).text).toContain('Your cart is empty')
    expect(await thief.get('/account')).toMatchObject({ status: 303 })
  })

  it('keeps the cart', async () => {
    await shopper.add('lapsang', 4)
    await shopper.login()
    expect((await shopper.get('/cart')).text).toContain('4 of Lapsang')
  })

  it('leads back to where it was asked for', async () => {
    await shopper.add('lapsang', 1)
    expect((await shopper.get('/checkout')).headers.get('location')).toBe('/login')
    expect((await shopper.login()).text).toContain('Where does it go?')
  })

  it('ends with the logout, also for whoever has kept the cookie', async () => {
    await shopper.login()
    const before = shopper.cookie
    expect((await shopper.submit('/logout', {})).text).toContain('You are logged out.')
    expect(await shopper.get('/account')).toMatchObject({ status: 303 })
    shopper.cookie = before
    expect(await shopper.get('/account')).toMatchObject({ status: 303 })
  })

  it('can be ended one by one, but for the one in use', async () => {
    const [phone, library] = [newShopper(), newShopper()]
    for (const one of [phone, library, shopper]) await one.login()
    const { text } = await shopper.get('/account')
    expect(text.match(/This is the one you are using/g)).toHaveLength(1)
    const keys = [...text.matchAll(/name="session" value="([^"]+)"/g)].map(([, key = '']) => key)
    const phoneKey = createHash('sha256').update(idOf(phone)).digest('base64url')
    expect(keys).toContain(phoneKey)
    expect(keys).not.toContain(createHash('sha256').update(idOf(shopper)).digest('base64url'))

    expect((await shopper.submit('/account/end', { session: phoneKey })).text).toContain('logged out there')
    expect(await phone.get('/account')).toMatchObject({ status: 303 })
    expect(await library.get('/account')).toMatchObject({ status: 200 })
    expect((await shopper.submit('/account/end', { session: phoneKey })).text).toContain('had ended already')
  })

  it('says that it ends with the server, where it is kept in memory', async () => {
    await shopper.login()
    expect((await shopper.get('/account')).text).toContain('kept in memory')
  })

  it('can be ended everywhere else', async () => {
    await shopper.login()
    const other = newShopper()
    await other.login()
    await shopper.get('/account')
    expect((await shopper.submit('/account/revoke', {})).text).toMatch(/other sessions? (was|were) ended/)
    expect(await other.get('/account')).toMatchObject({ status: 303 })
    expect(await shopper.get('/account')).toMatchObject({ status: 200 })
  })
})

describe('the checkout', () => {
  const address = {
    name: 'Ada Lovelace',
    street: '12 St James’s Square',
    postcode: 'SW1Y 4JH',
    city: 'London',
    country: 'United Kingdom',
  }

  beforeEach(async () => {
    await shopper.add('dong-ding', 2)
    await shopper.login()
    await shopper.get('/checkout/address')
  })

  it('goes through three steps to an order, and empties the cart', async () => {
    expect((await shopper.submit('/checkout/address', address)).text).toContain('How should it travel?')
    const review = await shopper.submit('/checkout/delivery', { method: 'express', note: '<b>hot</b>' })
    expect(review.text).toContain('SW1Y 4JH London')
    expect(review.text).toContain('€46.70')
    expect(review.text).toContain('&lt;b&gt;hot&lt;/b&gt;')
    expect((await shopper.submit('/checkout/review', {})).text).toMatch(/Order KL-\d{6}/)
    expect((await shopper.get('/cart')).text).toContain('Your cart is empty')
    expect((await shopper.get('/account')).text).toContain('2 tins, €46.70')
  })

  it('keeps what was filled in on the way back and forth', async () => {
    await shopper.submit('/checkout/address', address)
    const back = await shopper.submit('/checkout/delivery', {
      method: 'pickup',
      note: 'ring twice',
      go: 'back',
    })
    expect(back.text).toContain('value="SW1Y 4JH"')
    const forth = await shopper.submit('/checkout/address', { ...address, city: 'Oxford' })
    expect(forth.text).toMatch(/value="pickup"\s+checked/)
    expect(forth.text).toContain('ring twice')
    expect((await shopper.submit('/checkout/delivery', { method: 'pickup' })).text).toContain('Oxford')
  })

  it('asks again for what is missing, and keeps the rest', async () => {
    const page = await shopper.submit('/checkout/address', { ...address, city: ' ' })
    expect(page.status).toBe(422)
    expect(page.text).toContain('Town or city is missing.')
    expect(page.text).toContain('value="SW1Y 4JH"')
  })

  it('lets nobody skip a step', async () => {
    expect((await shopper.get('/checkout/review')).headers.get('location')).toBe('/checkout/address')
  })
})

describe('a forged form', () => {
  it('without the token of the session is refused', async () => {
    await shopper.login()
    shopper.token = undefined
    expect(await shopper.send('/logout', {})).toMatchObject({ status: 403 })
    expect(await shopper.get('/account')).toMatchObject({ status: 200 })
  })

  it('with the token of another session is refused', async () => {
    const other = newShopper()
    await other.login()
    await shopper.login()
    shopper.token = other.token
    expect(await shopper.send('/logout', {})).toMatchObject({ status: 403 })
  })

  it.each(['__proto__', 'constructor', '_csrf'])('with the field %j is refused', async (field) => {
    await shopper.get('/login')
    shopper.token = undefined
    expect(await shopper.send('/login', { [field]: 'x', name: 'ada' })).toMatchObject({ status: 403 })
  })
})

describe('npm start', () => {
  const directory = mkdtempSync(join(tmpdir(), 'shop-'))
  let shop: ReturnType<typeof spawn> | undefined

  afterEach(async () => {
    if (shop === undefined || shop.exitCode !== null) return
    const ended = once(shop, 'exit')
    shop.kill('SIGKILL')
    await ended
  })

  afterAll(() => rmSync(directory, { recursive: true }))

  it('says where the shop is, and which engine and store run', async () => {
    expect(await start()).toMatch(/^Kettle & Leaf: http:\/\/localhost:\d+ \(engine wasm, store lmdb\)$/)
  })

  it('keeps the secret in a file that nobody else can read', async () => {
    await start()
    const path = join(directory, 'data', 'session-secret')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path, 'utf8')).toHaveLength(43)
  })

  it('finds the sessions again after a restart', async () => {
    const port = /\d{2,}/.exec(await start())?.[0]
    const visitor = new Shopper(`http://localhost:${port}`)
    await visitor.add('lapsang', 3)
    await visitor.login()
    const ended = once(shop as object as NodeJS.EventEmitter, 'exit')
    shop?.kill('SIGTERM')
    expect(await ended).toEqual([0, null])

    visitor.origin = `http://localhost:${/\d{2,}/.exec(await start())?.[0]}`
    const { text } = await visitor.get('/cart')
    expect(text).toContain('3 of Lapsang')
    expect(text).toContain('Log out')
    expect((await visitor.get('/account')).text).toContain('also when the server is restarted')
  })

  /** Starts the shop in an empty directory; answers the line that it prints. */
  async function start(): Promise<string> {
    const { SESSION_SECRET: _, ...env } = process.env
    shop = spawn(process.execPath, [join(import.meta.dirname, '../examples/shop/server.js')], {
      cwd: directory,
      env: { ...env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for await (const line of createInterface({ input: shop.stdout as NodeJS.ReadableStream })) return line
    throw new Error('the shop said nothing')
  }
})

function newShopper(): Shopper {
  return new Shopper(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

/** The session id in the cookie of a shopper. */
function idOf({ cookie = '' }: Shopper): string {
  return /=s%3A([^.]+)\./.exec(cookie)?.[1] ?? ''
}

interface Page {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** A browser as far as the demo needs one: keeps the cookie, and the token of the last form it saw. */
class Shopper {
  origin: string
  cookie: string | undefined
  token: string | undefined

  constructor(origin: string) {
    this.origin = origin
  }

  get(path: string): Promise<Page> {
    return this.#fetch(path)
  }

  /** Sends a form with the token, and goes where the answer leads. */
  async submit(path: string, fields: Record<string, string>): Promise<Page> {
    let page = await this.send(path, fields)
    for (let location = page.headers.get('location'); location !== null; ) {
      page = await this.#fetch(location)
      location = page.headers.get('location')
    }
    return page
  }

  /** Sends a form with the token, if there is one. */
  send(path: string, fields: Record<string, string>): Promise<Page> {
    const body = new URLSearchParams({ ...fields, ...(this.token && { _csrf: this.token }) })
    return this.#fetch(path, { method: 'POST', body })
  }

  async add(tea: string, tins: number): Promise<Page> {
    await this.get(`/teas/${tea}`)
    return this.submit(`/teas/${tea}`, { tins: String(tins) })
  }

  async login(): Promise<Page> {
    await this.get('/login')
    return this.submit('/login', { name: 'ada', password: 'analytical-engine' })
  }

  async #fetch(path: string, init: RequestInit = {}): Promise<Page> {
    const headers = new Headers(this.cookie === undefined ? [] : [['cookie', this.cookie]])
    const response = await fetch(this.origin + path, { ...init, headers, redirect: 'manual' })
    const [line] = response.headers.getSetCookie()
    if (line !== undefined) this.cookie = line.split(';', 1)[0]
    const text = await response.text()
    this.token = /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? this.token
    return { status: response.status, headers: response.headers, text }
  }
}
