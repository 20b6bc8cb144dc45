import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { LmdbRecords } from 'fast-session/lmdb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LANES, laneId, stateAfter } from './lmdb-steps.mjs'

const WRITERS = 4
const KILLS = 50

describe('an LMDB store whose writers are killed', () => {
  let path: string
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'fast-session-lmdb-'))
  })
  afterEach(async () => rm(path, { recursive: true }))

  it(`has every acknowledged write and opens every time, over ${KILLS} kills among ${WRITERS} writers`, async () => {
    const writers = await Promise.all(
      Array.from({ length: WRITERS }, (_, n) => Writer.start(path, `writer ${n}`)),
    )
    const dead: Writer[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(Math.random() * 200)
      const [victim] = writers.splice(Math.floor(Math.random() * WRITERS), 1)
      await victim!.kill()
      dead.push(victim!)
      const store = new LmdbRecords({ path })
      expectAllAcknowledged(store, victim!)
      await store.close()
      writers.push(await Writer.start(path, `writer ${WRITERS + kill}`))
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
})

/** A process that writes, and what it has said to be acknowledged. */
class Writer {
  readonly name: string
  readonly process: ChildProcess
  /** The last acknowledged step of each lane. */
  readonly steps: number[] = Array(LANES).fill(0)
  raised = 0

  static async start(path: string, name: string): Promise<Writer> {
    const script = fileURLToPath(new URL('lmdb-writer.mjs', import.meta.url))
    const child = spawn(process.execPath, [script, path, name], { stdio: ['ignore', 'pipe', 'inherit'] })
    const writer = new Writer(name, child)
    await writer.#listen()
    return writer
  }

  private constructor(name: string, process: ChildProcess) {
    this.name = name
    this.process = process
  }

  /** Resolves when the process is gone and all that it has said has been read. */
  async kill(): Promise<void> {
    expect(this.process.exitCode).toBeNull()
    const closed = once(this.process, 'close')
    this.process.kill('SIGKILL')
    await closed
  }

  /** Resolves when the store is open. */
  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.process.once('close', () => reject(new Error(`${this.name} ended before its store was open`)))
      createInterface(this.process.stdout!).on('line', (line) => {
        if (line === 'ready') resolve()
        else if (line === '+') this.raised++
        else {
          const [lane, step] = line.split(' ').map(Number)
          this.steps[lane!] = step!
        }
      })
    })
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
