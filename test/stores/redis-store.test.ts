import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createClient, createSentinel } from 'redis'
import { createClient as createClient4 } from 'redis4'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { RedisRecords } from '../../src/stores/redis.ts'
import type { RedisClient } from '../../src/stores/redis-client.ts'
import type { RecordVersion, WriteResult } from '../../src/stores/store.ts'
import { recordStoreContract } from '../contract/record-store.ts'
import { redisClients } from '../fixtures/redis-clients.ts'
import { hasRedisServer, type RedisServer, startRedis, startSentinel } from '../fixtures/redis-server.ts'

describe.skipIf(!hasRedisServer)('the Redis store', () => {
  let server: RedisServer
  let redis: Redis
  beforeAll(async () => {
    server = await startRedis()
    redis = new Redis(server.url)
  })
  afterAll(async () => {
    redis?.disconnect()
    await server?.stop()
  })
  afterEach(() => redis.flushall())

  const storeOf = (options: { prefix?: string; hashIds?: boolean } = {}) =>
    new RedisRecords({ client: redis, ...options })

  describe.each(redisClients.filter(({ name }) => name.endsWith('6')))(
    'costs, through $name,',
    ({ connect }) => {
      let client: RedisClient
      let close: () => Promise<unknown>
      let store: RedisRecords
      let observer: CommandObserver
      const commands = () => observer.commands()
      beforeEach(async () => {
        ;({ client, close } = await connect(server.url))
        store = new RedisRecords({ client })
        // Whatever a node is asked for the first time, it does not know the script.
        won(await store.write('warm', bytes('up'), { expires: soon(), ifVersion: null, owner: 'nobody' }))
        await store.read('warm')
        await store.touch('warm', soon())
        observer = await observe(server)
      })
      afterEach(async () => {
        observer.close()
        await close()
      })

      it('one command for a request that only reads, refreshed or not', async () => {
        await store.write('id', bytes('1'), { expires: soon(), ifVersion: null })
        await commands()
        expect((await store.read('id', soon()))?.payload).toBeDefined()
        expect(await commands()).toEqual(['getex fs:id'])
        expect((await store.read('id'))?.payload).toBeDefined()
        expect(await commands()).toEqual(['evalsha fs:id'])
      })

      it('one command for a request that only reads an owned record', async () => {
        await store.write('id', bytes('1'), { expires: soon(), ifVersion: null, owner: 'ann' })
        await commands()
        await store.read('id', soon() + 5000)
        await store.touch('id', soon() + 10_000)
        expect(await commands()).toEqual(['getex fs:id', 'evalsha fs:id'])
      })

      it('one command for a request of a visitor who has no record', async () => {
        expect(await store.read('nobody', soon())).toBeUndefined()
        expect(await commands()).toEqual(['getex fs:nobody'])
      })

      it('two commands for a request that changes something', async () => {
        await store.write('id', bytes('1'), { expires: soon(), ifVersion: null })
        await commands()
        const ifVersion = (await store.read('id', soon()))!.version
        won(await store.write('id', bytes('2'), { expires: soon(), ifVersion }))
        expect(await commands()).toEqual(['getex fs:id', 'evalsha fs:id'])
      })

      it('two commands for a change of an owned record, too, and one more where it gets its owner', async () => {
        won(await store.write('id', bytes('1'), { expires: soon(), ifVersion: null }))
        await commands()
        const login = (await store.read('id', soon()))!.version
        won(await store.write('id', bytes('2'), { expires: soon(), ifVersion: login, owner: 'ann' }))
        expect(await commands()).toEqual([
          'getex fs:id',
          expect.stringMatching(/^evalsha fs:.*owner/),
          'evalsha fs:id',
        ])
        const change = (await store.read('id', soon()))!.version
        won(await store.write('id', bytes('3'), { expires: soon(), ifVersion: change, owner: 'ann' }))
        expect(await commands()).toEqual(['getex fs:id', 'evalsha fs:id'])
      })

      it('one command for a touch and one for a delete', async () => {
        await store.write('id', bytes('1'), { expires: soon(), ifVersion: null })
        await commands()
        await store.touch('id', soon())
        await store.delete('id')
        expect(await commands()).toEqual(['evalsha fs:id', 'del fs:id'])
      })
    },
  )

  describe('the index of an owner', () => {
    const indexKey = async () => (await redis.keys('fs:\0owner:*'))[0]!

    it('is written before the record, so that a crash in between hides no record', async () => {
      const store = new RedisRecords({ client: failing(redis, (command) => command.includes('fs:id')) })
      const write = store.write('id', bytes('1'), { expires: soon(), ifVersion: null, owner: 'ann' })
      await expect(write).rejects.toThrow('injected')
      expect(await redis.zrange(await indexKey(), '0', '-1')).toEqual(['id'])
      expect(await storeOf().readOwned('ann')).toEqual([])
    })

    it('fails the write when it can not be written, and no record is made', async () => {
      const store = new RedisRecords({ client: failing(redis, (command) => command.includes('owner')) })
      const write = store.write('id', bytes('1'), { expires: soon(), ifVersion: null, owner: 'ann' })
      await expect(write).rejects.toThrow('injected')
      expect(await storeOf().read('id')).toBeUndefined()
    })

    it.each(['touch', 'read'] as const)(
      'is written before a %s moves the expiry past its end',
      async (by) => {
        const store = storeOf()
        won(await store.write('id', bytes('1'), { expires: soon(), ifVersion: null, owner: 'ann' }))
        const later = Date.now() + 3_600_000
        await store[by]('id', later)
        expect(Number(await redis.zscore(await indexKey(), 'id'))).toBeGreaterThan(later)
        expect(await redis.pexpiretime(await indexKey())).toBeGreaterThan(later)
        expect((await store.read('id'))?.expires).toBe(later)
      },
    )

    it('never ends before the record, even if every other renewal of it fails', async () => {
      let fails = false
      const store = new RedisRecords({
        client: failing(redis, (command) => fails && command.includes('owner')),
      })
      const lifetime = 3_600_000
      vi.useFakeTimers({ toFake: ['Date'] })
      try {
        const expires = Date.now() + lifetime
        won(await store.write('id', bytes('1'), { expires, ifVersion: null, owner: 'ann' }))
        for (let touch = 0; touch < 10; touch++) {
          vi.setSystemTime(Date.now() + 0.9 * lifetime)
          fails = touch % 2 === 0
          await store.read('id', Date.now() + lifetime).catch(() => {})
          const indexedUntil = Number(await redis.zscore(await indexKey(), 'id'))
          expect(indexedUntil).toBeGreaterThanOrEqual(await redis.pexpiretime('fs:id'))
          expect(await redis.pexpiretime(await indexKey())).toBe(indexedUntil)
        }
      } finally {
        vi.useRealTimers()
      }
    })

    it('drops records that ended long ago, and ends itself', async () => {
      const store = storeOf()
      const short = Date.now() + 30
      await store.write('short', bytes('1'), { expires: short, ifVersion: null, owner: 'ann' })
      await sleep(150)
      expect(await redis.keys('*')).toEqual([])
      const later = Date.now() + 50
      await store.write('other', bytes('1'), { expires: later, ifVersion: null, owner: 'ann' })
      await store.write('lasting', bytes('1'), { expires: soon(), ifVersion: null, owner: 'ann' })
      await sleep(250)
      await store.write('new', bytes('1'), { expires: soon(), ifVersion: null, owner: 'ann' })
      expect((await redis.zrange(await indexKey(), '0', '-1')).sort()).toEqual(['lasting', 'new'])
    })
  })

  describe('scripts', () => {
    it('are loaded again when the server has forgotten them', async () => {
      const store = storeOf()
      const { version } = won(await store.write('id', bytes('1'), { expires: soon(), ifVersion: null }))
      await redis.script('FLUSH')
      won(await store.write('id', bytes('2'), { expires: soon(), ifVersion: version }))
      await redis.script('FLUSH')
      expect((await store.read('id'))?.payload).toEqual(Buffer.from('2'))
    })

    it('take a write that a client sends twice, after a lost connection, for the one write that it is', async () => {
      const store = new RedisRecords({ client: repeating(redis) })
      const first = won(await store.write('id', bytes('1'), { expires: soon(), ifVersion: null }))
      const second = won(await store.write('id', bytes('2'), { expires: soon(), ifVersion: first.version }))
      expect(await storeOf().read('id')).toMatchObject({ payload: Buffer.from('2'), version: second.version })
    })
  })

  describe('keys', () => {
    it.each(['[a-z]*?:', 'back\\slash:', '{tag}:', 'ü:'])('may begin with %j', async (prefix) => {
      const store = storeOf({ prefix })
      const neighbour = storeOf({ prefix: 'a:' })
      won(await store.write('id', bytes('1'), { expires: soon(), ifVersion: null }))
      won(await neighbour.write('id', bytes('1'), { expires: soon(), ifVersion: null }))
      expect(await store.list()).toEqual(['id'])
      await store.clear()
      expect(await store.count()).toBe(0)
      expect(await neighbour.list()).toEqual(['id'])
    })

    it('begin with the prefix that the client puts before all keys', async () => {
      const clients = [
        createClient({ url: server.url, keyPrefix: 'app:' }),
        new Redis(server.url, { keyPrefix: 'app:' }),
      ] as const
      await clients[0].connect()
      for (const client of clients) {
        const store = new RedisRecords({ client })
        won(await store.write('id', bytes('1'), { expires: soon(), ifVersion: null, owner: 'ann' }))
        expect((await redis.keys('*')).sort()).toEqual([
          expect.stringMatching(/^app:fs:\0owner/),
          'app:fs:id',
        ])
        expect(await store.list()).toEqual(['id'])
        expect((await store.readOwned('ann')).map(({ id }) => id)).toEqual(['id'])
        await store.clear()
        expect(await redis.keys('*')).toEqual([])
      }
      clients[0].destroy()
      clients[1].disconnect()
    })

    it('survive whatever another program put there', async () => {
      const store = storeOf()
      const marked = `\xc1${'v'.repeat(20)}`
      const values = [
        ...['', 'text', '\xc1', '\xc1too short', '\xc1'.repeat(100)],
        ...[`${marked}+cut off`, `${marked}+${'t'.repeat(22)}not the time: 16`],
      ]
      for (const value of values) {
        await redis.set('fs:id', Buffer.from(value, 'latin1'))
        const record = await store.read('id', soon())
        await store.touch('id', soon())
        const refused = await store.write('id', bytes('x'), { expires: soon(), ifVersion: 'another' })
        expect(refused.ok).toBe(false)
        won(
          await store.write('id', bytes('ours'), {
            expires: soon(),
            ifVersion: record?.version ?? null,
            owner: 'ann',
          }),
        )
        expect((await store.read('id'))?.payload).toEqual(Buffer.from('ours'))
      }
      await redis.del('fs:id')
      await redis.hset('fs:id', 'a', 'hash')
      await expect(store.read('id', soon())).rejects.toThrow('WRONGTYPE')
    })

    it('without a time to live answer a finite expiry', async () => {
      await redis.set('fs:id', '{}')
      expect((await storeOf().read('id'))?.expires).toBe(8.64e15)
    })
  })

  describe('options', () => {
    it('refuse an empty prefix, for clear() would empty the database', () => {
      expect(() => storeOf({ prefix: '' })).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTION' }))
    })

    it('take an empty prefix with a client that has one', async () => {
      const client = new Redis(server.url, { keyPrefix: 'app:', lazyConnect: true })
      expect(new RedisRecords({ client, prefix: '' }).hashIds).toBe(true)
    })

    it.each([undefined, null, {}, 'redis://127.0.0.1', () => {}])('refuse %s as a client', (client) => {
      expect(() => new RedisRecords({ client: client as unknown as RedisClient })).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_OPTION' }),
      )
    })

    it('refuse a client in legacy mode, which would never answer', () => {
      const client = createClient4({ legacyMode: true })
      expect(() => new RedisRecords({ client })).toThrow('legacyMode')
    })
  })

  describe('behind a Sentinel', () => {
    let sentinel: RedisServer
    beforeAll(async () => {
      sentinel = await startSentinel(server)
    })
    afterAll(() => sentinel?.stop())

    const address = () => ({ host: '127.0.0.1', port: sentinel.port })

    it('works through redis 6', async () => {
      const client = createSentinel({ name: 'main', sentinelRootNodes: [address()] })
      await client.connect()
      await expectToWork(new RedisRecords({ client }))
      client.destroy()
    })

    it('works through ioredis 6', async () => {
      const client = new Redis({ name: 'main', sentinels: [address()] })
      await expectToWork(new RedisRecords({ client }))
      client.disconnect()
    })

    async function expectToWork(store: RedisRecords) {
      const { version } = won(
        await store.write('id', bytes('1'), { expires: soon(), ifVersion: null, owner: 'ann' }),
      )
      won(await store.write('id', bytes('2'), { expires: soon(), ifVersion: version, owner: 'ann' }))
      expect((await store.read('id', soon()))?.payload).toEqual(Buffer.from('2'))
      expect(await store.list()).toEqual(['id'])
      expect(await store.deleteOwned('ann')).toBe(1)
      await store.clear()
      expect(await redis.keys('*')).toEqual([])
    }
  })

  describe('an outage', () => {
    it.each(redisClients)('ends by itself, through $name', async ({ connect }) => {
      const mortal = await startRedis()
      const { client, close } = await connect(mortal.url)
      try {
        const store = new RedisRecords({ client })
        won(await store.write('id', bytes('before'), { expires: soon(), ifVersion: null }))
        await mortal.kill()
        await Promise.allSettled([store.read('id', soon()), mortal.start()])
        while ((await store.count().catch(() => undefined)) === undefined) await sleep(20)
        expect(await store.read('id')).toBeUndefined()
        won(await store.write('id', bytes('after'), { expires: soon(), ifVersion: null }))
      } finally {
        await close()
        await mortal.stop()
      }
    })

    it.each([
      { name: 'redis 6', open: (url: string) => createClient({ url }) },
      { name: 'ioredis 6', open: (url: string) => new Redis(url) },
    ])('does not end a process that listens to no error of its client, $name', async ({ open }) => {
      const mortal = await startRedis()
      const client = open(mortal.url)
      const store = new RedisRecords({ client })
      if ('isOpen' in client) await client.connect()
      expect(await store.count()).toBe(0)
      const warning = once(process, 'warning')
      await mortal.kill()
      expect(await warning).toEqual([expect.objectContaining({ code: 'SESSION_STORE_ERROR' })])
      if ('isOpen' in client) client.destroy()
      else client.disconnect()
      await mortal.stop()
    })

    it('leaves the errors of a client to those who listen', () => {
      const client = new Redis({ lazyConnect: true })
      client.on('error', () => {})
      new RedisRecords({ client })
      expect(client.listenerCount('error')).toBe(1)
    })
  })
})

