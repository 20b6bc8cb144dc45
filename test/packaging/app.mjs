// An application for bundlers: it serves itself a page, logs in, and prints what the visits answered.
import { createServer } from 'node:http'
import fastSession from 'fast-session'
import { createCore } from 'fast-session/core'

const secret = 'the secret of the bundled application'
const sessions = fastSession({ secret })

const server = createServer((req, res) => {
  sessions(req, res, () => {
    req.session.visits = (req.session.visits ?? 0) + 1
    res.end(String(req.session.visits))
  })
})

server.listen(0, async () => {
  const url = `http://localhost:${server.address().port}`
  const first = await fetch(url)
  const cookie = first.headers.get('set-cookie').split(';')[0]
  const second = await fetch(url, { headers: { cookie } })
  const core = createCore({ secrets: secret })
  const id = decodeURIComponent(cookie.split('=')[1]).slice(2)
  console.log(
    JSON.stringify({
      engine: sessions.engine,
      visits: [await first.text(), await second.text()],
      verified: core.verify(id) !== false,
    }),
  )
  server.closeAllConnections()
  server.close()
})
