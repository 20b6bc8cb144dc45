/** The demo in real Chromium: what its visitors do, and what they must not be able to do. */
import { join } from 'node:path'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { beforeAll, expect, it } from 'vitest'
import { createApp } from '../../examples/shop/app.js'
import { describeInChromium } from './chromium.ts'

const secret = 'a secret of the browser test, which is long enough'
const screenshots = join(import.meta.dirname, '../../build/screenshots')

describeInChromium('the demo in Chromium', ({ visit, serve }) => {
  let origin: string

  beforeAll(async () => {
    origin = `http://localhost:${await serve(createApp({ secret }))}`
  })

  it('logs in and out', async () => {
    const page = await visit()
    await login(page)
    expect(await heading(page)).toBe('Ada Lovelace')
    await page.getByRole('button', { name: 'Log out', exact: true }).click()
    expect(await page.getByRole('status').locator('p').textContent()).toBe('You are logged out.')
    await page.goto(`${origin}/account`)
    expect(await heading(page)).toBe('Log in')
  })

  it('tells who fails to log in', async () => {
    const page = await visit()
    await login(page, 'nanosecond')
    expect(await page.getByRole('alert').textContent()).toBe('That name and password don’t go together.')
    expect(await page.getByLabel('Name').inputValue()).toBe('ada')
  })

  it('fills a cart, changes it and keeps it through the login', async () => {
    const page = await visit()
    await add(page, 'Sencha Uji')
    await add(page, 'Lapsang Souchong')
    await page.getByRole('button', { name: 'One tin of Sencha Uji more' }).click()
    await page.getByRole('button', { name: 'Remove Lapsang Souchong' }).click()
    await login(page)
    await page.goto(`${origin}/cart`)
    expect(await page.getByRole('img', { name: '2 of Sencha Uji' }).isVisible()).toBe(true)
    expect(await page.getByText('Lapsang Souchong').count()).toBe(0)
  })

  it('shows a flash message once', async () => {
    const page = await visit()
    await add(page, 'Bai Mudan')
    expect(await page.getByRole('status').locator('p').textContent()).toBe('Bai Mudan is in your cart.')
    await page.reload()
    expect(await page.getByRole('status').count()).toBe(0)
  })

  it('walks through the checkout, back and forth, to an order', async () => {
    const page = await visit()
    await add(page, 'Dong Ding Oolong')
    await page.getByRole('link', { name: 'Check out' }).click()
    await fillLogin(page)
    await fillAddress(page)
    await page.getByLabel('Express').check()
    await page.getByLabel('Wrap it as a gift').check()
    await page.getByLabel('A note').fill('Ring twice.')
    await page.getByRole('button', { name: 'Back to the address' }).click()
    expect(await page.getByLabel('Postcode').inputValue()).toBe('SW1Y 4JH')
    await page.getByRole('button', { name: 'Go on to delivery' }).click()
    expect(await page.getByLabel('Express').isChecked()).toBe(true)
    expect(await page.getByLabel('Wrap it as a gift').isChecked()).toBe(true)
    expect(await page.getByLabel('A note').inputValue()).toBe('Ring twice.')
    await page.getByRole('button', { name: 'Go on to review' }).click()
    await page.getByRole('button', { name: 'Place the order' }).click()
    expect(await heading(page)).toMatch(/^Order KL-\d{6}$/)
  })

  it('keeps what was filled in when the browser goes back', async () => {
    const page = await visit()
    await add(page, 'Dong Ding Oolong')
    await page.getByRole('link', { name: 'Check out' }).click()
    await fillLogin(page)
    await fillAddress(page)
    await goBack(page)
    expect(await page.getByLabel('Street and number').inputValue()).toBe('12 St James’s Square')
  })

  it('lists where somebody is logged in, and logs out there', async () => {
    const [here, there] = [await visit(), await visit()]
    await login(there)
    await login(here)
    await here.goto(`${origin}/account`)
    await here.getByText('This is the one you are using.').waitFor()
    await here.getByRole('button', { name: 'Log out there' }).first().click()
    expect(await here.getByRole('status').locator('p').textContent()).toBe('You are logged out there.')
    await there.goto(`${origin}/account`)
    expect(await heading(there)).toBe('Log in')
    expect(await heading(here)).toBe('Ada Lovelace')
  })

  it('shows nothing private by the back button after the logout', async () => {
    const page = await visit()
    await add(page, 'Lapsang Souchong')
    await login(page)
    await page.goto(`${origin}/cart`)
    await page.goto(`${origin}/account`)
    await page.getByRole('button', { name: 'Log out', exact: true }).click()
    await page.getByRole('status').waitFor()
    await goBack(page)
    expect(await heading(page)).toBe('Log in')
    expect(await page.content()).not.toContain('Lovelace')
    await goBack(page)
    expect(await heading(page)).toBe('Your cart is empty')
  })

  it('lets no script read the cookie', async () => {
    const page = await visit()
    await login(page)
    const [cookie] = await page.context().cookies()
    expect(cookie).toMatchObject({ name: 'shop.sid', httpOnly: true, sameSite: 'Lax' })
    expect(await page.evaluate('document.cookie')).toBe('')
  })

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)(
    'has no page that axe complains of, or that is wider than its window: %s, %d px',
    async (colorScheme, width) => {
      const page = await visit({ colorScheme, viewport: { width, height: 844 } })
      const check = (name: string) => checkPage(page, `${name}-${colorScheme}-${width}`)
      await page.goto(`${origin}/cart`)
      await check('empty-cart')
      await page.goto(`${origin}/`)
      await check('teas')
      await page.getByRole('link', { name: 'Dong Ding Oolong' }).click()
      await check('tea')
      await page.getByRole('button', { name: 'Add to cart' }).click()
      await check('cart')
      await page.getByRole('link', { name: 'Check out' }).click()
      await check('login')
      await fillLogin(page)
      await check('address')
      await page.getByRole('button', { name: 'Go on to delivery' }).click()
      await check('address-errors')
      await fillAddress(page)
      await check('delivery')
      await page.getByRole('button', { name: 'Go on to review' }).click()
      await check('review')
      await page.getByRole('button', { name: 'Place the order' }).click()
      await check('order')
      await page.goto(`${origin}/account`)
      await check('account')
    },
    90_000,
  )

  async function add(page: Page, tea: string): Promise<void> {
    await page.goto(`${origin}/`)
    await page.getByRole('link', { name: tea }).click()
    await page.getByRole('button', { name: 'Add to cart' }).click()
    await page.waitForURL(`${origin}/cart`)
  }

  async function login(page: Page, password?: string): Promise<void> {
    await page.goto(`${origin}/login`)
    await fillLogin(page, password)
  }
})

