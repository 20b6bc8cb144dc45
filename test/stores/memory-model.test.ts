import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MemoryRecords } from '../../src/stores/memory.ts'

/** What a record store in memory would be if memory were free: a Map, whose order is that of use. */
class Model {
  readonly records = new Map<
    string,
    { payload: Uint8Array; version: unknown; expires: number; owner: string | undefined }
  >()

  live(id: string) {
    const record = this.records.get(id)
    if (record === undefined || record.expires > Date.now()) return record
    this.records.delete(id)
    return undefined
  }

  use(id: string): void {
    const record = this.records.get(id)!
    this.records.delete(id)
    this.records.set(id, record)
  }

  ownedBy(owner: string): string[] {
    return [...this.records]
      .filter(([, record]) => record.owner === owner && record.expires > Date.now())
      .map(([id]) => id)
      .sort()
  }
}

describe('the memory store', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['Date'] }))
  afterEach(() => vi.useRealTimers())

  it.each([
    { seed: 1, packFrom: 1000 },
    { seed: 2, packFrom: 1000 },
    { seed: 3, packFrom: 0 },
    { seed: 4, packFrom: 0 },
    { seed: 5, packFrom: 200 },
  ])(
    'does what a Map would do, in 40,000 random steps (seed $seed, packing from $packFrom on)',
    ({ seed, packFrom }) => {
      const below = random(seed)
      const model = new Model()
      const store = new MemoryRecords({ maxEntries: 400 }, packFrom)
      const handedOut: Array<[Uint8Array, Buffer]> = []

      const read = (id: string) => {
        const expected = model.live(id)
        const touchTo = below(3) === 0 ? Date.now() + 5000 : undefined
        const record = store.read(id, touchTo)
        expect(record === undefined).toBe(expected === undefined)
        if (record === undefined || expected === undefined) return
        expected.expires = touchTo ?? expected.expires
        expect(record).toMatchObject({ version: expected.version, expires: expected.expires })
        expect(Buffer.compare(record.payload, expected.payload)).toBe(0)
        model.use(id)
        if (below(20) === 0) handedOut.push([record.payload, Buffer.from(record.payload)])
      }
      const write = (id: string) => {
        const current = model.live(id)
        const ifVersion = below(10) === 0 ? -1 : (current?.version ?? null)
        const payload = randomBytes(below, below(40) === 0 ? below(30_000) : below(500))
        const owner = below(3) === 0 ? `${below(2) === 0 ? 'öwner 漢' : 'owner'} ${below(20)}` : undefined
        const expires = Date.now() + 1 + below(20_000)
        const result = store.write(id, payload, { expires, ifVersion: ifVersion as number | null, owner })
        expect(result.ok).toBe(ifVersion === (current?.version ?? null))
        if (!result.ok) return expect(result.current?.version).toBe(current?.version)
        model.records.delete(id)
        model.records.set(id, { payload, version: result.version, expires, owner })
        if (model.records.size > 400) model.records.delete(model.records.keys().next().value!)
        return undefined
      }
      const touch = (id: string) => {
        const record = model.live(id)
        store.touch(id, Date.now() + 7000)
        if (record === undefined) return
        record.expires = Date.now() + 7000
        model.use(id)
      }
      const remove = (id: string) => {
        store.delete(id)
        model.records.delete(id)
      }
      const readOwned = () => {
        const owner = `owner ${below(20)}`
        const ids = store.readOwned(owner).map(({ id }) => id)
        expect(ids.sort()).toEqual(model.ownedBy(owner))
      }
      const deleteOwned = (id: string) => {
        const owner = `öwner 漢 ${below(20)}`
        const ids = model.ownedBy(owner).filter((owned) => owned !== id)
        expect(store.deleteOwned(owner, id)).toBe(ids.length)
        for (const owned of ids) model.records.delete(owned)
      }

      for (let step = 0; step < 40_000; step++) {
        if (below(20) === 0) vi.setSystemTime(Date.now() + below(300))
        const id = below(7) === 0 ? `漢 ${below(100)}` : `${'x'.repeat(below(3) * 60)}${below(600)}`
        const dice = below(100)
        if (dice < 40) read(id)
        else if (dice < 82) write(id)
        else if (dice < 88) remove(id)
        else if (dice < 93) touch(id)
        else if (dice < 98) readOwned()
        else if (dice < 99) deleteOwned(id)
      }
      for (const [payload, then] of handedOut) expect(Buffer.compare(payload, then)).toBe(0)
      for (const id of model.records.keys()) model.live(id)
      expect(store.list().sort()).toEqual([...model.records.keys()].sort())
      expect(store.count()).toBe(model.records.size)
      store.close()
    },
  )
})

/** Numbers from 0 to below `n`, the same for the same seed. */
function random(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 8) % n
  }
}

function randomBytes(below: (n: number) => number, length: number): Uint8Array {
  return new Uint8Array(length).map((_, at) => (at % 7 === 0 ? below(256) : at))
}
