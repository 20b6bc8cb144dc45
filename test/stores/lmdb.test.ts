import { type ChildProcess, execFile, fork } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { LmdbRecords } from 'fast-session/lmdb'
import { open } from 'lmdb'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RecordStore } from '../../src/stores/store.ts'
import { recordStoreContract } from '../contract/record-store.ts'

recordStoreContract('lmdb, opened twice in one process', async ({ touchAfter }) => {
  const path = await newDirectory()
  const store = new LmdbRecords({ path, touchAfter })
  const other = new LmdbRecords({ path, touchAfter })
  return {
    store,
    other,
    async dispose() {
      await store.close()
      await other.close()
      await rm(path, { recursive: true })
    },
  }
})

recordStoreContract('lmdb, shared by two processes', async ({ touchAfter }) => {
  const path = await newDirectory()
  const store = new LmdbRecords({ path, touchAfter })
  const child = fork(fixture('lmdb-client.mjs'), [path, String(touchAfter)], { serialization: 'advanced' })
  const other = clientIn(child)
  return {
    store,
    other,
    async dispose() {
      await store.close()
      if (child.connected) await other.close()
      await rm(path, { recursive: true })
    },
  }
})

describe('an LMDB store', () => {
  let path: string
  beforeEach(async () => {
    path = join(await newDirectory(), 'made', 'on demand')
  })
  afterEach(async () => rm(join(path, '..', '..'), { recursive: true }))

  const inAMinute = () => Date.now() + 60_000
  const write = async (store: LmdbRecords, id: string, expires = inAMinute(), owner?: string) =>
    store.write(id, Buffer.from(id), { expires, ifVersion: null, owner })

  it('has its records after a restart, and refuses versions as before', async () => {
    const before = new LmdbRecords({ path })
    const written = await write(before, 'a', inAMinute(), 'ann')
    await before.close()

    const after = new LmdbRecords({ path })
    expect(Buffer.from(after.read('a')!.payload).toString()).toBe('a')
    expect(after.readOwned('ann')).toHaveLength(1)
    const ifVersion = (written as { version: number }).version
    const again = { expires: inAMinute(), ifVersion }
    expect(await after.write('a', Buffer.from('b'), again)).toMatchObject({ ok: true })
    expect(await after.write('a', Buffer.from('c'), again)).toMatchObject({ ok: false })
    await after.close()
  })

  it('keeps the touches that were under way when it was closed', async () => {
    const before = new LmdbRecords({ path })
    await write(before, 'a')
    const expires = inAMinute() + 5000
    before.touch('a', expires)
    await before.close()

    const after = new LmdbRecords({ path })
    expect(after.read('a')!.expires).toBe(expires)
    await after.close()
  })

  it.skipIf(process.platform === 'win32')('lets nobody but its user read the files', async () => {
    const store = new LmdbRecords({ path })
    await write(store, 'a')
    expect((await stat(path)).mode & 0o777).toBe(0o700)
    for (const file of await readdir(path, { recursive: true })) {
      expect((await stat(join(path, file))).mode & 0o077, file).toBe(0)
    }
    await store.close()
  })

  it('removes expired records and their index from disk, and those only', async () => {
    const store = new LmdbRecords({ path, pruneInterval: false })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 300_000 })
    const longAgo = Date.now() + 10
    await Promise.all([
      write(store, 'expired', longAgo, 'ann'),
      write(store, 'expired, of nobody', longAgo),
      write(store, 'kept', Date.now() + 600_000, 'bob'),
      write(store, 'touched', longAgo, 'bob'),
      write(store, 'deleted', longAgo, 'bob'),
    ])
    store.touch('touched', Date.now() + 600_000)
    await store.delete('deleted')
    vi.useRealTimers()
    await write(store, 'ended just now', Date.now() - 1)

    await store.prune()
    expect(onDisk(path)).toEqual({
      records: ['ended just now', 'kept', 'touched'],
      owners: ['kept', 'touched'],
      expiries: ['ended just now', 'kept', 'touched'],
    })
    expect(store.readOwned('bob')).toHaveLength(2)
    expect(await store.count()).toBe(2)
    await store.close()
  })

  it('removes thousands of expired records by itself while two processes prune', async () => {
    const stores = [
      new LmdbRecords({ path, pruneInterval: 20 }),
      new LmdbRecords({ path, pruneInterval: 20 }),
    ]
    const longAgo = Date.now() - 300_000
    await Promise.all(
      Array.from({ length: 2500 }, (_, n) => write(stores[n & 1]!, `${n}`, longAgo, `owner ${n % 7}`)),
    )
    const nothing = { records: [], owners: [], expiries: [] }
    await vi.waitFor(() => expect(onDisk(path)).toEqual(nothing), { timeout: 10_000 })
    for (const store of stores) await store.close()
  })

  it('keeps the process alive no longer than needed', async () => {
    const script = `import { LmdbRecords } from 'fast-session/lmdb'
      const store = new LmdbRecords({ path: process.argv[1] })
      await store.write('a', Buffer.from('a'), { expires: Date.now() + 60_000, ifVersion: null })`
    await run('node', ['--input-type=module', '-e', script, path], { timeout: 10_000 })
    const store = new LmdbRecords({ path })
    expect(store.read('a')).toBeDefined()
    await store.close()
  })

  it.skipIf(process.platform === 'win32')(
    'reports a full disk, keeps what it has acknowledged and goes on when there is room again',
    async () => {
      const script = `import { LmdbRecords } from 'fast-session/lmdb'
        const store = new LmdbRecords({ path: process.argv[1] })
        const write = (id) => store.write(id, Buffer.alloc(10_000), { expires: Date.now() + 60_000, ifVersion: null })
        let written = 0
        let failed = 0
        while (failed < 20) await write(String(written)).then(() => written++, () => failed++)
        let kept = 0
        while (store.read(String(kept))) kept++
        for (let n = 0; n < 10; n++) await store.delete(String(n))
        const { ok } = await write('later')
        await store.close()
        console.log(JSON.stringify({ room: written > 10, lost: written - kept, ok }))`
      const limited = 'ulimit -f 512; exec "$0" --input-type=module -e "$1" "$2"'
      const { stdout } = await run('bash', ['-c', limited, process.execPath, script, path], {
        timeout: 20_000,
      })
      expect(JSON.parse(stdout)).toEqual({ room: true, lost: 0, ok: true })
    },
  )

  it.each([
    [undefined, 'path'],
    [{}, 'path'],
    [{ path: '' }, 'path'],
    [{ path: 7 }, 'path'],
    [{ path: 'x', touchAfter: -1 }, 'touchAfter'],
    [{ path: 'x', touchAfter: Number.NaN }, 'touchAfter'],
    [{ path: 'x', pruneInterval: 0 }, 'pruneInterval'],
    [{ path: 'x', pruneInterval: 2 ** 31 }, 'pruneInterval'],
  ])('refuses the options %j and names %s', (options, name) => {
    expect(() => new LmdbRecords(options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_OPTION', message: expect.stringContaining(name) }),
    )
  })

  it('says what to install when the package lmdb is missing', async () => {
    const alone = await newDirectory()
    await mkdir(join(alone, 'node_modules/fast-session'), { recursive: true })
    for (const part of ['package.json', 'build']) {
      await cp(
        fileURLToPath(new URL(`../../${part}`, import.meta.url)),
        join(alone, 'node_modules/fast-session', part),
        {
          recursive: true,
        },
      )
    }
    for (const dependency of ['cookie', 'lru-cache', '@noble', '@msgpack']) {
      const installed = fileURLToPath(new URL(`../../node_modules/${dependency}`, import.meta.url))
      await symlink(installed, join(alone, 'node_modules', dependency))
    }
    await writeFile(
      join(alone, 'main.mjs'),
      `import { LmdbRecords } from 'fast-session/lmdb'
      try { new LmdbRecords({ path: 'x' }) } catch ({ code, message }) { console.log(code, message) }`,
    )
    const { stdout } = await run(process.execPath, [join(alone, 'main.mjs')])
    await rm(alone, { recursive: true })
    expect(stdout).toMatch(/^ERR_SESSION_OPTION .*npm install lmdb/)
  })
})

