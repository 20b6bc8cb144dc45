/**
 * Keeps the processes that share an LMDB environment from committing while one of them opens it.
 *
 * LMDB as the package `lmdb` brings it (before OpenLDAP's ITS#9496) sets the shared transaction counter on opening
 * to what it read a moment before: a commit in between is taken back, though it has been acknowledged. So whoever
 * opens says so in the file `opening` and then waits for the commits that are under way; whoever commits says so in
 * a file of its own in `writers` and then looks whether somebody is opening. One of the two always sees the other.
 */

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export class LmdbGate {
  readonly #opening: string
  readonly #file: string
  readonly #fd: number
  #underWay = 0

  /** Runs `open` while no other process commits. Blocks the thread for as long as their commits take. */
  static openAlone<T>(directory: string, open: () => T): [T, LmdbGate] {
    const opening = join(directory, 'opening')
    const writers = join(directory, 'writers')
    mkdirSync(writers, { recursive: true, mode: 0o700 })
    acquire(opening)
    try {
      for (const writer of readdirSync(writers)) awaitIdle(join(writers, writer), processOf(writer))
      return [open(), new LmdbGate(opening, writers)]
    } finally {
      rmSync(opening, { force: true })
    }
  }

  private constructor(opening: string, writers: string) {
    this.#opening = opening
    this.#file = join(writers, `${process.pid}-${crypto.randomUUID()}`)
    this.#fd = openSync(this.#file, 'wx', 0o600)
    writeSync(this.#fd, IDLE, 0, 1, 0)
  }

  /** Runs `commit`: at once, but while a process opens the environment. */
  async run<T>(commit: () => Promise<T>): Promise<T> {
    const patience = performance.now() + LONGEST_OPENING
    while (!this.#enter(performance.now() > patience)) await sleep(1)
    try {
      return await commit()
    } finally {
      this.#leave()
    }
  }

  close(): void {
    closeSync(this.#fd)
    rmSync(this.#file, { force: true })
  }

  #enter(anyway: boolean): boolean {
    if (this.#underWay === 0) this.#say(BUSY)
    this.#underWay++
    if (anyway || !existsSync(this.#opening) || wasAbandoned(this.#opening)) return true
    this.#leave()
    return false
  }

  #leave(): void {
    this.#underWay--
    if (this.#underWay > 0) return
    try {
      this.#say(IDLE)
    } catch {
      // The commit is done, whatever the disk says now; at worst, whoever opens next waits for nothing.
    }
  }

  #say(state: Uint8Array): void {
    writeSync(this.#fd, state, 0, 1, 0)
  }
}

const IDLE = Buffer.from('-')
const BUSY = Buffer.from('w')

/** In ms. A commit takes a few; one that takes this long belongs to a process that is stopped, or to none. */
const LONGEST_COMMIT = 2000

/** In ms: the wait for the commits under way, and the opening itself. */
const LONGEST_OPENING = 5000

function acquire(opening: string): void {
  const patience = performance.now() + LONGEST_OPENING
  for (;;) {
    try {
      writeFileSync(opening, String(process.pid), { flag: 'wx', mode: 0o600 })
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (wasAbandoned(opening) || performance.now() > patience) rmSync(opening, { force: true })
    else block(1)
  }
}

function awaitIdle(file: string, pid: number): void {
  // Within a process the library shares the environment, and opens nothing.
  if (pid === process.pid) return
  const patience = performance.now() + LONGEST_COMMIT
  while (isAlive(pid) && performance.now() < patience) {
    if (!isBusy(file)) return
    block(1)
  }
  rmSync(file, { force: true })
}

/** Whether a process was killed while it opened the environment; takes its mark away. */
function wasAbandoned(opening: string): boolean {
  const mark = contents(opening)
  const pid = Number(mark)
  if (pid === 0 || isAlive(pid) || contents(opening) !== mark) return false
  rmSync(opening, { force: true })
  return true
}

function isBusy(file: string): boolean {
  return contents(file) === BUSY.toString()
}

/** Empty when there is no such file. */
function contents(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

function processOf(writer: string): number {
  return Number.parseInt(writer, 10)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
