/** The record store on MongoDB (4.4 or later): a document per record, one operation per call. */

import { SessionError } from '../errors.ts'
import { newVersion } from './record-version.ts'
import type { RecordStore, StoredRecord, WriteOptions, WriteResult } from './store.ts'
import { checkedTouchAfter, type TouchOptions, touchSlack } from './touch-slack.ts'

/** What the store needs of a Collection of the package `mongodb`, 6 or later. */
export interface MongodbCollection {
  findOne(filter: object, options: object): Promise<object | null>
  findOneAndUpdate(filter: object, update: object[], options: object): Promise<object | null>
  find(filter: object, options: object): { toArray(): Promise<object[]> }
  countDocuments(filter: object, options: object): Promise<number>
  updateOne(filter: object, update: object, options: object): Promise<unknown>
  deleteOne(filter: object): Promise<unknown>
  deleteMany(filter: object): Promise<{ deletedCount: number }>
  createIndexes(indexes: Array<(typeof mongodbIndexes)[number]>): Promise<unknown>
}

/** What the store needs of a MongoClient of the package `mongodb`. */
export interface MongodbClient {
  db(name?: string): { collection(name: string): MongodbCollection }
}

export interface MongodbRecordsOptions extends TouchOptions {
  /** A MongoClient; it stays the caller's, who closes it. */
  readonly client?: MongodbClient | undefined
  /** The name of the database. Default: that of the client's connection string. */
  readonly db?: string | undefined
  /** The name of the collection, default `fast_session`; or, in place of a client, a Collection. */
  readonly collection?: string | MongodbCollection | undefined
  /** Create `mongodbIndexes` before the first operation, where they are missing. Default true. */
  readonly createIndexes?: boolean | undefined
  /** Store the SHA-256 of each session id in place of the id. Default true. */
  readonly hashIds?: boolean | undefined
}

/** By which the server itself removes what has expired, once a minute, and finds the records of an owner. */
export const mongodbIndexes = [
  { key: { expires: 1 }, expireAfterSeconds: 0 },
  { key: { owner: 1 }, sparse: true },
] as const satisfies object[]

/**
 * A document is `{ _id, payload, version, expires, owner }`. All reads go to the primary, whatever the client's read
 * preference: a secondary may not know yet of the login that was just answered. What a write survives is up to the
 * write concern of the client or collection, by default (MongoDB 5 and later) a majority. Servers that only speak
 * its protocol need updates by aggregation pipeline.
 */
export class MongodbRecords implements RecordStore {
  readonly name = 'mongodb'
  readonly hashIds: boolean

  readonly #collection: MongodbCollection
  readonly #touchAfter: number
  readonly #createIndexes: boolean
  #indexed: Promise<unknown> | undefined

  /** Throws SessionError `ERR_SESSION_OPTION`. */
  constructor(options: MongodbRecordsOptions = {}) {
    this.#collection = collectionOf(options)
    this.hashIds = options.hashIds ?? true
    this.#createIndexes = options.createIndexes ?? true
    this.#touchAfter = checkedTouchAfter(options)
  }

