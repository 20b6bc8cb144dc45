// Writes to an LMDB store until it is killed, and says on standard output what has been acknowledged.
//
// Each lane takes one record through a fixed sequence of steps (see `stateAfter`); a line `lane step` says that the
// step is done. A line `+` says that the counter, which all writers share, has been raised by one.

import { LmdbRecords } from 'fast-session/lmdb'
import { LANES, laneId, stateAfter } from './lmdb-steps.mjs'

const [path, name] = process.argv.slice(2)
const store = new LmdbRecords({ path, pruneInterval: 50 })
const acknowledge = (line) => process.stdout.write(`${line}\n`)

acknowledge('ready')
for (let lane = 0; lane < LANES; lane++) run(lane)
count()

async function run(lane) {
  const id = laneId(name, lane)
  let ifVersion = null
  for (let step = 1; ; step++) {
    const state = stateAfter(name, lane, step)
    if (state === undefined) {
      await store.delete(id)
      ifVersion = null
    } else {
      const expires = Date.now() + 600_000
      const result = await store.write(id, state.payload, { expires, ifVersion, owner: state.owner })
      if (!result.ok) throw new Error(`The write of ${id} was refused at step ${step}`)
      ifVersion = result.version
      store.touch(id, expires + step)
    }
    acknowledge(`${lane} ${step}`)
  }
}

async function count() {
  let now = store.read('counter')
  for (;;) {
    const raised = Buffer.from(String(Number(now === undefined ? 0 : Buffer.from(now.payload)) + 1))
    const result = await store.write('counter', raised, {
      expires: Date.now() + 600_000,
      ifVersion: now?.version ?? null,
    })
    if (result.ok) acknowledge('+')
    now = result.ok ? store.read('counter') : result.current
  }
}
