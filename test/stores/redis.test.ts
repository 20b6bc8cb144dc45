import { afterAll, beforeAll, describe } from 'vitest'
import { RedisRecords } from '../../src/stores/redis.ts'
import { recordStoreContract } from '../contract/record-store.ts'
import { redisClients } from '../fixtures/redis-clients.ts'
import { hasRedis, openRedis } from '../fixtures/redis-server.ts'

describe.skipIf(!hasRedis)('with one server', () => {
  let server: Awaited<ReturnType<typeof openRedis>>
  beforeAll(async () => {
    server = await openRedis()
  })
  afterAll(() => server?.stop())

  for (const { name, connect } of redisClients) {
    recordStoreContract(`redis through ${name}`, async ({ namespace }) => {
      const [first, second] = await Promise.all([connect(server.url), connect(server.url)])
      const store = new RedisRecords({ client: first.client, prefix: `${namespace}:` })
      return {
        store,
        other: new RedisRecords({ client: second.client, prefix: `${namespace}:` }),
        async dispose() {
          await store.clear()
          await Promise.all([first.close(), second.close()])
        },
      }
    })
  }
})
