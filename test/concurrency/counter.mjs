// A process of its own that serves an app: each request counts one up in its session.

import { createServer } from 'node:http'
import express from 'express'
import fastSession from 'fast-session'
import { openStore } from '../fixtures/open-store.mjs'

const [place, secret] = process.argv.slice(2)
const { store, close } = await openStore(JSON.parse(place))

const app = express()
// Hundreds of updates of one record wait for each other here; on a busy machine longer than a store usually may.
app.use(fastSession({ secret, store, storeTimeout: 60_000 }))
app.get('/count', async (req, res) => {
  const n = await req.session.update((session) => {
    session.n = (session.n ?? 0) + 1
    return session.n
  })
  res.json(n)
})

const server = createServer(app).listen(0, '127.0.0.1', () => process.send(server.address().port))

process.on('disconnect', async () => {
  server.closeAllConnections()
  server.close()
  await close()
})
