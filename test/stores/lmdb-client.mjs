// A client of an LMDB store in a process of its own: performs the calls that its parent sends.

import { LmdbRecords } from 'fast-session/lmdb'

const [path, touchAfter] = process.argv.slice(2)
const store = new LmdbRecords({ path, touchAfter: Number(touchAfter) })

process.on('message', async ({ call, method, args }) => {
  try {
    process.send({ call, result: await store[method](...args) })
  } catch (error) {
    process.send({ call, error })
  }
  if (method === 'close') process.disconnect()
})
