/** One face for the clients of Redis: node-redis and ioredis, alone or in a cluster, told apart by what they can do. */

import { SessionError, type SessionErrorCode } from '../errors.ts'

/**
 * A connected client of the `redis` package (4.6 or later: createClient, createCluster, createClientPool,
 * createSentinel) or of `ioredis` (5 or later: Redis, Cluster).
 */
export type RedisClient = NodeRedisClient | NodeRedisCluster | NodeRedisSentinel | IoRedisClient

export interface NodeRedisClient extends ErrorEmitter {
  sendCommand(command: string[], options?: object): Promise<unknown>
}

export interface NodeRedisCluster extends ErrorEmitter {
  readonly masters: readonly object[]
  nodeClient(node: never): unknown
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    command: string[],
    options?: object,
  ): Promise<unknown>
}

export interface NodeRedisSentinel extends ErrorEmitter {
  getMasterNode(): unknown
  sendCommand(isReadonly: boolean | undefined, command: string[], options?: object): Promise<unknown>
}

export interface IoRedisClient extends ErrorEmitter {
  readonly options: object
  scanBuffer(cursor: string): Promise<unknown>
}

interface ErrorEmitter {
  on(event: 'error', listener: (error: Error) => void): unknown
  listenerCount(event: 'error'): number
}

/** The name of a command and its arguments, the name in lower case. */
export type RedisCommand = readonly [name: string, ...args: Array<string | Buffer>]

/** Sends a command. What Redis answers as a bulk string is a Buffer; an error that it answers rejects. */
export type SendCommand = (command: RedisCommand) => Promise<unknown>

export interface RedisConnection {
  /** What the client is configured to put before every key. */
  readonly keyPrefix: string
  /** Whether the client does that to the keys of a command by itself. It never does so to patterns and replies. */
  readonly addsKeyPrefix: boolean
  /** Keys of one command must share a slot. */
  readonly clustered: boolean
  /** Sends a command to the master that serves `key`. */
  send(key: string | Buffer, command: RedisCommand): Promise<unknown>
  /** A way to send to each of the masters, for what concerns all keys. */
  masters(): Promise<SendCommand[]>
}

/** Throws a SessionError when `client` is no client of Redis. */
export function connectionOf(client: RedisClient): RedisConnection {
  const connection = recognize(client as AnyClient)
  hearErrors(client)
  return connection
}

/** Every member that tells the clients apart. All are optional: `client` may be anything that a user passes. */
interface AnyClient {
  readonly sendCommand?: (...args: unknown[]) => Promise<unknown>
  readonly scanBuffer?: () => Promise<unknown>
  readonly getMasterNode?: () => unknown
  readonly nodeClient?: (node: object) => unknown
  readonly masters?: readonly object[]
  readonly nodes?: (role: 'master') => AnyClient[]
  readonly isCluster?: boolean
  readonly refreshSlotsCache?: () => void
  readonly options?: { readonly keyPrefix?: string; readonly legacyMode?: boolean } | undefined
  readonly _keyPrefix?: string
}

function recognize(client: AnyClient | null | undefined): RedisConnection {
  if (typeof client?.scanBuffer === 'function') return ioRedis(client)
  if (typeof client?.sendCommand !== 'function') {
    throw new SessionError(
      'ERR_SESSION_OPTION',
      'The client of redisStore is no client of Redis: pass what createClient() of the redis package or new Redis() of ioredis gave.',
    )
  }
  if (client.options?.legacyMode) {
    throw new SessionError(
      'ERR_SESSION_OPTION',
      'The client of redisStore answers by callback only: create it without legacyMode.',
    )
  }
  return nodeRedis(client as NodeRedis)
}

type NodeRedis = AnyClient & Required<Pick<AnyClient, 'sendCommand'>>

/** Bulk strings as Buffers: RESP type `$` (36) since version 5, an option of its own in version 4. */
const AS_BUFFERS = { typeMapping: { 36: Buffer }, returnBuffers: true }

