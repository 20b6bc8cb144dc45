import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RedisRecords } from '../../src/stores/redis.ts'
import { recordStoreContract } from '../contract/record-store.ts'
import { clusterClients } from '../fixtures/redis-clients.ts'
import { type RedisCluster, startRedisCluster } from '../fixtures/redis-cluster.ts'
import { hasRedisServer } from '../fixtures/redis-server.ts'

describe.skipIf(!hasRedisServer)('in a cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  afterAll(() => cluster?.stop())

  for (const { name, connect } of clusterClients) {
    recordStoreContract(`redis cluster through ${name}`, async ({ namespace }) => {
      const [first, second] = await Promise.all([connect(cluster.addresses), connect(cluster.addresses)])
      return {
        store: new RedisRecords({ client: first.client, prefix: `${namespace}:` }),
        other: new RedisRecords({ client: second.client, prefix: `${namespace}:` }),
        dispose: async () => {
          await Promise.all([first.close(), second.close()])
        },
      }
    })
  }

  it('finds all masters through an ioredis that has not connected yet', async () => {
    const [early, late] = [0, 1].map(() => new Cluster([...cluster.addresses], { lazyConnect: true }))
    const store = new RedisRecords({ client: early!, prefix: 'early:' })
    const expires = Date.now() + 60_000
    await Promise.all(IDS.map((id) => store.write(id, Buffer.from(id), { expires, ifVersion: null })))
    expect((await new RedisRecords({ client: late!, prefix: 'early:' }).list()).sort()).toEqual(IDS)
    early!.disconnect()
    late!.disconnect()
  })

  it('fails to list through a redis that was never connected', async () => {
    const client = createCluster({ rootNodes: [{ url: cluster.nodes[0]!.url }] })
    await expect(new RedisRecords({ client }).list()).rejects.toThrow('not connected')
  })
})

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
