/** `fast-session/redis`: sessions in Redis or Valkey, through the client that the application has already. */
import { SessionStore } from './session-store.ts'
import { RedisRecords, type RedisStoreOptions } from './stores/redis.ts'

export type { RedisClient } from './stores/redis-client.ts'
export { RedisRecords, type RedisStoreOptions }

/**
 * A store behind a client of `redis` or `ioredis`:
 *
 *     fastSession({ secret, store: redisStore({ client: await createClient({ url }).connect() }) })
 *
 * Throws SessionError `ERR_SESSION_OPTION` on a wrong option.
 */
export function redisStore(options: RedisStoreOptions): SessionStore {
  return new SessionStore(new RedisRecords(options))
}