function nodeRedis(client: NodeRedis): RedisConnection {
  const base = {
    keyPrefix: String(client._keyPrefix ?? ''),
    // Commands in their raw form, which every version has and which costs no parsing of arguments, bypass it.
    addsKeyPrefix: false,
  }
  const alone: SendCommand = (command) => client.sendCommand(command, AS_BUFFERS)
  if (typeof client.nodeClient === 'function') {
    return {
      ...base,
      clustered: true,
      send: failoverAware(client),
      async masters() {
        if (client.masters!.length === 0) {
          throw new SessionError(
            'ERR_SESSION_OPTION',
            'The client of redisStore is not connected: await client.connect() before the store is used.',
          )
        }
        return Promise.all(
          client.masters!.map(async (node) => {
            const master = (await client.nodeClient!(node)) as NodeRedis
            return (command: RedisCommand) => master.sendCommand(command, AS_BUFFERS)
          }),
        )
      },
    }
  }
  const send: SendCommand =
    typeof client.getMasterNode === 'function'
      ? (command) => client.sendCommand(false, command, AS_BUFFERS)
      : alone
  return { ...base, clustered: false, send: (_key, command) => send(command), masters: async () => [send] }
}

/**
 * A cluster of node-redis learns of a failover only when a node redirects a command. Those for a master that died wait
 * for that one to come back: up to 5 s in version 6 when its connection broke, for ever in versions 4 and 5, and in all
 * of them when it just fell silent. So a command that waits makes the client ask other nodes for its key: the first that
 * redirects has it look where everything is, and what waits for a node that is no master any more is rejected.
 */
function failoverAware(client: NodeRedis): RedisConnection['send'] {
  return impatient(
    // Never read-only, for that allows replicas: a replica may not know yet of the login just acknowledged.
    (key, command) => client.sendCommand(key, false, command, AS_BUFFERS),
    // Without a first key the client takes one node after the other. Only the redirection matters, not the answer.
    (key) => client.sendCommand(undefined, false, ['get', key], AS_BUFFERS).catch(() => {}),
  )
}

/** Sends, and calls `lookAround` again and again while an answer is overdue. */
function impatient(
  send: RedisConnection['send'],
  lookAround: (key: string | Buffer) => void,
): RedisConnection['send'] {
  let lastLooked = 0
  const look = (key: string | Buffer) => {
    if (Date.now() - lastLooked < ANSWER_OVERDUE / 2) return
    lastLooked = Date.now()
    lookAround(key)
  }
  return async (key, command) => {
    const overdue = setInterval(look, ANSWER_OVERDUE, key).unref()
    try {
      return await send(key, command)
    } finally {
      clearInterval(overdue)
    }
  }
}

/** In ms. */
const ANSWER_OVERDUE = 1000

function ioRedis(client: AnyClient): RedisConnection {
  const clustered = client.isCluster === true
  const send = ioRedisSender(client)
  const sendByKey: RedisConnection['send'] = (_key, command) => send(command)
  return {
    keyPrefix: String(client.options?.keyPrefix ?? ''),
    addsKeyPrefix: true,
    clustered,
    // It learns of a failover when a connection breaks or a node answers that the cluster is down. Where a master just
    // fell silent, and nothing is asked of the others before its replica is elected, neither ever happens.
    send: clustered ? impatient(sendByKey, () => client.refreshSlotsCache?.()) : sendByKey,
    async masters() {
      if (!clustered) return [send]
      // It knows of none until it has connected, which any command makes it do and waits for.
      if (client.nodes!('master').length === 0) await send(['ping'])
      return client.nodes!('master').map(ioRedisSender)
    },
  }
}

/** By named methods, not `callBuffer`: that one loses the name of the command under `enableAutoPipelining`. */
function ioRedisSender(client: AnyClient): SendCommand {
  const methods = client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  return ([name, ...args]) => methods[`${name}Buffer`]!(...args)
}

/**
 * Node ends a process in which an `error` event finds no listener, and clients emit one for every lost connection.
 * Where the application has none when the store is made, this one keeps the process alive and warns once. It stays
 * when the store is closed: the client outlives the store.
 */
function hearErrors(client: ErrorEmitter): void {
  if (client.listenerCount('error') > 0) return
  let warned = false
  client.on('error', (error) => {
    if (warned || client.listenerCount('error') > 1) return
    warned = true
    process.emitWarning(
      `The Redis client of the session store reported "${String(error)}". Add client.on('error', …) to hear of all errors.`,
      { code: 'SESSION_STORE_ERROR' satisfies SessionErrorCode },
    )
  })
}
