/** The session cookie as real Chromium treats it: what it keeps, where it sends it, what it drops. */
import express from 'express'
import fastSession, { type SessionOptions } from 'fast-session'
import { expect, it } from 'vitest'
import { describeInChromium } from './chromium.ts'

const secret = 'a secret of the browser test, which is long enough'

describeInChromium('the session cookie in Chromium', ({ visit, serve }) => {
  it('does not go with a POST from another site, but with a link from there', async () => {
    const shop = await serve(counter())
    const evil = await serve((_req, res) => {
      res.setHeader('Content-Type', 'text/html')
      res.end(`
        <form method="post" action="http://shop.test:${shop}/"><button>Win</button></form>
        <a href="http://shop.test:${shop}/">Look</a>`)
    })
    const page = await visit()
    await page.goto(`http://shop.test:${shop}/`)
    await page.reload()
    expect(await page.textContent('body')).toBe('2 visits')

    await page.goto(`http://evil.test:${evil}/`)
    await page.getByRole('link').click()
    expect(await page.textContent('body')).toBe('3 visits')

    await page.goto(`http://evil.test:${evil}/`)
    await page.getByRole('button').click()
    expect(await page.textContent('body')).toBe('1 visits')
  })

  it("does not even go with a link from another site when it says sameSite 'strict'", async () => {
    const shop = await serve(counter({ cookie: { sameSite: 'strict' } }))
    const other = await serve((_req, res) => {
      res.setHeader('Content-Type', 'text/html')
      res.end(`<a href="http://shop.test:${shop}/">Look</a>`)
    })
    const page = await visit()
    await page.goto(`http://shop.test:${shop}/`)
    await page.goto(`http://other.test:${other}/`)
    await page.getByRole('link').click()
    expect(await page.textContent('body')).toBe('1 visits')
  })

  it("goes with a POST from another site when it says sameSite 'none', over HTTPS", async () => {
    const shop = await serve(counter({ cookie: { sameSite: 'none' } }), 'https')
    const partner = await serve((_req, res) => {
      res.setHeader('Content-Type', 'text/html')
      res.end(`<form method="post" action="https://shop.test:${shop}/"><button>Pay</button></form>`)
    }, 'https')
    const page = await visit()
    await page.goto(`https://shop.test:${shop}/`)
    await page.goto(`https://other.test:${partner}/`)
    await page.getByRole('button').click()
    expect(await page.textContent('body')).toBe('2 visits')
  })

  it('that came by HTTPS does not go over plain HTTP', async () => {
    const app = counter()
    const [plain, encrypted] = [await serve(app), await serve(app, 'https')]
    const page = await visit()
    await page.goto(`https://shop.test:${encrypted}/`)
    await page.reload()
    expect(await page.textContent('body')).toBe('2 visits')
    expect(await page.context().cookies()).toMatchObject([{ name: 'connect.sid', secure: true }])
    await page.goto(`http://shop.test:${plain}/`)
    expect(await page.textContent('body')).toBe('1 visits')
  })

  it('is kept under a __Host- name, for this host alone', async () => {
    const port = await serve(counter({ name: '__Host-sid' }), 'https')
    const page = await visit()
    await page.goto(`https://shop.test:${port}/`)
    await page.reload()
    expect(await page.textContent('body')).toBe('2 visits')
    expect(await page.context().cookies()).toMatchObject([
      { name: '__Host-sid', domain: 'shop.test', path: '/', secure: true },
    ])
  })

  it('is dropped under a __Host- name with a domain, as the warning says', async () => {
    const port = await serve(counter({ name: '__Host-sid', cookie: { domain: 'shop.test' } }), 'https')
    const page = await visit()
    await page.goto(`https://shop.test:${port}/`)
    await page.reload()
    expect(await page.textContent('body')).toBe('1 visits')
    expect(await page.context().cookies()).toEqual([])
  })

  it('leaves the browser when a logout clears it', async () => {
    const app = express()
    app.use(fastSession({ secret, name: '__Host-sid' }))
    app.get('/out', async (req, res) => {
      await req.session.destroy()
      res.clearCookie('__Host-sid', { secure: true }).send('out')
    })
    app.get('/', (req, res) => {
      Object.assign(req.session, { user: 'ann' })
      res.send('in')
    })
    const port = await serve(app, 'https')
    const page = await visit()
    await page.goto(`https://shop.test:${port}/`)
    expect(await page.context().cookies()).toHaveLength(1)
    await page.goto(`https://shop.test:${port}/out`)
    expect(await page.context().cookies()).toEqual([])
  })

  it('that is partitioned is another one under each site that embeds the page', async () => {
    const cookie = { sameSite: 'none', secure: true, partitioned: true } as const
    const embedded = await serve(counter({ cookie }), 'https')
    const embedder = await serve((_req, res) => {
      res.setHeader('Content-Type', 'text/html')
      res.end(`<iframe src="https://shop.test:${embedded}/"></iframe>`)
    }, 'https')
    const page = await visit()
    const shown = () => page.frameLocator('iframe').locator('body').textContent()
    await page.goto(`https://other.test:${embedder}/`)
    await page.reload()
    expect(await shown()).toBe('2 visits')
    await page.goto(`https://evil.test:${embedder}/`)
    expect(await shown()).toBe('1 visits')
    await page.goto(`https://other.test:${embedder}/`)
    expect(await shown()).toBe('3 visits')
  })
})

/** An app that counts the visits of a session. */
function counter(options: SessionOptions = {}): express.Express {
  const app = express()
  app.get('/favicon.ico', (_req, res) => {
    res.status(204).end()
  })
  app.use(fastSession({ secret, ...options }))
  app.use((req, res) => {
    const session = req.session as { visits?: number }
    session.visits = (session.visits ?? 0) + 1
    res.send(`${session.visits} visits`)
  })
  return app
}
