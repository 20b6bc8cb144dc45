// An application of Express for bundlers: it serves itself two visits, and prints what they answered.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import fastSession from 'fast-session'
import { lmdbStore } from 'fast-session/lmdb'

start()

async function start() {
  const path = await mkdtemp(join(tmpdir(), 'sessions-'))
  const store = lmdbStore({ path })
  const sessions = fastSession({ secret: 'the secret of the bundled application', store })
  const app = express()
  app.use(sessions)
  app.get('/', (req, res) => {
    req.session.visits = (req.session.visits ?? 0) + 1
    res.send(String(req.session.visits))
  })
  const server = app.listen(0, async () => {
    const url = `http://localhost:${server.address().port}`
    const first = await fetch(url)
    const headers = { cookie: first.headers.get('set-cookie').split(';')[0] }
    const visits = [await first.text(), await (await fetch(url, { headers })).text()]
    console.log(JSON.stringify({ engine: sessions.engine, visits, store: store.records.name }))
    server.closeAllConnections()
    server.close()
    await store.close()
    await rm(path, { recursive: true })
  })
}