const run = promisify(execFile)

async function newDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'fast-session-lmdb-'))
}

function fixture(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

/** The ids in each table, expired or not. */
function onDisk(path: string) {
  const root = open({ path, overlappingSync: false, noSubdir: false })
  const keys = (name: string) =>
    [...root.openDB(name, { encoding: 'binary' }).getKeys()].map((key) => [key].flat().at(-1))
  const tables = {
    records: keys('records').sort(),
    owners: keys('owners').sort(),
    expiries: keys('expiries').sort(),
  }
  root.close()
  return tables
}

/** A store whose methods run in the process `child`. */
function clientIn(child: ChildProcess): RecordStore {
  const calls = new Map<number, { resolve(result: never): void; reject(error: Error): void }>()
  let last = 0
  child.on('message', (answer: { call: number; result: never; error?: Error }) => {
    const { resolve, reject } = calls.get(answer.call)!
    calls.delete(answer.call)
    if (answer.error === undefined) resolve(answer.result)
    else reject(answer.error)
  })
  const remote =
    (method: string) =>
    (...args: unknown[]) =>
      new Promise<never>((resolve, reject) => {
        const call = ++last
        calls.set(call, { resolve, reject })
        child.send({ call, method, args })
      })
  return {
    name: 'lmdb in another process',
    read: remote('read'),
    write: remote('write'),
    touch: remote('touch'),
    delete: remote('delete'),
    close: remote('close'),
    readOwned: remote('readOwned'),
    deleteOwned: remote('deleteOwned'),
  }
}
