/** `fast-session/redis`: sessions in Redis or Valkey, through the client that the application has already. */

export { type RedisStoreOptions, redisStore } from './stores/redis.ts'
export type { RedisClient } from './stores/redis-client.ts'
