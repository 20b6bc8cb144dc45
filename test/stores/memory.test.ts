import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MemoryRecords } from '../../src/stores/memory.ts'
import type { RecordVersion } from '../../src/stores/store.ts'
import { recordStoreContract } from '../contract/record-store.ts'

recordStoreContract('memory', async () => {
  const store = new MemoryRecords()
  return { store, dispose: async () => store.close() }
})

recordStoreContract('memory, packed', async () => {
  const store = new MemoryRecords({}, 0)
  return { store, dispose: async () => store.close() }
})

describe('the bounds of the memory store', () => {
  const later = Date.now() + 3_600_000
  const put = (store: MemoryRecords, id: string, length = 10, owner?: string) =>
    store.write(id, new Uint8Array(length).fill(id.charCodeAt(0)), { expires: later, ifVersion: null, owner })

  it('drops the least recently used record past maxEntries', () => {
    const store = new MemoryRecords({ maxEntries: 4 })
    for (const id of ['read', 'touched', 'written', 'unused']) put(store, id)
    store.read('read')
    store.touch('touched', later + 1)
    const { version } = store.read('written')!
    store.write('written', new Uint8Array(5), { expires: later, ifVersion: version })
    put(store, 'new')
    expect(store.list().sort()).toEqual(['new', 'read', 'touched', 'written'])
    put(store, 'newer')
    expect(store.list().sort()).toEqual(['new', 'newer', 'touched', 'written'])
    store.close()
  })

  it('drops the least recently used records past maxBytes, as many as it takes', () => {
    const store = new MemoryRecords({ maxBytes: 10_000 })
    for (const id of ['a', 'b', 'c', 'd', 'e']) put(store, id, 1500)
    put(store, 'large', 5000)
    expect(store.list().sort()).toEqual(['c', 'd', 'e', 'large'])
    expect(store.read('large')!.payload).toHaveLength(5000)
    store.close()
  })

  it('forgets the owner of a record that it drops', () => {
    const store = new MemoryRecords({ maxEntries: 2 })
    for (const id of ['a', 'b', 'c']) put(store, id, 10, 'ann')
    expect(store.readOwned('ann').map(({ id }) => id)).toEqual(expect.arrayContaining(['b', 'c']))
    expect(store.deleteOwned('ann')).toBe(2)
    store.close()
  })

  it('refuses a record that is larger than maxBytes, and keeps the one that is there', () => {
    const store = new MemoryRecords({ maxBytes: 1000 })
    const { version } = put(store, 'a', 900) as { version: number }
    const write = () => store.write('a', new Uint8Array(1001), { expires: later, ifVersion: version })
    expect(write).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTION' }))
    expect(write).toThrow(/raise maxBytes/)
    expect(store.read('a')!.version).toBe(version)
    store.close()
  })

  it.each([
    ['maxEntries', 0],
    ['maxEntries', -1],
    ['maxEntries', 1.5],
    ['maxEntries', Number.NaN],
    ['maxEntries', Number.POSITIVE_INFINITY],
    ['maxEntries', '10'],
    ['maxBytes', 0],
    ['maxBytes', 2 ** 34],
    ['maxBytes', null],
  ])('refuses %s of %s', (name, value) => {
    if (value === null) return expect(() => new MemoryRecords({ [name]: undefined }).close()).not.toThrow()
    expect(() => new MemoryRecords({ [name]: value })).toThrow(
      expect.objectContaining({ name: 'SessionError' }),
    )
    expect(() => new MemoryRecords({ [name]: value })).toThrow(name)
    return undefined
  })
})

describe('the memory store over time', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('lets expired records go within a minute without being asked', () => {
    const store = new MemoryRecords()
    const expires = Date.now() + 10_000
    for (let n = 0; n < 5000; n++) {
      store.write(`short ${n}`, new Uint8Array(20), { expires, ifVersion: null, owner: 'ann' })
      store.write(`long ${n}`, new Uint8Array(20), { expires: expires + 3_600_000, ifVersion: null })
    }
    expect(store.bytes).toBeGreaterThan(10_000 * 20)
    const before = store.bytes
    vi.advanceTimersByTime(80_000)
    expect(store.bytes).toBeLessThan(before * 0.6)
    expect(store.count()).toBe(5000)
    store.close()
  })

  it('gives memory back when records shrink, grow and go', () => {
    const store = new MemoryRecords()
    const expires = Date.now() + 3_600_000
    for (let round = 0; round < 30; round++) {
      for (let n = 0; n < 500; n++) {
        const ifVersion = store.read(`${n}`)?.version ?? null
        store.write(`${n}`, new Uint8Array(100 + ((n * 31 + round * 97) % 900)), { expires, ifVersion })
      }
    }
    expect(store.reserved).toBeLessThan(store.bytes * 1.5 + 100_000)
    for (let n = 0; n < 500; n++) store.delete(`${n}`)
    expect(store.bytes).toBe(0)
    expect(store.reserved).toBeLessThan(100_000)
    store.close()
  })

  it('leaves what a reader was given as it was, however much is written meanwhile', () => {
    const store = new MemoryRecords()
    const expires = Date.now() + 3_600_000
    const payloadOf = (n: number, round: number) => new Uint8Array(100 + n).fill(n * 7 + round)
    const versions: RecordVersion[] = []
    const given: Array<{ payload: Uint8Array; expected: Uint8Array }> = []
    for (let round = 0; round < 40; round++) {
      for (let n = 0; n < 250; n++) {
        const written = store.write(`${n}`, payloadOf(n, round), { expires, ifVersion: versions[n] ?? null })
        if (written.ok) versions[n] = written.version
      }
      // A few each time: a segment of which nobody has anything is written anew.
      const n = round * 6
      given.push({ payload: store.read(`${n}`)!.payload, expected: payloadOf(n, round) })
    }
    for (const { payload, expected } of given) expect(payload).toEqual(expected)
    store.close()
  })
})