  async read(id: string, touchTo?: number): Promise<StoredRecord | undefined> {
    const records = await this.#records()
    const now = Date.now()
    if (touchTo === undefined) return toRecord(await records.findOne(live({ _id: id }, now), RECORD))
    // An update that changes nothing is none to the server: no new document, nothing in the oplog.
    const distance = { $abs: { $subtract: ['$expires', new Date(touchTo)] } }
    const isFresh = { $lt: [distance, touchSlack(this.#touchAfter, touchTo, now)] }
    const expires = { $cond: [isFresh, '$expires', new Date(touchTo)] }
    return toRecord(
      await records.findOneAndUpdate(live({ _id: id }, now), [{ $set: { expires } }], {
        ...RECORD,
        ...AFTERWARDS,
        ...AT_ONCE,
      }),
    )
  }

  /** Refused or not, the answer is the document that is there afterwards, without the payload if it is ours. */
  async write(id: string, payload: Uint8Array, options: WriteOptions): Promise<WriteResult> {
    const { expires, ifVersion, owner } = options
    const records = await this.#records()
    const version = newVersion()
    const now = Date.now()
    const mayReplace =
      ifVersion === null
        ? { $not: [{ $gt: ['$expires', new Date(now)] }] }
        : { $eq: ['$version', { $literal: ifVersion }] }
    const record = {
      _id: '$_id',
      payload: { $literal: payload },
      version: { $literal: version },
      expires: new Date(expires),
      ...(owner === undefined ? undefined : { owner: { $literal: owner } }),
    }
    const replacement = { $replaceWith: { $cond: [mayReplace, record, '$$ROOT'] } }
    const isOurs = { $eq: ['$version', { $literal: version }] }
    const result = {
      ...RECORD,
      ...AFTERWARDS,
      projection: { version: 1, expires: 1, payload: { $cond: [isOurs, null, '$payload'] } },
    }
    const found =
      ifVersion === null
        ? await upsert(records, { _id: id }, [replacement], result)
        : await records.findOneAndUpdate(live({ _id: id }, now), [replacement], result)
    const current = toRecord(found)
    return current?.version === version ? { ok: true, version } : { ok: false, current }
  }

  async touch(id: string, expires: number): Promise<void> {
    const records = await this.#records()
    await records.updateOne(live({ _id: id }), { $set: { expires: new Date(expires) } }, AT_ONCE)
  }

  async delete(id: string): Promise<void> {
    await (await this.#records()).deleteOne({ _id: id })
  }

  /** There is nothing to release: the server prunes, and the client is the caller's. */
  close(): void {}

  async list(): Promise<string[]> {
    const options = { ...RECORD, projection: { _id: 1 }, batchSize: 1000 }
    const found = await (await this.#records()).find(live(), options).toArray()
    return found.map((document) => (document as RecordDocument)._id)
  }

  async count(): Promise<number> {
    return (await this.#records()).countDocuments(live(), { readPreference: 'primary' })
  }

  async clear(): Promise<void> {
    await (await this.#records()).deleteMany({})
  }

  async readOwned(owner: string): Promise<Array<{ id: string; record: StoredRecord }>> {
    const found = await (await this.#records()).find(live({ owner }), RECORD).toArray()
    return found.map((document) => ({ id: (document as RecordDocument)._id, record: toRecord(document)! }))
  }

  async deleteOwned(owner: string, except?: string): Promise<number> {
    const spared = except === undefined ? undefined : { _id: { $ne: except } }
    const { deletedCount } = await (await this.#records()).deleteMany(live({ owner, ...spared }))
    return deletedCount
  }

  async #records(): Promise<MongodbCollection> {
    if (this.#createIndexes) {
      this.#indexed ??= this.#collection.createIndexes([...mongodbIndexes]).catch((error: unknown) => {
        this.#indexed = undefined
        throw error
      })
      await this.#indexed
    }
    return this.#collection
  }
}

/** The server removes expired documents within a minute or so; until then they count as none. */
function live(filter: object = {}, now = Date.now()): object {
  return { ...filter, expires: { $gt: new Date(now) } }
}

/** Two that insert the same id at once: one of them fails, finds the other's record the next time, and is refused. */
async function upsert(
  records: MongodbCollection,
  filter: object,
  update: object[],
  options: object,
): Promise<object | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await records.findOneAndUpdate(filter, update, { ...options, upsert: true })
    } catch (error) {
      if ((error as { code?: unknown }).code !== DUPLICATE_KEY || attempt === ATTEMPTS) throw error
    }
  }
}

const ATTEMPTS = 10

/** https://www.mongodb.com/docs/manual/reference/error-codes/ */
const DUPLICATE_KEY = 11000

/** What a record is made of, as plain values, whatever the client is told to make of BSON. */
const RECORD = {
  projection: { payload: 1, version: 1, expires: 1 },
  readPreference: 'primary',
  raw: false,
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: true,
  useBigInt64: false,
}

/**
 * A moved expiry is no news worth waiting for: with a majority, a read that moves none would still wait until the
 * secondaries have all that was written before it.
 */
const AT_ONCE = { writeConcern: { w: 1 } }

const AFTERWARDS = { returnDocument: 'after', includeResultMetadata: false }

interface RecordDocument {
  readonly _id: string
  readonly payload: Uint8Array
  readonly version: number
  readonly expires: Date
}

function toRecord(document: object | null): StoredRecord | undefined {
  if (document === null) return undefined
  const { payload, version, expires } = document as RecordDocument
  return { payload, version, expires: expires.getTime() }
}

function collectionOf({ client, db, collection = 'fast_session' }: MongodbRecordsOptions): MongodbCollection {
  if (typeof collection !== 'string') {
    if (typeof collection?.findOneAndUpdate === 'function') return collection
  } else if (typeof client?.db === 'function') {
    return client.db(db).collection(collection)
  }
  throw new SessionError(
    'ERR_SESSION_OPTION',
    'The MongoDB store has no collection: give a MongoClient as the option client, or a Collection as collection.',
  )
}
