/**
 * The contract of a record store, sentence by sentence: what src/stores/store.ts promises, every store keeps.
 *
 *     recordStoreContract('redis', async ({ namespace, touchAfter }) => { … return { store, other, dispose } })
 */

import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { RecordStore, RecordVersion, StoredRecord, WriteResult } from '../../src/stores/store.ts'

/** What `make` opens: a store, and a second client of the same records. */
export interface StoreFixture {
  /** It implements the optional methods, too. */
  readonly store: RecordStore
  /** A client of the same records, as another process would have. Left out: the records live in one process. */
  readonly other?: RecordStore
  /** Closes both and removes the records. */
  dispose(): Promise<void>
}

export interface StoreFixtureOptions {
  /** A fresh word of lower-case letters and digits: stores of different namespaces share no record. */
  readonly namespace: string
  /** To be passed on to the store, in ms. */
  readonly touchAfter: number
}

export type MakeStore = (options: StoreFixtureOptions) => Promise<StoreFixture>

export function recordStoreContract(name: string, make: MakeStore): void {
  describe(`the record store ${name}`, () => {
    let fixture: StoreFixture
    let store: RecordStore
    let other: RecordStore

    beforeAll(async () => {
      fixture = await make({ namespace: newNamespace(), touchAfter: 0 })
      store = fixture.store
      other = fixture.other ?? store
    })
    afterAll(async () => fixture?.dispose())

    /** A record of a fresh id that lives for a minute. */
    const begin = async (payload = bytes('begin'), owner?: string) => {
      const id = newId()
      const expires = inAMinute()
      const { version } = won(await store.write(id, payload, { expires, ifVersion: null, owner }))
      return { id, version, expires, payload }
    }

    /** A record of a fresh id whose time was up before this answers. */
    const beginExpired = async (owner?: string) => {
      const id = newId()
      const expires = Date.now() + 150
      const { version } = won(await store.write(id, bytes('short'), { expires, ifVersion: null, owner }))
      await past(expires)
      return { id, version }
    }

    const expectGone = async (id: string) => {
      expect(await store.read(id)).toBeUndefined()
      expect(await other.read(id)).toBeUndefined()
    }

    /** A moved expiry may reach other clients a little later. */
    const expectMoved = async (id: string, record: object) => {
      expect(plain(await store.read(id))).toEqual(record)
      await vi.waitFor(async () => expect(plain(await other.read(id))).toEqual(record), SOON)
    }
    const expectEnded = async (id: string) => {
      expect(await store.read(id)).toBeUndefined()
      await vi.waitFor(async () => expect(await other.read(id)).toBeUndefined(), SOON)
    }

    describe('reading and writing', () => {
      it('has no record under an id that was never written', async () => {
        await expectGone(newId())
      })

      it('reads back the payload, version and expiry that were written', async () => {
        const { id, ...record } = await begin(bytes('hello'))
        expect(plain(await store.read(id))).toEqual(record)
      })

      it('shows an acknowledged write to every other client at once', async () => {
        for (let round = 0; round < 20; round++) {
          const { id, ...record } = await begin(bytes(`round ${round}`))
          expect(plain(await other.read(id))).toEqual(record)
          const next = won(
            await other.write(id, bytes('changed'), { expires: record.expires, ifVersion: record.version }),
          )
          expect(plain(await store.read(id))).toEqual({ ...record, ...next, payload: bytes('changed') })
        }
      })

      it('replaces payload and expiry when the version is still the one that was read', async () => {
        const { id, version } = await begin()
        const expires = inAMinute() + 1234
        const result = won(await store.write(id, bytes('second'), { expires, ifVersion: version }))
        expect(plain(await store.read(id))).toEqual({
          payload: bytes('second'),
          version: result.version,
          expires,
        })
      })

      it('keeps an expiry as late as the end of the year 9999 to the millisecond', async () => {
        const id = newId()
        const expires = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
        won(await store.write(id, bytes('late'), { expires, ifVersion: null }))
        expect((await store.read(id))?.expires).toBe(expires)
      })

      it('deletes a record for all clients', async () => {
        const { id } = await begin()
        await store.delete(id)
        await expectGone(id)
      })

      it('takes deleting what is gone for granted', async () => {
        const { id } = await begin()
        await store.delete(id)
        await store.delete(id)
        await store.delete(newId())
        await expectGone(id)
      })
    })

    describe('payloads', () => {
      it.each([0, 1, 63, 64, 65, 240, 4096, 65_535, 65_536, 1024 * 1024])(
        'keeps %i bytes',
        async (length) => {
          const payload = new Uint8Array(randomBytes(length))
          const { id } = await begin(payload)
          expect(same((await store.read(id))?.payload, payload)).toBe(true)
          expect(same((await other.read(id))?.payload, payload)).toBe(true)
        },
      )

      it('keeps every value that a byte can have, in order', async () => {
        const payload = Uint8Array.from({ length: 512 }, (_, at) => at & 255)
        const { id } = await begin(payload)
        expect(plain(await store.read(id)).payload).toEqual(payload)
      })

      it('grows and shrinks with every write', async () => {
        let { id, version } = await begin(new Uint8Array(0))
        for (const length of [10, 100_000, 0, 3000, 1, 300_000, 17]) {
          const payload = new Uint8Array(randomBytes(length))
          const written = await store.write(id, payload, { expires: inAMinute(), ifVersion: version })
          version = won(written).version
          expect(same((await store.read(id))?.payload, payload)).toBe(true)
        }
      })

      it('writes the bytes of a view, not those around it', async () => {
        const around = Uint8Array.from({ length: 100 }, (_, at) => at)
        const { id } = await begin(around.subarray(40, 60))
        expect(plain(await store.read(id)).payload).toEqual(around.slice(40, 60))
        const inABuffer = await begin(Buffer.from(around.buffer, 10, 5))
        expect(plain(await store.read(inABuffer.id)).payload).toEqual(around.slice(10, 15))
      })

      it('has its own copy of what was written once it has answered', async () => {
        const payload = bytes('as it was written')
        const { id } = await begin(payload)
        payload.fill(0)
        expect(plain(await store.read(id)).payload).toEqual(bytes('as it was written'))
      })

      it('never changes the bytes that it once handed out', async () => {
        const { id, version } = await begin(bytes('first'))
        const kept = (await store.read(id))!
        won(await store.write(id, bytes('other'), { expires: inAMinute(), ifVersion: version }))
        await store.read(id)
        await store.delete(id)
        await Promise.all(range(50).map((n) => begin(bytes(`noise${n}`))))
        expect(plain(kept).payload).toEqual(bytes('first'))
      })

      it('keeps the bytes of many reads apart', async () => {
        const written = await Promise.all(range(100).map((n) => begin(bytes(`record ${n}`))))
        const read: Array<StoredRecord | undefined> = []
        for (const { id } of written) read.push(await store.read(id))
        expect(read.map((record) => plain(record).payload)).toEqual(written.map(({ payload }) => payload))
      })
    })

    describe('ids', () => {
      it.each(ODD_IDS)('takes %j as an id', async (id) => {
        won(await store.write(id, bytes(id), { expires: inAMinute(), ifVersion: null, owner: id }))
        expect(plain(await other.read(id)).payload).toEqual(bytes(id))
        expect(await store.list!()).toContain(id)
        expect((await store.readOwned!(id)).map((owned) => owned.id)).toEqual([id])
        await store.touch(id, inAMinute() + 5)
        expect(plain(await store.read(id)).payload).toEqual(bytes(id))
        await store.delete(id)
        await expectGone(id)
        expect(await store.readOwned!(id)).toEqual([])
      })

      it('tells ids apart that only look alike', async () => {
        const base = newId()
        const ids = LOOK_ALIKES.map((suffix) => base + suffix)
        for (const id of ids) {
          won(await store.write(id, bytes(id), { expires: inAMinute(), ifVersion: null }))
        }
        for (const id of ids) expect(plain(await store.read(id)).payload).toEqual(bytes(id))
        await store.delete(ids[0]!)
        for (const id of ids.slice(1)) expect(plain(await store.read(id)).payload).toEqual(bytes(id))
      })

      it('tells owners apart that only look alike', async () => {
        const base = newId()
        const owners = LOOK_ALIKES.map((suffix) => base + suffix)
        const begun = await Promise.all(owners.map((owner) => begin(bytes(owner), owner)))
        for (const [at, owner] of owners.entries()) {
          expect((await store.readOwned!(owner)).map(({ id }) => id)).toEqual([begun[at]!.id])
        }
        expect(await store.deleteOwned!(owners[0]!)).toBe(1)
        for (const owner of owners.slice(1)) expect(await store.readOwned!(owner)).toHaveLength(1)
      })
    })

    describe('compare-and-set', () => {
      it('makes a record only where there is none', async () => {
        const { id, ...first } = await begin()
        const refused = lost(await other.write(id, bytes('x'), { expires: inAMinute() + 9, ifVersion: null }))
        expect(plain(refused.current)).toEqual(first)
        expect(plain(await store.read(id))).toEqual(first)
      })

      it('refuses a version that has been overwritten, and answers what is there now', async () => {
        const { id, version } = await begin()
        const expires = inAMinute() + 77
        const second = won(await other.write(id, bytes('second'), { expires, ifVersion: version }))
        const refused = lost(
          await store.write(id, bytes('late'), { expires: inAMinute(), ifVersion: version }),
        )
        const current = { payload: bytes('second'), version: second.version, expires }
        expect(plain(refused.current)).toEqual(current)
        expect(plain(await store.read(id))).toEqual(current)
      })

      it('accepts the version that came with a refusal', async () => {
        const { id } = await begin()
        const refused = lost(await store.write(id, bytes('x'), { expires: inAMinute(), ifVersion: null }))
        const ifVersion = refused.current!.version
        won(await store.write(id, bytes('again'), { expires: inAMinute(), ifVersion }))
        expect(plain(await store.read(id)).payload).toEqual(bytes('again'))
      })

      it('accepts a version that another client read', async () => {
        const { id } = await begin()
        const ifVersion = (await other.read(id))!.version
        won(await store.write(id, bytes('mine'), { expires: inAMinute(), ifVersion }))
        expect(plain(await other.read(id)).payload).toEqual(bytes('mine'))
      })

      it('never makes a deleted record anew', async () => {
        const { id, version } = await begin()
        await other.delete(id)
        const refused = lost(
          await store.write(id, bytes('back'), { expires: inAMinute(), ifVersion: version }),
        )
        expect(refused.current).toBeUndefined()
        await expectGone(id)
      })

      it('refuses the version of a record that was deleted and made again', async () => {
        const { id, version } = await begin()
        await store.delete(id)
        const again = won(await store.write(id, bytes('another'), { expires: inAMinute(), ifVersion: null }))
        const refused = lost(
          await store.write(id, bytes('back'), { expires: inAMinute(), ifVersion: version }),
        )
        expect(plain(refused.current)).toMatchObject({ payload: bytes('another'), version: again.version })
        expect(plain(await store.read(id)).payload).toEqual(bytes('another'))
      })

      it('never gives two contents of one id the same version, not even across deletes', async () => {
        const id = newId()
        const versions: RecordVersion[] = []
        for (let life = 0; life < 10; life++) {
          let ifVersion: RecordVersion | null = null
          for (let turn = 0; turn < 3; turn++) {
            const payload = bytes(`${life}.${turn}`)
            ifVersion = won(await store.write(id, payload, { expires: inAMinute(), ifVersion })).version
            versions.push(ifVersion)
          }
          await store.delete(id)
        }
        expect(new Set(versions).size).toBe(30)
      })

      it('lets exactly one of many create a record', async () => {
        const id = newId()
        const results = await Promise.all(
          range(64).map(async (n) =>
            (n % 2 ? other : store).write(id, bytes(`writer ${n}`), {
              expires: inAMinute(),
              ifVersion: null,
            }),
          ),
        )
        const winner = results.findIndex(({ ok }) => ok)
        expect(results.filter(({ ok }) => ok)).toHaveLength(1)
        expect(plain(await store.read(id)).payload).toEqual(bytes(`writer ${winner}`))
        for (const result of results) {
          if (!result.ok) expect(plain(result.current).payload).toEqual(bytes(`writer ${winner}`))
        }
      })

      it('lets exactly one of many replace a version', async () => {
        let { id, version } = await begin()
        for (let round = 0; round < 5; round++) {
          const results: WriteResult[] = await Promise.all(
            range(32).map(async (n) =>
              (n % 2 ? other : store).write(id, bytes(`writer ${round} ${n}`), {
                expires: inAMinute(),
                ifVersion: version,
              }),
            ),
          )
          const winner = results.findIndex(({ ok }) => ok)
          expect(results.filter(({ ok }) => ok)).toHaveLength(1)
          version = won(results[winner]!).version
          expect(plain(await store.read(id))).toMatchObject({
            payload: bytes(`writer ${round} ${winner}`),
            version,
          })
        }
      })

      it('loses no increment of many concurrent counters', async () => {
        const { id } = await begin(bytes('0'))
        const increment = async (client: RecordStore) => {
          let now = (await client.read(id))!
          for (;;) {
            const next = bytes(String(Number(text(now.payload)) + 1))
            const result = await client.write(id, next, { expires: inAMinute(), ifVersion: now.version })
            if (result.ok) return
            now = result.current!
          }
        }
        await Promise.all(
          range(16).map(async (n) => {
            for (let turn = 0; turn < 10; turn++) await increment(n % 2 ? other : store)
          }),
        )
        expect(text((await store.read(id))!.payload)).toBe('160')
      })

      it('ends without a record whenever a write and a delete meet', async () => {
        for (let round = 0; round < 25; round++) {
          const { id, version } = await begin()
          const write = async () =>
            store.write(id, bytes('slow'), { expires: inAMinute(), ifVersion: version })
          const remove = async () => other.delete(id)
          await Promise.all(round % 2 ? [write(), remove()] : [remove(), write()])
          await expectGone(id)
        }
      })

      it('keeps the records of concurrent writers apart', async () => {
        const begun = await Promise.all(range(200).map((n) => begin(new Uint8Array(randomBytes(1 + n * 7)))))
        for (const { id, ...record } of begun) expect(plain(await other.read(id))).toEqual(record)
      })
    })

    describe('expiry', () => {
      it('counts a record whose time is up as none', async () => {
        const { id } = await beginExpired()
        await expectGone(id)
      })

      it('makes a record anew, under a new version, where an expired one was', async () => {
        const { id, version } = await beginExpired()
        const expires = inAMinute()
        const again = won(await store.write(id, bytes('new'), { expires, ifVersion: null }))
        expect(again.version).not.toBe(version)
        expect(plain(await other.read(id))).toEqual({
          payload: bytes('new'),
          version: again.version,
          expires,
        })
      })

      it('refuses to write to an expired record as to one that is gone', async () => {
        const { id, version } = await beginExpired()
        const refused = lost(
          await store.write(id, bytes('late'), { expires: inAMinute(), ifVersion: version }),
        )
        expect(refused.current).toBeUndefined()
        await expectGone(id)
      })

      it('never brings an expired record back by touching it', async () => {
        const { id } = await beginExpired()
        await store.touch(id, inAMinute())
        await expectGone(id)
        expect(await store.read(id, inAMinute())).toBeUndefined()
        await expectGone(id)
      })

      it('takes a record that is written with an expiry in the past as gone', async () => {
        const { id, version } = await begin()
        won(await store.write(id, bytes('over'), { expires: Date.now() - 1000, ifVersion: version }))
        await expectGone(id)
        const fresh = newId()
        won(await store.write(fresh, bytes('over'), { expires: Date.now() - 1000, ifVersion: null }))
        await expectGone(fresh)
      })

      it('ends a record by a write that brings the expiry forward', async () => {
        const { id, version } = await begin()
        const expires = Date.now() + 150
        won(await store.write(id, bytes('short'), { expires, ifVersion: version }))
        await past(expires)
        await expectGone(id)
      })

      it('keeps a record past its first expiry once a write has moved it', async () => {
        const id = newId()
        const expires = Date.now() + 300
        const { version } = won(await store.write(id, bytes('first'), { expires, ifVersion: null }))
        won(await store.write(id, bytes('second'), { expires: inAMinute(), ifVersion: version }))
        await past(expires)
        expect(plain(await store.read(id)).payload).toEqual(bytes('second'))
      })
    })

    describe('touch', () => {
      it('moves the expiry later, keeping payload and version', async () => {
        const { id, ...record } = await begin()
        const expires = record.expires + 3_600_000
        await store.touch(id, expires)
        await expectMoved(id, { ...record, expires })
      })

      it('moves the expiry earlier, too', async () => {
        const { id, ...record } = await begin()
        const expires = record.expires - 20_000
        await store.touch(id, expires)
        await expectMoved(id, { ...record, expires })
      })

      it('ends a record by a touch into the past', async () => {
        const { id } = await begin()
        await store.touch(id, Date.now() - 1000)
        await expectEnded(id)
      })

      it('keeps a record past its first expiry', async () => {
        const id = newId()
        const expires = Date.now() + 300
        won(await store.write(id, bytes('kept'), { expires, ifVersion: null }))
        await store.touch(id, inAMinute())
        await past(expires)
        expect(plain(await store.read(id)).payload).toEqual(bytes('kept'))
      })

      it('neither fails on what is gone nor makes it', async () => {
        const { id } = await begin()
        await other.delete(id)
        await store.touch(id, inAMinute())
        await expectGone(id)
        const never = newId()
        await store.touch(never, inAMinute())
        await expectGone(never)
      })

      it('leaves a version that was read before it valid', async () => {
        const { id, version } = await begin()
        await other.touch(id, inAMinute() + 5000)
        won(await store.write(id, bytes('after'), { expires: inAMinute(), ifVersion: version }))
      })

      it('loses neither a write nor a delete that it meets', async () => {
        for (let round = 0; round < 25; round++) {
          const { id, version } = await begin()
          const [written] = await Promise.all([
            (async () => store.write(id, bytes('written'), { expires: inAMinute(), ifVersion: version }))(),
            (async () => other.touch(id, inAMinute() + 1000))(),
          ])
          expect(plain(await store.read(id))).toMatchObject({
            payload: bytes('written'),
            version: won(written).version,
          })
          await Promise.all([
            (async () => store.delete(id))(),
            (async () => other.touch(id, inAMinute()))(),
            (async () => other.read(id, inAMinute()))(),
          ])
          await expectGone(id)
        }
      })
    })

    describe('reading with touchTo', () => {
      it('answers the record with the moved expiry', async () => {
        const { id, ...record } = await begin()
        for (const by of [3_600_000, -20_000, 0]) {
          const expires = record.expires + by
          expect(plain(await store.read(id, expires))).toEqual({ ...record, expires })
          await expectMoved(id, { ...record, expires })
        }
      })

      it('keeps a record past its first expiry', async () => {
        const id = newId()
        const expires = Date.now() + 300
        won(await store.write(id, bytes('kept'), { expires, ifVersion: null }))
        await store.read(id, inAMinute())
        await past(expires)
        expect(plain(await store.read(id)).payload).toEqual(bytes('kept'))
      })

      it('makes nothing where nothing is', async () => {
        const id = newId()
        expect(await store.read(id, inAMinute())).toBeUndefined()
        await expectGone(id)
      })

      it('ends a record by an expiry in the past', async () => {
        const { id } = await begin()
        await store.read(id, Date.now() - 1000)
        await expectEnded(id)
      })
    })

    describe('reading with touchTo and a touchAfter of 30 s', () => {
      let patient: StoreFixture
      beforeAll(async () => {
        patient = await make({ namespace: newNamespace(), touchAfter: 30_000 })
      })
      afterAll(async () => patient?.dispose())

      it('moves an expiry that is further away, and says so', async () => {
        const id = newId()
        const expires = inAMinute()
        won(await patient.store.write(id, bytes('x'), { expires, ifVersion: null }))
        expect((await patient.store.read(id, expires + 40_000))?.expires).toBe(expires + 40_000)
        expect((await patient.store.read(id))?.expires).toBe(expires + 40_000)
        expect((await patient.store.read(id, expires))?.expires).toBe(expires)
        expect((await patient.store.read(id))?.expires).toBe(expires)
      })

      it('answers the expiry that holds, moved or not, when it is closer', async () => {
        const id = newId()
        const expires = inAMinute()
        won(await patient.store.write(id, bytes('x'), { expires, ifVersion: null }))
        const answered = (await patient.store.read(id, expires + 10_000))?.expires
        expect([expires, expires + 10_000]).toContain(answered)
        expect((await patient.store.read(id))?.expires).toBe(answered)
      })

      it('always moves the expiry when told to touch', async () => {
        const id = newId()
        const expires = inAMinute()
        won(await patient.store.write(id, bytes('x'), { expires, ifVersion: null }))
        await patient.store.touch(id, expires + 1)
        expect((await patient.store.read(id))?.expires).toBe(expires + 1)
      })
    })

    describe('all records', () => {
      let fixture: StoreFixture
      let neighbour: StoreFixture
      let store: RecordStore
      beforeAll(async () => {
        fixture = await make({ namespace: newNamespace(), touchAfter: 0 })
        neighbour = await make({ namespace: newNamespace(), touchAfter: 0 })
        store = fixture.store
      })
      afterAll(async () => {
        await fixture?.dispose()
        await neighbour?.dispose()
      })

      const fill = async (ids: readonly string[], expires = inAMinute()) => {
        for (let at = 0; at < ids.length; at += 100) {
          const hundred = ids.slice(at, at + 100)
          await Promise.all(
            hundred.map(async (id) => won(await store.write(id, bytes(id), { expires, ifVersion: null }))),
          )
        }
      }

      it('has nothing to list or count at first', async () => {
        expect(await store.list!()).toEqual([])
        expect(await store.count!()).toBe(0)
      })

      it('lists and counts 2,500 live records, each once, and clears them', async () => {
        const ids = range(2500).map(newId)
        await fill(ids)
        expect((await store.list!()).sort()).toEqual([...ids].sort())
        expect(await store.count!()).toBe(2500)
        await Promise.all(ids.slice(0, 10).map(async (id) => store.delete(id)))
        expect((await store.list!()).sort()).toEqual(ids.slice(10).sort())
        expect(await store.count!()).toBe(2490)
        await store.clear!()
        expect(await store.list!()).toEqual([])
        expect(await store.count!()).toBe(0)
        for (const id of ids.slice(0, 20)) expect(await store.read(id)).toBeUndefined()
      })

      it('neither lists nor counts expired records', async () => {
        await store.clear!()
        const expires = Date.now() + 300
        const live = [newId(), newId()]
        await fill(live)
        await fill([newId(), newId(), newId()], expires)
        await past(expires)
        expect((await store.list!()).sort()).toEqual(live.sort())
        expect(await store.count!()).toBe(2)
      })

      it('clears its own records and owners, and nothing else', async () => {
        const [id, neighbours] = [newId(), newId()]
        const written = await store.write(id, bytes('a'), {
          expires: inAMinute(),
          ifVersion: null,
          owner: 'ann',
        })
        won(
          await neighbour.store.write(neighbours, bytes('b'), {
            expires: inAMinute(),
            ifVersion: null,
            owner: 'ann',
          }),
        )
        await store.clear!()
        expect(await store.readOwned!('ann')).toEqual([])
        expect(await neighbour.store.list!()).toEqual([neighbours])
        expect((await neighbour.store.readOwned!('ann')).map((owned) => owned.id)).toEqual([neighbours])
        const refused = lost(
          await store.write(id, bytes('back'), {
            expires: inAMinute(),
            ifVersion: won(written).version,
          }),
        )
        expect(refused.current).toBeUndefined()
      })

      it('starts anew after a clear', async () => {
        await store.clear!()
        const id = newId()
        won(await store.write(id, bytes('new'), { expires: inAMinute(), ifVersion: null, owner: 'bob' }))
        expect(await store.list!()).toEqual([id])
        expect(await store.readOwned!('bob')).toHaveLength(1)
      })
    })

    describe('owners', () => {
      const ownedIds = async (owner: string) => (await store.readOwned!(owner)).map(({ id }) => id).sort()

      it('knows no record of an owner who has none', async () => {
        const owner = newId()
        expect(await store.readOwned!(owner)).toEqual([])
        expect(await store.deleteOwned!(owner)).toBe(0)
      })

      it('reads exactly the records of an owner, from every client', async () => {
        const owner = newId()
        const first = await begin(bytes('1'), owner)
        const second = await begin(bytes('2'), owner)
        await begin(bytes('3'), newId())
        await begin(bytes('4'))
        for (const client of [store, other]) {
          const owned = await client.readOwned!(owner)
          expect(new Map(owned.map(({ id, record }) => [id, plain(record)]))).toEqual(
            new Map([first, second].map(({ id, ...record }) => [id, record])),
          )
        }
      })

      it('forgets a record that is deleted', async () => {
        const owner = newId()
        const { id } = await begin(bytes('1'), owner)
        const kept = await begin(bytes('2'), owner)
        await store.delete(id)
        expect(await ownedIds(owner)).toEqual([kept.id])
      })

      it('lists no record whose time is up, and does not count it as deleted', async () => {
        const owner = newId()
        await beginExpired(owner)
        const live = await begin(bytes('live'), owner)
        expect(await ownedIds(owner)).toEqual([live.id])
        expect(await store.deleteOwned!(owner)).toBe(1)
      })

      it('still lists a record that was touched past its first expiry', async () => {
        const owner = newId()
        const [touched, read] = [newId(), newId()]
        const expires = Date.now() + 300
        for (const id of [touched, read]) {
          won(await store.write(id, bytes(id), { expires, ifVersion: null, owner }))
        }
        await store.touch(touched, inAMinute())
        await store.read(read, inAMinute())
        await past(expires)
        expect(await ownedIds(owner)).toEqual([touched, read].sort())
      })

      it('still lists a lasting record after a shorter one of the same owner has ended', async () => {
        const owner = newId()
        const lasting = await begin(bytes('lasting'), owner)
        await beginExpired(owner)
        expect(await ownedIds(owner)).toEqual([lasting.id])
      })

      it('moves a record to the owner of the last write', async () => {
        const [ann, bob] = [newId(), newId()]
        const { id, version, expires } = await begin(bytes('1'), ann)
        won(await store.write(id, bytes('2'), { expires, ifVersion: version, owner: bob }))
        expect(await ownedIds(ann)).toEqual([])
        expect(await ownedIds(bob)).toEqual([id])
        expect(await store.deleteOwned!(ann)).toBe(0)
        expect(plain(await store.read(id)).payload).toEqual(bytes('2'))
      })

      it('gives a record of nobody to the owner of the last write', async () => {
        const owner = newId()
        const { id, version, expires } = await begin()
        won(await store.write(id, bytes('2'), { expires, ifVersion: version, owner }))
        expect(await ownedIds(owner)).toEqual([id])
      })

      it('takes a record from its owner when a write names none', async () => {
        const owner = newId()
        const { id, version, expires } = await begin(bytes('1'), owner)
        won(await store.write(id, bytes('2'), { expires, ifVersion: version }))
        expect(await ownedIds(owner)).toEqual([])
        expect(await store.deleteOwned!(owner)).toBe(0)
        expect(await store.read(id)).toBeDefined()
      })

      it('leaves the owner alone when a write is refused', async () => {
        const [ann, bob] = [newId(), newId()]
        const { id, expires } = await begin(bytes('1'), ann)
        lost(await store.write(id, bytes('2'), { expires, ifVersion: null, owner: bob }))
        expect(await ownedIds(ann)).toEqual([id])
        expect(await ownedIds(bob)).toEqual([])
      })

      it('gives the place of an expired record to the new owner', async () => {
        const [ann, bob] = [newId(), newId()]
        const { id } = await beginExpired(ann)
        won(await store.write(id, bytes('2'), { expires: inAMinute(), ifVersion: null, owner: bob }))
        expect(await ownedIds(ann)).toEqual([])
        expect(await ownedIds(bob)).toEqual([id])
        expect(await store.deleteOwned!(ann)).toBe(0)
      })

      it('gives the place of a deleted record to the new owner', async () => {
        const [ann, bob] = [newId(), newId()]
        const { id } = await begin(bytes('1'), ann)
        await store.delete(id)
        won(await store.write(id, bytes('2'), { expires: inAMinute(), ifVersion: null, owner: bob }))
        expect(await ownedIds(ann)).toEqual([])
        expect(await ownedIds(bob)).toEqual([id])
      })

      it('deletes all records of an owner and says how many', async () => {
        const owner = newId()
        const begun = await Promise.all(range(5).map(() => begin(bytes('x'), owner)))
        const stranger = await begin(bytes('y'), newId())
        expect(await store.deleteOwned!(owner)).toBe(5)
        for (const { id } of begun) await expectGone(id)
        expect(await store.readOwned!(owner)).toEqual([])
        expect(await store.read(stranger.id)).toBeDefined()
        expect(await store.deleteOwned!(owner)).toBe(0)
      })

      it('spares the one that is excepted', async () => {
        const owner = newId()
        const begun = await Promise.all(range(4).map(() => begin(bytes('x'), owner)))
        expect(await store.deleteOwned!(owner, begun[2]!.id)).toBe(3)
        expect(await ownedIds(owner)).toEqual([begun[2]!.id])
        expect(await other.read(begun[2]!.id)).toBeDefined()
      })

      it('deletes all of them when the exception is not one of them', async () => {
        const owner = newId()
        await begin(bytes('x'), owner)
        const stranger = await begin(bytes('y'))
        expect(await store.deleteOwned!(owner, stranger.id)).toBe(1)
        expect(await store.deleteOwned!(owner, newId())).toBe(0)
        expect(await store.read(stranger.id)).toBeDefined()
      })

      it('never lets a slower request bring back what was deleted for its owner', async () => {
        const owner = newId()
        const { id, version, expires } = await begin(bytes('1'), owner)
        await other.deleteOwned!(owner)
        const refused = lost(await store.write(id, bytes('2'), { expires, ifVersion: version, owner }))
        expect(refused.current).toBeUndefined()
        await expectGone(id)
        for (let round = 0; round < 10; round++) {
          const racing = await begin(bytes('1'), owner)
          await Promise.all([
            (async () => store.write(racing.id, bytes('2'), { expires, ifVersion: racing.version, owner }))(),
            (async () => other.deleteOwned!(owner))(),
          ])
          await expectGone(racing.id)
          expect(await ownedIds(owner)).toEqual([])
        }
      })

      it('keeps the index whole while many clients write', async () => {
        const owners = range(4).map(newId)
        const begun = await Promise.all(range(40).map(() => begin(bytes('0'))))
        await Promise.all(
          begun.map(async ({ id, version, expires }, n) => {
            let ifVersion = version
            for (let turn = 0; turn < 4; turn++) {
              const client = (n + turn) % 2 ? other : store
              const owner = owners[(n + turn) % 4]!
              const written = await client.write(id, bytes(`${turn}`), { expires, ifVersion, owner })
              ifVersion = won(written).version
            }
          }),
        )
        for (const [at, owner] of owners.entries()) {
          const mine = begun.filter((_, n) => (n + 3) % 4 === at).map(({ id }) => id)
          expect(await ownedIds(owner)).toEqual(mine.sort())
        }
      })

      it('reads and deletes a thousand records of one owner', async () => {
        const owner = newId()
        const ids: string[] = []
        for (let round = 0; round < 10; round++) {
          const begun = await Promise.all(range(100).map(() => begin(bytes('x'), owner)))
          ids.push(...begun.map(({ id }) => id))
        }
        expect(await ownedIds(owner)).toEqual(ids.sort())
        expect(await store.deleteOwned!(owner, ids[500])).toBe(999)
        expect(await ownedIds(owner)).toEqual([ids[500]])
      })
    })

    describe('closing', () => {
      it('leaves the other clients at work', async () => {
        const closing = await make({ namespace: newNamespace(), touchAfter: 0 })
        if (closing.other !== undefined) {
          const id = newId()
          won(await closing.store.write(id, bytes('x'), { expires: inAMinute(), ifVersion: null }))
          await closing.other.close()
          expect(await closing.store.read(id)).toBeDefined()
          won(await closing.store.write(newId(), bytes('y'), { expires: inAMinute(), ifVersion: null }))
        }
        await closing.dispose()
      })
    })
  })
}

