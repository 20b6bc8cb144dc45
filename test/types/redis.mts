/** What a user may pass to `fast-session/redis` without a cast, checked by the compiler alone. */

import { redisStore } from 'fast-session/redis'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { createClient, createClientPool, createCluster, createSentinel } from 'redis'
import { createClient as createClient4, createCluster as createCluster4 } from 'redis4'
import { createClient as createClient5, createCluster as createCluster5 } from 'redis5'

redisStore({ client: createClient() })
redisStore({ client: createClient({ RESP: 2 }) })
redisStore({ client: await createClient().connect() })
redisStore({ client: createClient().withTypeMapping({ 36: Buffer }) })
redisStore({ client: createClientPool() })
redisStore({ client: createCluster({ rootNodes: [] }) })
redisStore({ client: createSentinel({ name: 'main', sentinelRootNodes: [] }) })
redisStore({ client: createClient4() })
redisStore({ client: createCluster4({ rootNodes: [] }) })
redisStore({ client: createClient5() })
redisStore({ client: createCluster5({ rootNodes: [] }) })
redisStore({ client: new Redis() })
redisStore({ client: new Cluster([]) })
redisStore({ client: new Redis5() })
redisStore({ client: new Cluster5([]) })
redisStore({ client: new Redis(), prefix: 'app:', hashIds: false })

// @ts-expect-error a client is needed
redisStore({})
// @ts-expect-error the promise of a client is none
redisStore({ client: createClient().connect() })
// @ts-expect-error an address is no client
redisStore({ client: 'redis://localhost' })
// @ts-expect-error a pipeline keeps commands for later
redisStore({ client: new Redis().pipeline() })
// @ts-expect-error a misspelt option
redisStore({ client: new Redis(), prefx: 'app:' })
