/** Deletes expired records in the background: in batches, at uneven intervals, without keeping the process alive. */

import { SessionError } from '../errors.ts'

export interface PruningOptions {
  /**
   * How often expired records are deleted, in ms; each wait is 50 to 150 % of it, so that many processes don't
   * meet. Default 600,000 (ten minutes); false: never, `prune()` is called by other means.
   */
  readonly pruneInterval?: number | false | undefined
  /** Hears of what fails in the background: pruning, idle connections. Default: a process warning for pruning. */
  readonly onError?: ((error: Error) => void) | undefined
}

/** How many records one statement deletes: few enough to hold its locks for milliseconds. */
export const PRUNE_BATCH = 1000

export class Pruning {
  readonly #every: number | false
  readonly #pruneBatch: () => Promise<number>
  readonly #onError: (error: Error) => void
  #timer: NodeJS.Timeout | undefined
  #running: Promise<unknown> | undefined
  #stopped = false

  /** `pruneBatch` deletes at most PRUNE_BATCH expired records and answers how many it deleted. */
  constructor({ pruneInterval = 600_000, onError }: PruningOptions, pruneBatch: () => Promise<number>) {
    if (pruneInterval !== false && !(pruneInterval >= 1 && pruneInterval <= LONGEST_WAIT)) {
      throw new SessionError(
        'ERR_SESSION_OPTION',
        `The option pruneInterval is ${String(pruneInterval)}; give 1 to ${LONGEST_WAIT} ms, or false.`,
      )
    }
    this.#every = pruneInterval
    this.#pruneBatch = pruneBatch
    this.#onError = onError ?? warnOnce()
    this.#wait()
  }

  /** Deletes all records that are expired by now, batch after batch, and answers how many. */
  async run(): Promise<number> {
    let deleted = 0
    let batch: number
    do {
      batch = await this.#pruneBatch()
      deleted += batch
    } while (batch >= PRUNE_BATCH && !this.#stopped)
    return deleted
  }

  /** Ends the waiting, and waits for the batch that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  #wait(): void {
    if (this.#every === false || this.#stopped) return
    this.#timer = setTimeout(
      () => {
        this.#running = this.run()
          .catch(this.#onError)
          .finally(() => this.#wait())
      },
      this.#every * (0.5 + Math.random()),
    )
    this.#timer.unref()
  }
}

/** What setTimeout can count to (2^31 - 1), at 150 %. */
const LONGEST_WAIT = 1_431_655_764

function warnOnce(): (error: Error) => void {
  let warned = false
  return (error) => {
    if (warned) return
    warned = true
    process.emitWarning(`Expired sessions could not be deleted: ${error.message}`, {
      code: 'SESSION_PRUNE_FAILED',
    })
  }
}
