import { RedisRecords } from '../../src/stores/redis.ts'
import { recordStoreContract } from '../contract/record-store.ts'
import { redisClients } from '../fixtures/redis-clients.ts'
import { sharedRedisUrl } from '../fixtures/redis-server.ts'

for (const { name, connect } of redisClients) {
  recordStoreContract(`redis through ${name}`, async ({ namespace }) => {
    const [first, second] = await Promise.all([connect(sharedRedisUrl), connect(sharedRedisUrl)])
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
