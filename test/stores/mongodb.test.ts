import { randomBytes } from 'node:crypto'
import { MongodbRecords, type MongodbRecordsOptions, mongodbIndexes } from 'fast-session/mongodb'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordStoreContract } from '../contract/record-store.ts'
import { type StandIn, startStandIn } from '../fixtures/mongodb-stand-in.ts'

const server = process.env['MONGODB_URL']
if (server === undefined) {
  console.warn('SKIPPED: no MONGODB_URL is set, so the MongoDB store meets a stand-in for the server only.')
}

describe.skipIf(server === undefined)('MongoDB', () => {
  const clients = [new MongoClient(server ?? 'mongodb://none'), new MongoClient(server ?? 'mongodb://none')]

  afterAll(async () => {
    for (const client of clients) await client.close()
  })

  recordStoreContract('mongodb', async ({ namespace: collection, touchAfter }) => ({
    store: new MongodbRecords({ client: clients[0]!, collection, touchAfter }),
    other: new MongodbRecords({ client: clients[1]!, collection, touchAfter }),
    async dispose() {
      await clients[0]!.db().dropCollection(collection)
    },
  }))

  it('has its indexes made by the server, once for all processes', async () => {
    const name = `t${randomBytes(8).toString('hex')}`
    const stores = clients.flatMap((client) => [
      new MongodbRecords({ client, collection: name }),
      new MongodbRecords({ client, collection: name }),
    ])
    await Promise.all(stores.map((store) => store.read('a')))
    const collection = clients[0]!.db().collection(name)
    expect(await collection.indexes()).toMatchObject([{ key: { _id: 1 } }, ...mongodbIndexes])
    await collection.drop()
  })

  it('changes nothing for a read whose expiry is fresh enough', async () => {
    const collection = clients[0]!.db().collection(`t${randomBytes(8).toString('hex')}`)
    const store = new MongodbRecords({ collection })
    const expires = Date.now() + 86_400_000
    await store.write('a', Buffer.from('x'), { expires, ifVersion: null })
    const before = await collection.findOne()
    expect(await store.read('a', expires + 59_000)).toMatchObject({ expires })
    expect(await collection.findOne()).toEqual(before)
    await collection.drop()
  })
})