/** What a hostile or an unlucky application could use for ids. */
const ODD_IDS = [
  'a',
  'x'.repeat(256),
  'ü'.repeat(256),
  '漢'.repeat(256),
  '😀'.repeat(128),
  '__proto__',
  'constructor',
  'toString',
  'null',
  '0',
  '-1',
  '1e3',
  ' leading and trailing ',
  'a:b:c',
  '{tag}rest',
  '*',
  '[a-z]?',
  '%_%',
  "' OR '1'='1",
  '"quoted" \\ and \\\\',
  '../../etc/passwd',
  '$where',
  'a.b.c',
  '\u00a0\u2028\ufeff',
]

/** Within what other clients see a moved expiry, ms. */
const SOON = { timeout: 5000, interval: 5 }

/** Suffixes that a collation, a padding rule or a pattern could take for one another. */
const LOOK_ALIKES = [
  '',
  ' ',
  '  ',
  'a',
  'A',
  'á',
  'a\u0301',
  '_',
  '%',
  '*',
  '?',
  ':',
  '\\',
  'ss',
  'ß',
  '1',
  '01',
]

function newId(): string {
  return randomBytes(24).toString('base64url')
}

function newNamespace(): string {
  return `t${randomUUID().replaceAll('-', '')}`
}

function inAMinute(): number {
  return Date.now() + 60_000
}

async function past(expires: number): Promise<void> {
  while (Date.now() <= expires + 20) await sleep(expires + 25 - Date.now())
}

function range(length: number): number[] {
  return Array.from({ length }, (_, n) => n)
}

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

function text(payload: Uint8Array): string {
  return new TextDecoder().decode(payload)
}

/** The fields of the contract alone, the payload as a plain Uint8Array: a store may answer with a Buffer. */
function plain(record: StoredRecord | undefined) {
  expect(record).toBeDefined()
  const { payload, version, expires } = record!
  expect(payload).toBeInstanceOf(Uint8Array)
  return { payload: new Uint8Array(payload), version, expires }
}

/** For megabytes, of which a failed toEqual would print every byte. */
function same(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0
}

function won(result: WriteResult): { readonly version: RecordVersion } {
  expect(result.ok).toBe(true)
  return { version: (result as { version: RecordVersion }).version }
}

function lost(result: WriteResult): { readonly current: StoredRecord | undefined } {
  expect(result.ok).toBe(false)
  return result as { current: StoredRecord | undefined }
}
