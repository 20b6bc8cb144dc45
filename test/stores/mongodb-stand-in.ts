/**
 * Not MongoDB: a stand-in for its server, for machines that have none. It speaks the wire protocol (OP_MSG) to the
 * real driver and leaves what the operators mean to mingo, so it shows that the store sends what it means to send
 * and understands the answers. It has no concurrency, no indexes, no disk: a run with MONGODB_URL has.
 *
 * https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
 */

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Aggregator, Query } from 'mingo'
import { BSON, type Document } from 'mongodb'

export interface StandIn {
  readonly url: string
  /** Each command as it came, but for those with which the driver looks after its connections. */
  readonly commands: Document[]
  /** What the next command of this name fails with, once. */
  failNext(command: string, error: { code: number; errmsg: string }): void
  close(): Promise<void>
}

export async function startStandIn(): Promise<StandIn> {
  const collections = new Map<string, Map<unknown, Document>>()
  const failures = new Map<string, Document>()
  const commands: Document[] = []
  const sockets = new Set<Socket>()

  const answer = (command: Document): Document => {
    const name = Object.keys(command)[0]!
    if (name in HOUSEKEEPING) return HOUSEKEEPING[name]!()
    commands.push(command)
    const failure = failures.get(name)
    failures.delete(name)
    if (failure !== undefined) return { ok: 0, ...failure }
    const key = `${command['$db']}.${command[name]}`
    const documents = collections.get(key) ?? new Map<unknown, Document>()
    collections.set(key, documents)
    return COMMANDS[name]?.(documents, command) ?? { ok: 0, code: 59, errmsg: `no such command: ${name}` }
  }

  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    let received = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 4 && received.length >= received.readInt32LE(0)) {
        const length = received.readInt32LE(0)
        socket.write(reply(received.readInt32LE(4), answer(parseMessage(received.subarray(0, length)))))
        received = received.subarray(length)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/test`,
    commands,
    failNext: (command, error) => failures.set(command, error),
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const HOUSEKEEPING: Record<string, () => Document> = {
  hello: () => ({
    ok: 1,
    isWritablePrimary: true,
    minWireVersion: 0,
    maxWireVersion: 21, // MongoDB 7.0
    maxBsonObjectSize: 16 * 1024 * 1024,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
  }),
  ping: () => ({ ok: 1 }),
  endSessions: () => ({ ok: 1 }),
}

const COMMANDS: Record<string, (documents: Map<unknown, Document>, command: Document) => Document> = {
  createIndexes: () => ({ ok: 1 }),

  find(documents, { filter, projection, $db, find: name, limit }) {
    const found = matching(documents, filter).slice(0, limit || undefined)
    return {
      ok: 1,
      cursor: {
        id: BSON.Long.ZERO,
        ns: `${$db}.${name}`,
        firstBatch: found.map((one) => project(one, projection)),
      },
    }
  },

  aggregate: (documents, { pipeline, $db, aggregate: name }) => ({
    ok: 1,
    cursor: {
      id: BSON.Long.ZERO,
      ns: `${$db}.${name}`,
      firstBatch: new Aggregator(pipeline).run([...documents.values()]),
    },
  }),

  findAndModify(documents, { query, update, upsert, fields, new: afterwards }) {
    const [before] = matching(documents, query)
    if (before === undefined && !upsert) return { ok: 1, value: null }
    const after = updated(before ?? { _id: query._id }, update)
    documents.set(after['_id'], after)
    const value = afterwards ? after : before
    return { ok: 1, value: value === undefined ? null : project(value, fields) }
  },

  update(documents, { updates }) {
    let n = 0
    for (const { q, u } of updates) {
      const [before] = matching(documents, q)
      if (before === undefined) continue
      n++
      documents.set(before['_id'], updated(before, [u]))
    }
    return { ok: 1, n, nModified: n }
  },

  delete(documents, { deletes }) {
    let n = 0
    for (const { q, limit } of deletes) {
      for (const { _id } of matching(documents, q).slice(0, limit || undefined)) {
        documents.delete(_id)
        n++
      }
    }
    return { ok: 1, n }
  },
}

function matching(documents: Map<unknown, Document>, filter: Document): Document[] {
  const query = new Query(filter)
  const candidates = typeof filter['_id'] === 'string' ? [documents.get(filter['_id'])] : documents.values()
  return [...candidates].filter((one) => one !== undefined && query.test(one)) as Document[]
}

function updated(document: Document, pipeline: Document[]): Document {
  return new Aggregator(pipeline).run([document])[0]!
}

function project(document: Document, projection: Document | undefined): Document {
  return projection === undefined ? document : updated(document, [{ $project: projection }])
}

/** OP_MSG: a header of 16 bytes, 4 bytes of flags, then sections: kind 0 a document, kind 1 a named list of them. */
function parseMessage(message: Buffer): Document {
  if (message.readInt32LE(12) !== OP_MSG) throw new Error('The stand-in knows no operation but OP_MSG.')
  let command: Document = {}
  const lists: Document = {}
  let at = 20
  while (at < message.length) {
    const kind = message[at++]
    const end = at + message.readInt32LE(at)
    if (kind === 0) command = decode(message.subarray(at, end))
    else {
      const nameEnd = message.indexOf(0, at + 4)
      const list: Document[] = []
      lists[message.toString('utf8', at + 4, nameEnd)] = list
      for (let from = nameEnd + 1; from < end; from += message.readInt32LE(from)) {
        list.push(decode(message.subarray(from, from + message.readInt32LE(from))))
      }
    }
    at = end
  }
  return { ...command, ...lists }
}

function decode(bytes: Buffer): Document {
  // A copy, since values are cut out of the bytes.
  return BSON.deserialize(Buffer.from(bytes), { promoteBuffers: true })
}

function reply(to: number, document: Document): Buffer {
  const body = BSON.serialize(document)
  const head = Buffer.alloc(21)
  head.writeInt32LE(21 + body.length, 0)
  head.writeInt32LE(to, 8)
  head.writeInt32LE(OP_MSG, 12)
  return Buffer.concat([head, body])
}

const OP_MSG = 2013
