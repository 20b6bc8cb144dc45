/** Real Chromium for the browser tests: the one of the system, and servers that it reaches under several names. */
import { existsSync } from 'node:fs'
import http, { type RequestListener } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe } from 'vitest'
import { certificate } from '../ecosystem/certificate.ts'

const executablePath = [
  process.env['CHROMIUM_PATH'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => existsSync(path))

/** Names that the browser looks up as this machine. Each is a site of its own. */
const SITES = ['shop.test', 'evil.test', 'other.test']

export interface Chromium {
  /** A page of a visitor with an empty cookie jar. */
  visit(options?: BrowserContextOptions): Promise<Page>
  /** Serves an app by HTTP or HTTPS; answers its port. */
  serve(app: RequestListener, protocol?: 'http' | 'https'): Promise<number>
}

/** A `describe` whose tests have a browser. Without Chromium they are skipped, but never where CI is set. */
export function describeInChromium(name: string, tests: (chromium: Chromium) => void): void {
  const isSkipped = executablePath === undefined && !process.env['CI']
  if (isSkipped) {
    console.warn(`SKIPPED: ${name}. No Chromium here: install it, or set CHROMIUM_PATH.`)
  }
  describe.skipIf(isSkipped)(name, () => {
    let browser: Browser
    const servers: http.Server[] = []

    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath: executablePath ?? 'chromium',
        args: [
          '--no-sandbox',
          `--host-resolver-rules=${SITES.map((site) => `MAP ${site} 127.0.0.1`).join()}`,
        ],
        // The browser of a visitor has one, and it is what brings private pages back after a logout.
        ignoreDefaultArgs: ['--disable-back-forward-cache'],
      })
    }, 60_000)

    afterAll(async () => {
      await browser?.close()
      for (const server of servers) {
        server.closeAllConnections()
        server.close()
      }
    })

    tests({
      async visit(options) {
        const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options })
        context.setDefaultTimeout(15_000)
        return context.newPage()
      },
      async serve(app, protocol = 'http') {
        const server = protocol === 'http' ? http.createServer(app) : https.createServer(certificate, app)
        servers.push(server)
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
        return (server.address() as AddressInfo).port
      },
    })
  })
}
