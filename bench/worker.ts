/** A process of its own for each thing that is measured: it gets messages, and answers each with one. */
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export class Worker {
  readonly #child: ChildProcess
  readonly #args: readonly string[]
  #settle: { resolve(answer: unknown): void; reject(error: Error): void } | undefined

  /** Starts `node moduleUrl worker …args`. */
  constructor(moduleUrl: string, args: readonly string[], options: ForkOptions = {}) {
    this.#args = args
    this.#child = fork(fileURLToPath(moduleUrl), ['worker', ...args], { stdio: 'inherit', ...options })
    this.#child.on('message', (answer) => {
      this.#settle?.resolve(answer)
      this.#settle = undefined
    })
    this.#child.on('exit', (code, signal) => {
      this.#settle?.reject(new Error(`The process "${args.join(' ')}" ended: ${code ?? signal}.`))
      this.#settle = undefined
    })
  }

  /** The answer to a message. One at a time. */
  async ask<Answer>(message: object): Promise<Answer> {
    if (this.#child.exitCode !== null) throw new Error(`The process "${this.#args.join(' ')}" has ended.`)
    return new Promise((resolve, reject) => {
      this.#settle = { resolve: resolve as (answer: unknown) => void, reject }
      this.#child.send(message)
    })
  }

  /** Ends the process; resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill()
    await gone
  }
}

/** The arguments of this process, if it is a worker of the module. */
export function workerArgs(moduleUrl: string): string[] | undefined {
  const [, script, role, ...args] = process.argv
  return script === fileURLToPath(moduleUrl) && role === 'worker' ? args : undefined
}

/** Whether the module is what `node` was started with, by a user. */
export function isProgram(moduleUrl: string): boolean {
  return process.argv[1] === fileURLToPath(moduleUrl) && process.argv[2] !== 'worker'
}

/** In a worker: answers each message. An error ends the process, and so the benchmark. */
export function serve<Message>(answer: (message: Message) => Promise<unknown>): void {
  process.on('message', async (message: Message) => {
    process.send?.((await answer(message)) ?? null)
  })
}
