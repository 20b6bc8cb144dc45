import { afterAll, beforeAll, describe } from 'vitest'
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
})
