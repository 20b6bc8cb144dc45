import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type MysqlClient, MysqlRecords, type MysqlRecordsOptions, mysqlMigration } from 'fast-session/mysql'
import callbackMysql from 'mysql2'
import mysql from 'mysql2/promise'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { recordStoreContract } from '../contract/record-store.ts'
import { connectMysql, newTable } from '../fixtures/mysql-server.ts'

const pool = await connectMysql()
const elsewhere = await connectMysql()
const uri = process.env['MYSQL_URL'] ?? 'mysql://root@127.0.0.1:3306/test'
const canIsolateSnapshots =
  pool !== undefined &&
  (await pool.query<mysql.RowDataPacket[]>("SHOW VARIABLES LIKE 'innodb_snapshot_isolation'"))[0].length > 0

describe.skipIf(pool === undefined)('MySQL and MariaDB', () => {
  const drop = (table: string) => pool!.query(`DROP TABLE IF EXISTS ${mysql.escapeId(table, true)}`)

  afterAll(async () => {
    await pool!.end()
    await elsewhere!.end()
  })

  recordStoreContract('mysql', async ({ namespace: table, touchAfter }) => {
    const store = new MysqlRecords({ pool: pool!, table, touchAfter })
    const other = new MysqlRecords({ pool: elsewhere!, table, touchAfter })
    return {
      store,
      other,
      async dispose() {
        await store.close()
        await other.close()
        await drop(table)
      },
    }
  })

  // A pool that is set up in every way that could change what rows and counts look like.
  recordStoreContract('mysql behind a pool of its own mind', async ({ namespace: table, touchAfter }) => {
    const own = callbackMysql.createPool({
      uri,
      flags: ['-FOUND_ROWS'],
      supportBigNumbers: true,
      bigNumberStrings: true,
      rowsAsArray: true,
      namedPlaceholders: true,
      dateStrings: true,
      charset: 'LATIN1_SWEDISH_CI',
      typeCast: (field, next) => (field.type === 'BLOB' ? field.string() : next()),
    })
    const store = new MysqlRecords({ pool: own, table, touchAfter, prepare: false })
    return {
      store,
      async dispose() {
        await store.close()
        await drop(table)
        await own.promise().end()
      },
    }
  })

  recordStoreContract('mysql on single connections', async ({ namespace: table, touchAfter }) => {
    const connections = [await mysql.createConnection(uri), callbackMysql.createConnection(uri)] as const
    const store = new MysqlRecords({ pool: connections[0], table, touchAfter })
    const other = new MysqlRecords({ pool: connections[1], table, touchAfter })
    return {
      store,
      other,
      async dispose() {
        await store.close()
        await other.close()
        await drop(table)
        await connections[0].end()
        connections[1].destroy()
      },
    }
  })

  // The default of MariaDB 11.6 and later, where a lost race is an error.
  describe.skipIf(!canIsolateSnapshots)('with the snapshot isolation of MariaDB', () => {
    recordStoreContract('mysql', async ({ namespace: table, touchAfter }) => {
      const strict = mysql.createPool(uri)
      strict.on('connection', (connection) => {
        connection.query('SET SESSION innodb_snapshot_isolation = ON')
      })
      const store = new MysqlRecords({ pool: strict, table, touchAfter })
      return {
        store,
        async dispose() {
          await store.close()
          await drop(table)
          await strict.end()
        },
      }
    })
  })

  describe('the store of MySQL', () => {
    const tables: string[] = []
    const stores: MysqlRecords[] = []
    const fresh = (table = newTable()) => {
      tables.push(table)
      return table
    }
    const open = (options: Partial<MysqlRecordsOptions> = {}) => {
      const store = new MysqlRecords({ pool: pool!, table: fresh(), ...options })
      stores.push(store)
      return store
    }
    const rows = async (table: string) =>
      (await pool!.query<mysql.RowDataPacket[]>(`SELECT COUNT(*) AS count FROM ${table}`))[0][0]!['count']

    afterEach(async () => {
      for (const store of stores.splice(0)) await store.close()
      for (const table of tables.splice(0)) await drop(table)
    })

    it('makes its table when many processes need it at once', async () => {
      for (let round = 0; round < 5; round++) {
        const table = fresh()
        const pools = await Promise.all(Array.from({ length: 8 }, () => connectMysql({ connectionLimit: 2 })))
        const stores = pools.map((own) => open({ pool: own!, table }))
        await Promise.all(
          stores.flatMap((store) =>
            ['a', 'b', 'c'].map((id) =>
              store.write(id, bytes(id), { expires: inAMinute(), ifVersion: null }),
            ),
          ),
        )
        expect((await stores[0]!.list()).sort()).toEqual(['a', 'b', 'c'])
        for (const own of pools) await own!.end()
      }
    })

    it('makes its table again when it is dropped under it', async () => {
      const table = fresh()
      const store = open({ table })
      await store.write('a', bytes('1'), { expires: inAMinute(), ifVersion: null })
      await drop(table)
      expect(await store.read('a')).toBeUndefined()
      expect((await store.write('a', bytes('2'), { expires: inAMinute(), ifVersion: null })).ok).toBe(true)
    })

    it('leaves making the table to a migration where that is wished', async () => {
      const table = fresh()
      const store = open({ table, createTable: false })
      await expect(store.read('a')).rejects.toMatchObject({ code: 'ER_NO_SUCH_TABLE' })
      await pool!.query(mysqlMigration({ table }))
      await pool!.query(mysqlMigration({ table }))
      expect(await store.read('a')).toBeUndefined()
    })

    it.each([
      'robert`; DROP TABLE students; --',
      'Ünïcode',
      'with space',
      'select',
      "it's",
      'a.b',
      'x"y',
      '漢',
    ])('takes %j as the name of a table', async (name) => {
      const store = open({ table: fresh(`${name}${newTable()}`) })
      await store.write('a', bytes('1'), { expires: inAMinute(), ifVersion: null, owner: 'ann' })
      expect(await store.list()).toEqual(['a'])
      expect(await store.deleteOwned('ann')).toBe(1)
    })

    it.each([
      { pool: undefined },
      { pool: {} },
      { table: '' },
      { table: 'x'.repeat(65) },
      { table: 'nul\0' },
      { table: 'space ' },
      { table: '😀' },
      { table: 5 },
      { touchAfter: -1 },
      { pruneInterval: 0 },
    ])('refuses the options %j', (options) => {
      expect(() => new MysqlRecords({ pool: pool!, ...options } as never)).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_OPTION' }),
      )
    })

    it('says what is missing when it is made of nothing', () => {
      expect(() => new MysqlRecords(undefined as never)).toThrow(
        /give a Pool of the package mysql2 as the option pool/,
      )
    })

    it('has ids hashed unless told otherwise', () => {
      expect(open().hashIds).toBe(true)
      expect(open({ hashIds: false }).hashIds).toBe(false)
    })

    it('runs one statement per operation, and a second one only to touch or to say what is there', async () => {
      const table = fresh()
      await pool!.query(mysqlMigration({ table }))
      let statements = 0
      const counted: MysqlClient = {
        execute(statement) {
          statements++
          return pool!.execute(statement as callbackMysql.QueryOptions)
        },
        query: (statement) => pool!.query(statement as callbackMysql.QueryOptions),
      }
      const store = open({ pool: counted, table })
      const cost = async (operation: () => Promise<unknown>) => {
        statements = 0
        await operation()
        return statements
      }
      const expires = Date.now() + 86_400_000
      const written = await store.write('a', bytes('1'), { expires, ifVersion: null })
      if (!written.ok) throw new Error('not written')
      expect(await cost(() => store.write('b', bytes('1'), { expires, ifVersion: null }))).toBe(1)
      const replace = () => store.write('a', bytes('2'), { expires, ifVersion: written.version })
      expect(await cost(replace)).toBe(1)
      expect(await cost(replace)).toBe(2)
      expect(await cost(() => store.read('a'))).toBe(1)
      expect(await cost(() => store.read('a', expires + 1000))).toBe(1)
      expect(await cost(() => store.read('a', expires + 100_000))).toBe(2)
      expect(await cost(() => store.touch('a', expires))).toBe(1)
      expect(await cost(() => store.list())).toBe(1)
      expect(await cost(() => store.count())).toBe(1)
      expect(await cost(() => store.readOwned('ann'))).toBe(1)
      expect(await cost(() => store.deleteOwned('ann'))).toBe(1)
      expect(await cost(() => store.delete('a'))).toBe(1)
      expect(await cost(() => store.clear())).toBe(1)
    })

    it('finds ids, owners and expired records by index', async () => {
      const table = fresh()
      await pool!.query(mysqlMigration({ table }))
      const rows = Array.from({ length: 3000 }, (_, n) => [
        `id${n}`,
        'x',
        n,
        Date.now() + (n - 50) * 1000,
        n % 10 ? null : `o${n}`,
      ])
      await pool!.query(`INSERT INTO ${table} (id, payload, version, expires, owner) VALUES ?`, [rows])
      await pool!.query(`ANALYZE TABLE ${table}`)
      const keys: unknown[] = []
      const explaining: MysqlClient = {
        async execute(statement) {
          const explain = { ...statement, sql: `EXPLAIN ${statement.sql}` } as callbackMysql.QueryOptions
          const [plan] = await pool!.execute<mysql.RowDataPacket[]>(explain)
          keys.push(plan[0]!['key'])
          return [[], []]
        },
        query: () => Promise.reject(new Error('not expected')),
      }
      const store = open({ pool: explaining, table })
      await store.read('id99')
      await store.touch('id99', inAMinute())
      await store.readOwned('o10')
      await store.deleteOwned('o10')
      await store.prune()
      expect(keys).toEqual(['PRIMARY', 'PRIMARY', 'owner', 'owner', 'expires'])
    })

    it('reads payloads as bytes through clients that make text of BLOBs', async () => {
      const config: callbackMysql.PoolOptions = {
        uri,
        typeCast: (field, next) => (field.type === 'BLOB' ? field.string() : next()),
      }
      const pools = [mysql.createPool(config), callbackMysql.createPool(config)] as const
      const connections = [
        await mysql.createConnection(config),
        callbackMysql.createConnection(config),
      ] as const
      const table = fresh()
      const payload = Uint8Array.from({ length: 256 }, (_, n) => n)
      for (const [n, client] of [...pools, ...connections].entries()) {
        const store = open({ pool: client, table })
        await store.write(`${n}`, payload, { expires: inAMinute(), ifVersion: null })
        expect(new Uint8Array((await store.read(`${n}`))!.payload)).toEqual(payload)
      }
      await pools[0].end()
      await pools[1].promise().end()
      await connections[0].end()
      connections[1].destroy()
    })

    it('keeps a session of a few seconds alive, however large touchAfter is', async () => {
      const store = open({ touchAfter: 3_600_000 })
      const expires = Date.now() + 5000
      await store.write('a', bytes('1'), { expires, ifVersion: null })
      await store.read('a', expires + 2000)
      expect(await store.read('a')).toMatchObject({ expires: expires + 2000 })
    })

    describe('pruning', () => {
      const fill = async (table: string, expired: number, live: number) => {
        await pool!.query(mysqlMigration({ table }))
        const rows = Array.from({ length: expired + live }, (_, n) => [
          `id${n}`,
          'x',
          n,
          n < expired ? Date.now() - n : inAMinute(),
        ])
        await pool!.query(`INSERT INTO ${table} (id, payload, version, expires) VALUES ?`, [rows])
      }

      it('deletes what has expired, and nothing else', async () => {
        const table = fresh()
        await fill(table, 2500, 7)
        expect(await open({ table }).prune()).toBe(2500)
        expect(await rows(table)).toBe(7)
      })

      it('shares the work with other processes', async () => {
        const table = fresh()
        await fill(table, 5000, 7)
        const stores = [pool!, elsewhere!, pool!].map((own) => open({ pool: own, table }))
        const deleted = await Promise.all(stores.map((store) => store.prune()))
        const rest = await stores[0]!.prune()
        expect(deleted.reduce((sum, n) => sum + n, rest)).toBe(5000)
        expect(await rows(table)).toBe(7)
      })

      it('does not keep new sessions out', async () => {
        const table = fresh()
        await fill(table, 100, 1)
        const pruner = await elsewhere!.getConnection()
        await pruner.query('BEGIN')
        const store = open({ pool: pruner, table })
        expect(await store.prune()).toBe(100)
        const meanwhile = await open({ table }).write('new', bytes('x'), {
          expires: Date.now() + 1000,
          ifVersion: null,
        })
        expect(meanwhile.ok).toBe(true)
        await pruner.query('COMMIT')
        pruner.release()
      })

      it('goes on in the background until the store is closed', async () => {
        const table = fresh()
        await fill(table, 100, 1)
        open({ table, pruneInterval: 20 })
        while ((await rows(table)) > 1) await sleep(10)
      })

      it('tells of its failures, and goes on', async () => {
        const table = fresh()
        const errors: Error[] = []
        open({ table, createTable: false, pruneInterval: 10, onError: (error) => errors.push(error) })
        while (errors.length < 2) await sleep(10)
        expect(errors[0]).toMatchObject({ code: 'ER_NO_SUCH_TABLE' })
        await fill(table, 100, 1)
        while ((await rows(table)) > 1) await sleep(10)
      })
    })

    it('outlives the connections of its pool', async () => {
      const own = await connectMysql({ connectionLimit: 3 })
      const store = open({ pool: own! })
      await Promise.all(['a', 'b', 'c'].map((id) => store.read(id)))
      const [processes] = await own!.query<mysql.RowDataPacket[]>('SELECT CONNECTION_ID() AS id')
      await pool!.query(`KILL ${processes[0]!['id']}`)
      let failures = 0
      while (
        !(await store.read('a').then(
          () => true,
          () => false,
        ))
      )
        expect(++failures).toBeLessThan(4)
      await own!.end()
    })

    it('does not end the process when a connection that it was given breaks', async () => {
      const connection = await mysql.createConnection(uri)
      const store = open({ pool: connection })
      await store.read('a')
      const broken = once(connection, 'error')
      await pool!.query(`KILL ${connection.threadId}`)
      await broken
      await expect(store.read('a')).rejects.toThrow()
    })
  })
})

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

function inAMinute(): number {
  return Date.now() + 60_000
}
