import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RedisRecords } from '../../src/stores/redis.ts'
import type { StoredRecord } from '../../src/stores/store.ts'
import { clusterClients } from '../fixtures/redis-clients.ts'
import { type RedisCluster, startRedisCluster } from '../fixtures/redis-cluster.ts'
import { hasRedisServer, type RedisServer } from '../fixtures/redis-server.ts'

/** A write that is older than this when its master fails, in ms, has reached the replica. */
const REPLICATION_WINDOW = 1000

const SESSIONS = 24

describe.skipIf(!hasRedisServer)('a cluster of which a master fails under load', () => {
  const cluster = useCluster()

  for (const { name, connect } of clusterClients) {
    it(`goes on by itself and keeps what was acknowledged, through ${name}, after a crash`, async () => {
      await survive(cluster(), connect, (master) => master.kill())
    })
  }

  for (const { name, connect } of clusterClients.filter(({ name }) => name.endsWith('6'))) {
    it(`goes on by itself and keeps what was acknowledged, through ${name}, after a silence`, async () => {
      await survive(cluster(), connect, (master) => master.freeze())
    })
  }
})

describe.skipIf(!hasRedisServer)('a cluster that goes on in part while a master is silent', () => {
  // So no node tells a client that the cluster is down, which makes some of them look for the new master.
  const cluster = useCluster('--cluster-require-full-coverage', 'no')

  for (const { name, connect } of clusterClients.filter(({ name }) => /^\S+ [56]$/.test(name))) {
    it(`goes on in whole by itself and keeps what was acknowledged, through ${name}`, async () => {
      await survive(cluster(), connect, (master) => master.freeze())
    })
  }
})

function useCluster(...args: string[]): () => RedisCluster {
  let cluster: RedisCluster | undefined
  beforeAll(async () => {
    cluster = await startRedisCluster(...args)
  })
  afterAll(() => cluster?.stop())
  return () => cluster as RedisCluster
}

let namespace = 0

/** Whatever hangs, or never succeeds again, runs into the time limit of the test. */
async function survive(
  cluster: RedisCluster,
  connect: (typeof clusterClients)[number]['connect'],
  fail: (master: RedisServer) => unknown,
): Promise<void> {
  const { client, close } = await connect(cluster.addresses)
  const prefix = `failover${namespace++}:`
  const store = new RedisRecords({ client, prefix })
  const counters = Array.from({ length: SESSIONS }, (_, n) => new Counter(store, `session ${n}`))
  const oneOfItsKeys = `${prefix}session 0`
  const failing = cluster.masterOf(oneOfItsKeys)
  try {
    await Promise.all(counters.map((counter) => counter.begin()))
    const runs = counters.map((counter) => counter.run())
    await sleep(REPLICATION_WINDOW + 200)

    const failedAt = Date.now()
    await fail(failing)
    while (cluster.masterOf(oneOfItsKeys) === failing) await sleep(200)
    const electedAt = Date.now()
    while (counters.some(({ acknowledged }) => acknowledged.at(-1)!.at < electedAt)) await sleep(20)
    for (const counter of counters) counter.running = false
    await Promise.all(runs)

    for (const counter of counters) {
      const safe = counter.acknowledged.findLast(({ at }) => at < failedAt - REPLICATION_WINDOW)!
      expect(await counter.value()).toBeGreaterThanOrEqual(safe.value)
    }
  } finally {
    for (const counter of counters) counter.running = false
    await close()
    await failing.kill()
    await cluster.heal()
  }
}

/** Counts in one session, request after request, as long as it is running. */
class Counter {
  running = true
  readonly acknowledged: Array<{ readonly value: number; readonly at: number }> = []
  readonly #store: RedisRecords
  readonly #id: string

  constructor(store: RedisRecords, id: string) {
    this.#store = store
    this.#id = id
  }

  async begin(): Promise<void> {
    await this.#store.write(this.#id, asPayload(0), { expires: inTenMinutes(), ifVersion: null })
    this.acknowledged.push({ value: 0, at: Date.now() })
  }

  async run(): Promise<void> {
    while (this.running) {
      try {
        await this.#increment()
        await sleep(5)
      } catch {
        // While no master serves the slot, an error is the right answer.
        await sleep(50)
      }
    }
  }

  async value(): Promise<number> {
    return asNumber((await this.#store.read(this.#id))!)
  }

  async #increment(): Promise<void> {
    const expires = inTenMinutes()
    const record = (await this.#store.read(this.#id, expires))!
    const value = asNumber(record) + 1
    const ifVersion = record.version
    const { ok } = await this.#store.write(this.#id, asPayload(value), { expires, ifVersion })
    if (ok) this.acknowledged.push({ value, at: Date.now() })
  }
}

function inTenMinutes(): number {
  return Date.now() + 600_000
}

function asPayload(value: number): Uint8Array {
  return new TextEncoder().encode(String(value))
}

function asNumber({ payload }: StoredRecord): number {
  return Number(new TextDecoder().decode(payload))
}