describe.skipIf(!hasRedisServer)('with what Redis 6.2 offers', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis(...NEWER_THAN_6_2.flatMap((command) => ['--rename-command', command, '']))
  })
  afterAll(() => server?.stop())

  recordStoreContract('redis', async ({ namespace }) => {
    const client = new Redis(server.url)
    const store = new RedisRecords({ client, prefix: `${namespace}:` })
    return { store, dispose: async () => client.disconnect() }
  })
})

/** What `COMMAND DOCS` says appeared after 6.2. */
const NEWER_THAN_6_2 = [
  ...[
    'lcs',
    'sintercard',
    'sunsubscribe',
    'lmpop',
    'sort_ro',
    'bzmpop',
    'expiretime',
    'blmpop',
    'zintercard',
  ],
  ...[
    'fcall_ro',
    'zmpop',
    'eval_ro',
    'evalsha_ro',
    'function',
    'ssubscribe',
    'fcall',
    'pexpiretime',
    'spublish',
  ],
]

interface CommandObserver {
  /** What clients sent since the last call, each command with its first key; not what scripts call. */
  commands(): Promise<string[]>
  close(): void
}

async function observe(server: RedisServer): Promise<CommandObserver> {
  const redis = new Redis(server.url)
  const monitor = await redis.monitor()
  let seen: string[] = []
  monitor.on('monitor', (_time: string, [name = '', ...args]: string[], source: string) => {
    if (source !== 'lua') seen.push(`${name} ${args[name === 'evalsha' ? 2 : 0]}`)
  })
  let calls = 0
  return {
    async commands() {
      const end = `end ${calls++}`
      await redis.echo(end)
      while (!seen.includes(`echo ${end}`)) await sleep(5)
      const commands = seen.slice(0, seen.indexOf(`echo ${end}`))
      seen = []
      return commands
    },
    close() {
      monitor.disconnect()
      redis.disconnect()
    },
  }
}

/** The client, but for the commands that are to fail: those never arrive. */
function failing(client: Redis, fails: (command: string) => boolean): Redis {
  return intercepting(client, (send, args) => {
    if (fails(args.join(' '))) return Promise.reject(new Error('injected'))
    return send(...args)
  })
}

/** The client, sending every script twice, and answering what the second time gave. */
function repeating(client: Redis): Redis {
  return intercepting(client, async (send, args) => {
    await send(...args)
    return send(...args)
  })
}

type Send = (...args: unknown[]) => Promise<unknown>

function intercepting(client: Redis, intercept: (send: Send, args: unknown[]) => Promise<unknown>): Redis {
  return new Proxy(client, {
    get(target, name) {
      const member = Reflect.get(target, name)
      if (name !== 'evalshaBuffer' && name !== 'evalBuffer') return member
      return (...args: unknown[]) => intercept((member as Send).bind(target), args)
    },
  })
}

function soon(): number {
  return Date.now() + 60_000
}

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

function won(result: WriteResult): { readonly version: RecordVersion } {
  expect(result.ok).toBe(true)
  return result as { version: RecordVersion }
}