describe('MongoDB, a stand-in for the server', () => {
  let standIn: StandIn
  let client: MongoClient
  let elsewhere: MongoClient

  beforeAll(async () => {
    standIn = await startStandIn()
    client = connect()
    // Told in every way to make something else of BSON.
    elsewhere = connect({
      promoteValues: false,
      promoteBuffers: false,
      promoteLongs: false,
      ignoreUndefined: true,
    })
  })

  afterAll(async () => {
    await client.close()
    await elsewhere.close()
    await standIn.close()
  })

  // The stable API spares the stand-in the legacy handshake.
  const connect = (options = {}) => new MongoClient(standIn.url, { serverApi: '1', ...options })

  let collections = 0
  const open = (options: MongodbRecordsOptions = {}) =>
    new MongodbRecords({ client, collection: `c${++collections}`, ...options })

  recordStoreContract('mongodb on a stand-in', async ({ namespace: collection, touchAfter }) => ({
    store: new MongodbRecords({ client, collection, touchAfter }),
    other: new MongodbRecords({ client: elsewhere, collection, touchAfter }),
    dispose: async () => {},
  }))

  const sent = async (operation: () => Promise<unknown>) => {
    standIn.commands.length = 0
    await operation()
    return standIn.commands.map((command) => Object.keys(command)[0])
  }

  it('sends one command per operation', async () => {
    const store = open()
    const expires = inAMinute()
    const written = await store.write('a', bytes('1'), { expires, ifVersion: null })
    if (!written.ok) throw new Error('not written')
    const replace = () => store.write('a', bytes('2'), { expires, ifVersion: written.version })
    expect(await sent(() => store.write('b', bytes('1'), { expires, ifVersion: null }))).toEqual([
      'findAndModify',
    ])
    expect(await sent(() => store.write('b', bytes('1'), { expires, ifVersion: null }))).toEqual([
      'findAndModify',
    ])
    expect(await sent(replace)).toEqual(['findAndModify'])
    expect(await sent(replace)).toEqual(['findAndModify'])
    expect(await sent(() => store.read('a'))).toEqual(['find'])
    expect(await sent(() => store.read('a', expires + 1000))).toEqual(['findAndModify'])
    expect(await sent(() => store.read('a', expires + 100_000))).toEqual(['findAndModify'])
    expect(await sent(() => store.touch('a', expires))).toEqual(['update'])
    expect(await sent(() => store.list())).toEqual(['find'])
    expect(await sent(() => store.count())).toEqual(['aggregate'])
    expect(await sent(() => store.readOwned('ann'))).toEqual(['find'])
    expect(await sent(() => store.deleteOwned('ann'))).toEqual(['delete'])
    expect(await sent(() => store.delete('a'))).toEqual(['delete'])
    expect(await sent(() => store.clear())).toEqual(['delete'])
  })

  it('creates its indexes before the first operation, once', async () => {
    const store = open()
    const commands = await sent(() => Promise.all([store.read('a'), store.read('b'), store.read('c')]))
    expect(commands).toEqual(['createIndexes', 'find', 'find', 'find'])
    expect(standIn.commands[0]!['indexes']).toMatchObject(mongodbIndexes)
    expect(await sent(() => store.read('a'))).toEqual(['find'])
  })

  it('creates no index when told not to', async () => {
    expect(await sent(() => open({ createIndexes: false }).read('a'))).toEqual(['find'])
  })

  it('fails where an index can not be created, and tries again', async () => {
    const store = open()
    standIn.failNext('createIndexes', { code: 13, errmsg: 'not authorized' })
    await expect(store.read('a')).rejects.toMatchObject({ code: 13 })
    expect(await store.read('a')).toBeUndefined()
  })

  it('is refused, not failing, when another client inserts the same id at the same time', async () => {
    const store = open()
    await store.read('a')
    standIn.failNext('findAndModify', { code: 11000, errmsg: 'E11000 duplicate key error' })
    const commands = await sent(async () => {
      const result = await store.write('a', bytes('1'), { expires: inAMinute(), ifVersion: null })
      expect(result.ok).toBe(true)
    })
    expect(commands).toEqual(['findAndModify', 'findAndModify'])
  })

  it('passes on every other error', async () => {
    const store = open()
    await store.read('a')
    standIn.failNext('findAndModify', { code: 50, errmsg: 'operation exceeded time limit' })
    const write = store.write('a', bytes('1'), { expires: inAMinute(), ifVersion: null })
    await expect(write).rejects.toMatchObject({ code: 50 })
  })

  it('keeps the payload off the wire when a write succeeds', async () => {
    const store = open()
    await store.write('a', bytes('1'), { expires: inAMinute(), ifVersion: null })
    const answered: unknown[] = []
    const monitored = connect({ monitorCommands: true })
    monitored.on('commandSucceeded', ({ reply }) => answered.push((reply as { value?: unknown }).value))
    const own = new MongodbRecords({ client: monitored, collection: `c${collections}`, createIndexes: false })
    const { version } = (await own.read('a'))!
    answered.length = 0
    await own.write('a', bytes('2'), { expires: inAMinute(), ifVersion: version })
    expect(answered).toMatchObject([{ payload: null }])
    await monitored.close()
  })

  it('keeps a session of a few seconds alive, however large touchAfter is', async () => {
    const store = open({ touchAfter: 3_600_000 })
    const expires = Date.now() + 5000
    await store.write('a', bytes('1'), { expires, ifVersion: null })
    expect(await store.read('a', expires + 2000)).toMatchObject({ expires: expires + 2000 })
  })

  it('leaves an expiry that is fresh enough', async () => {
    const store = open()
    const expires = Date.now() + 86_400_000
    await store.write('a', bytes('1'), { expires, ifVersion: null })
    expect(await store.read('a', expires + 59_000)).toMatchObject({ expires })
    expect(await store.read('a', expires + 61_000)).toMatchObject({ expires: expires + 61_000 })
  })

  it('takes owners and ids that look like operators or fields as what they are', async () => {
    const store = open()
    for (const text of ['$owner', '$$ROOT', '$_id', '{"$gt":""}']) {
      await store.write(text, bytes(text), { expires: inAMinute(), ifVersion: null, owner: text })
      expect((await store.readOwned(text)).map(({ id }) => id)).toEqual([text])
    }
  })

  it.each([
    undefined,
    {},
    { collection: 'name' },
    { client: {} },
    { collection: {} },
    { collection: null },
    { touchAfter: -1, collection: { findOneAndUpdate() {} } },
  ])('refuses the options %j', (options) => {
    expect(() => new MongodbRecords(options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_OPTION' }),
    )
  })

  it('takes a collection in place of a client', async () => {
    const store = new MongodbRecords({ collection: client.db('another').collection('sessions') })
    await store.write('a', bytes('1'), { expires: inAMinute(), ifVersion: null })
    expect(await new MongodbRecords({ client, db: 'another', collection: 'sessions' }).list()).toEqual(['a'])
  })

  it('has ids hashed unless told otherwise', () => {
    expect(open().hashIds).toBe(true)
    expect(open({ hashIds: false }).hashIds).toBe(false)
  })
})

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

function inAMinute(): number {
  return Date.now() + 60_000
}