async function fillLogin(page: Page, password = 'analytical-engine'): Promise<void> {
  await page.getByLabel('Name').fill('ada')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page.getByText(/^(Welcome, Ada|That name)/).waitFor()
}

async function fillAddress(page: Page): Promise<void> {
  await page.getByLabel('Street and number').fill('12 St James’s Square')
  await page.getByLabel('Postcode').fill('SW1Y 4JH')
  await page.getByLabel('Town or city').fill('London')
  await page.getByLabel('Country').fill('United Kingdom')
  await page.getByRole('button', { name: 'Go on to delivery' }).click()
  await page.getByLabel('Express').waitFor()
}

/** As the button does it, out of the back/forward cache where the browser has kept the page. */
async function goBack(page: Page): Promise<void> {
  const before = page.url()
  await page.evaluate('history.back()')
  await page.waitForURL((url) => url.href !== before)
  await page.waitForLoadState()
}

function heading(page: Page): Promise<string | null> {
  return page.getByRole('heading', { level: 1 }).textContent()
}

/**
 * WCAG 2.2, levels A and AA, as far as a machine can tell, with axe-core's best practices; and no sideways scroll. What
 * no machine can tell, a look at build/screenshots does.
 */
async function checkPage(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true })
  await page.evaluate(axe.source)
  const { violations } = (await page.evaluate('axe.run()')) as axe.AxeResults
  const complaints = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  expect(complaints, page.url()).toEqual([])
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), page.url()).toBe(0)
}
