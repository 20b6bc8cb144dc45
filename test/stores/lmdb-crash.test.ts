import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { LmdbRecords } from 'fast-session/lmdb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LANES, laneId, stateAfter } from './lmdb-steps.mjs'

const WRITERS = 4
const KILLS = 50
const OPENINGS = 500

describe('an LMDB store that processes share', () => {
  let path: string
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'fast-session-lmdb-'))
  })
  afterEach(async () => rm(path, { recursive: true }))

  it(`has every acknowledged write and opens every time, over ${KILLS} kills among ${WRITERS} writers`, async () => {
    const writers = range(WRITERS).map((n) => new Writer(path, `writer ${n}`))
    const dead: Writer[] = []
    for (const kill of range(KILLS)) {
      // Every other time the new writer may be killed while it opens the store.
      if (kill % 2 === 0) await Promise.all(writers.map((writer) => writer.isOpen))
      await sleep(Math.random() * 200)
      const [victim] = writers.splice(Math.floor(Math.random() * WRITERS), 1)
      await victim!.kill()
      dead.push(victim!)
      const store = new LmdbRecords({ path })
      expectAllAcknowledged(store, victim!)
      await store.close()
      writers.push(new Writer(path, `writer ${WRITERS + kill}`))
    }
    await Promise.all(writers.map((writer) => writer.kill()))
    dead.push(...writers)

    const store = new LmdbRecords({ path })
    for (const writer of dead) expectAllAcknowledged(store, writer)
    const raised = dead.reduce((sum, writer) => sum + writer.raised, 0)
    const counter = Number(Buffer.from(store.read('counter')!.payload))
    expect(counter).toBeGreaterThanOrEqual(raised)
    expect(counter).toBeLessThanOrEqual(raised + dead.length)
    expect(await store.count()).toBe((await store.list()).length)
    await store.close()
  }, 120_000)

  it(`has every acknowledged write while it is opened ${OPENINGS} times`, async () => {
    const writers = range(3).map((n) => new Writer(path, `writer ${n}`))
    await Promise.all(writers.map((writer) => writer.isOpen))
    const opener = `import { LmdbRecords } from 'fast-session/lmdb'
      for (let n = 0; n < ${OPENINGS}; n++) {
        const store = new LmdbRecords({ path: process.argv[1] })
        store.read('counter')
        await store.close()
      }`
    await run(process.execPath, ['--input-type=module', '-e', opener, path])
    await Promise.all(writers.map((writer) => writer.kill()))

    const store = new LmdbRecords({ path })
    for (const writer of writers) expectAllAcknowledged(store, writer)
    await store.close()
  }, 60_000)
})

const run = promisify(execFile)

function range(length: number): number[] {
  return Array.from({ length }, (_, n) => n)
}

/** A process that writes, and what it has said to be acknowledged. It ends by itself only when a write is lost. */
class Writer {
  readonly name: string
  /** The last acknowledged step of each lane. */
  readonly steps: number[] = Array(LANES).fill(0)
  raised = 0
  readonly isOpen: Promise<void>
  readonly #process: ChildProcess

  constructor(path: string, name: string) {
    this.name = name
    const script = fileURLToPath(new URL('lmdb-writer.mjs', import.meta.url))
    this.#process = spawn(process.execPath, [script, path, name], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.isOpen = new Promise((resolve) => {
      this.#process.once('close', resolve)
      createInterface(this.#process.stdout!).on('line', (line) => {
        if (line === 'ready') resolve()
        else if (line === '+') this.raised++
        else {
          const [lane, step] = line.split(' ').map(Number)
          this.steps[lane!] = step!
        }
      })
    })
  }

  /** Resolves when the process is gone and all that it has said has been read. */
  async kill(): Promise<void> {
    expect(this.#process.exitCode, `${this.name} is still at work`).toBeNull()
    const closed = once(this.#process, 'close')
    this.#process.kill('SIGKILL')
    await closed
  }
}

/** Every record is as after the last acknowledged step or, if that one got through unsaid, the step after it. */
function expectAllAcknowledged(store: LmdbRecords, { name, steps }: Writer): void {
  const owned = new Map<string, string[]>([name, `${name} of step 3`].map((owner) => [owner, []]))
  for (const [lane, step] of steps.entries()) {
    const id = laneId(name, lane)
    const payload = store.read(id)?.payload
    const possible = [step, step + 1].map((at) => (at === 0 ? undefined : stateAfter(name, lane, at)))
    const at = possible.findIndex((state) => samePayload(payload, state?.payload))
    expect(at, `${id} is as after step ${step} or ${step + 1}`).not.toBe(-1)
    if (possible[at] !== undefined) owned.get(possible[at].owner)!.push(id)
  }
  for (const [owner, ids] of owned) {
    expect(
      store
        .readOwned(owner)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(ids)
  }
}

function samePayload(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0
}
