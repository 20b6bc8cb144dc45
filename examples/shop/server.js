/** `npm start`: the shop, with its sessions in ./data. */
import { createServer } from 'node:http'
import { resolve } from 'node:path'
import { createApp } from './app.js'
import { sessionSecret, sessionStore } from './settings.js'

const directory = resolve('data')
const store = await sessionStore(directory)
const app = createApp({ secret: sessionSecret(directory), store })

const server = createServer(app)
server.listen(Number(process.env['PORT'] ?? 3000), () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  console.log(
    `Kettle & Leaf: http://localhost:${port} (engine ${app.locals['engine']}, store ${store.records.name})`,
  )
})

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => store.close())
    server.closeIdleConnections()
  })
}
