import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import {
  type PostgresClient,
  PostgresRecords,
  type PostgresRecordsOptions,
  postgresMigration,
} from 'fast-session/postgres'
import pg from 'pg'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { recordStoreContract } from '../contract/record-store.ts'
import { connectPostgres, newTable } from '../fixtures/postgres-server.ts'

const pool = await connectPostgres()
const elsewhere = await connectPostgres()

describe.skipIf(pool === undefined)('PostgreSQL', () => {
  const drop = (table: string) => pool!.query(`DROP TABLE IF EXISTS ${pg.escapeIdentifier(table)}`)

  afterAll(async () => {
    await pool!.end()
    await elsewhere!.end()
  })

  recordStoreContract('postgres', async ({ namespace: table, touchAfter }) => {
    const store = new PostgresRecords({ pool: pool!, table, touchAfter })
    const other = new PostgresRecords({ pool: elsewhere!, table, touchAfter })
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

  recordStoreContract('postgres on single connections', async ({ namespace: table, touchAfter }) => {
    const clients = [new pg.Client(pool!.options), new pg.Client(pool!.options)] as const
    for (const client of clients) await client.connect()
    const [store, other] = clients.map((client) => new PostgresRecords({ client, table, touchAfter }))
    return {
      store: store!,
      other: other!,
      async dispose() {
        for (const client of clients) await client.end()
        await drop(table)
      },
    }
  })

  // Where a lost race is an error that undoes the statement, not an update of no row.
  recordStoreContract('postgres, serializable', async ({ namespace: table, touchAfter }) => {
    const strict = new pg.Pool({
      ...pool!.options,
      options: '-c default_transaction_isolation=serializable',
    })
    const store = new PostgresRecords({ pool: strict, table, touchAfter, prepare: false })
    return {
      store,
      async dispose() {
        await strict.end()
        await drop(table)
      },
    }
  })

  describe('the store of PostgreSQL', () => {
    const tables: string[] = []
    const fresh = (table = newTable()) => {
      tables.push(table)
      return table
    }
    const stores: PostgresRecords[] = []
    const open = (options: Omit<PostgresRecordsOptions, 'pool'> = {}) => {
      const store = new PostgresRecords({ pool: pool!, table: fresh(), ...options })
      stores.push(store)
      return store
    }
    const rows = async (table: string) =>
      (await pool!.query(`SELECT count(*)::int AS count FROM ${pg.escapeIdentifier(table)}`)).rows[0].count

    afterEach(async () => {
      for (const store of stores.splice(0)) await store.close()
      for (const table of tables.splice(0)) await drop(table)
    })

    it('makes its table when many processes need it at once', async () => {
      for (let round = 0; round < 5; round++) {
        const table = fresh()
        const pools = await Promise.all(Array.from({ length: 8 }, () => connectPostgres({ max: 2 })))
        const stores = pools.map((own) => new PostgresRecords({ pool: own!, table }))
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
      await expect(store.read('a')).rejects.toMatchObject({ code: '42P01' })
      await pool!.query(postgresMigration({ table }))
      await pool!.query(postgresMigration({ table }))
      expect(await store.read('a')).toBeUndefined()
    })

    it('needs no right to create once the table is there', async () => {
      const table = fresh()
      const role = newTable()
      await pool!.query(`CREATE ROLE ${role} LOGIN; ${postgresMigration({ table })}`)
      await pool!.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${role}`)
      const limited = new pg.Pool({ ...pool!.options, user: role })
      const store = new PostgresRecords({ pool: limited, table })
      expect((await store.write('a', bytes('1'), { expires: inAMinute(), ifVersion: null })).ok).toBe(true)
      await store.clear()
      expect(await store.prune()).toBe(0)
      await limited.end()
      await pool!.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    })

    it.each(['robert"; DROP TABLE students; --', 'Ünïcode', 'with space', 'UPPER', 'select', "it's", 'a.b'])(
      'takes %j as the name of a table and of a schema',
      async (name) => {
        const schema = `${name} ${newTable()}`
        await pool!.query(`CREATE SCHEMA ${pg.escapeIdentifier(schema)}`)
        const store = open({ table: name, schema })
        await store.write('a', bytes('1'), { expires: inAMinute(), ifVersion: null, owner: 'ann' })
        await store.write('a', bytes('2'), { expires: inAMinute(), ifVersion: null })
        expect(await store.list()).toEqual(['a'])
        expect(await store.deleteOwned('ann')).toBe(1)
        await pool!.query(`DROP SCHEMA ${pg.escapeIdentifier(schema)} CASCADE`)
      },
    )

    it.each([
      { pool: undefined },
      { table: '' },
      { table: 'x'.repeat(51) },
      { table: 'nul\0' },
      { table: 5 },
      { schema: '' },
      { touchAfter: -1 },
      { touchAfter: Number.NaN },
      { pruneInterval: 0 },
      { pruneInterval: 'daily' },
      { takeOver: 'session', hashIds: true },
      { takeOver: '' },
    ])('refuses the options %j', (options) => {
      expect(() => new PostgresRecords({ pool: pool!, ...options } as never)).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_OPTION' }),
      )
    })

    it('says what is missing when it is made of nothing, or of a bare pool', () => {
      for (const options of [undefined, pool!]) {
        expect(() => new PostgresRecords(options as never)).toThrow(
          /give a Pool of the package pg as the option pool/,
        )
      }
    })

    it('has ids hashed unless told otherwise', () => {
      expect(open().hashIds).toBe(true)
      expect(open({ hashIds: false }).hashIds).toBe(false)
    })

    it('runs one statement per operation, prepared once per connection', async () => {
      const table = fresh()
      await pool!.query(postgresMigration({ table }))
      const statements: string[] = []
      const client = new pg.Client(pool!.options)
      await client.connect()
      const counted: PostgresClient = {
        query(query) {
          statements.push(query.name!)
          return client.query(query)
        },
      }
      const store = new PostgresRecords({ client: counted, table })
      const operations = async () => {
        const written = await store.write('a', bytes('1'), { expires: inAMinute(), ifVersion: null })
        await store.write('a', bytes('1'), { expires: inAMinute(), ifVersion: null })
        if (!written.ok) throw new Error('not written')
        await store.write('a', bytes('2'), { expires: inAMinute(), ifVersion: written.version })
        await store.write('a', bytes('3'), { expires: inAMinute(), ifVersion: written.version })
        await store.read('a')
        await store.read('a', inAMinute() + 3_600_000)
        await store.touch('a', inAMinute())
        await store.list()
        await store.count()
        await store.readOwned('ann')
        await store.deleteOwned('ann')
        await store.delete('a')
        await store.clear()
      }
      await operations()
      expect(statements).toHaveLength(13)
      await operations()
      const { rows: prepared } = await client.query('SELECT name FROM pg_prepared_statements')
      expect(new Set(statements)).toEqual(new Set(prepared.map(({ name }) => name)))
      await client.end()
    })

    it('finds owners, expired records and ids by index', async () => {
      const table = fresh()
      await pool!.query(postgresMigration({ table }))
      await pool!.query(
        `INSERT INTO ${table} (id, payload, version, expires, owner)
         SELECT 'id' || n, 'x', n, ${Date.now()} + n * 10000, CASE WHEN n % 10 = 0 THEN 'owner' || n END
         FROM generate_series(-100, 20000) AS n`,
      )
      await pool!.query(`ANALYZE ${table}`)
      const plans: string[] = []
      const explaining: PostgresClient = {
        async query({ text, values = [] }) {
          const { rows: plan } = await pool!.query(`EXPLAIN ${text}`, values)
          plans.push(plan.map((row) => row['QUERY PLAN']).join('\n'))
          return { rows: [], rowCount: 0 }
        },
      }
      const store = new PostgresRecords({ pool: explaining, table })
      await store.read('id5', inAMinute())
      await store.write('id5', bytes('x'), { expires: inAMinute(), ifVersion: 1 })
      await store.readOwned('owner10')
      await store.deleteOwned('owner10')
      await store.prune()
      expect(plans).toHaveLength(5)
      for (const plan of plans) expect(plan).not.toContain('Seq Scan')
      for (const plan of plans.slice(2, 4)) expect(plan).toContain(`${table}_owner`)
      expect(plans[4]).toContain(`${table}_expires`)
    })

    it('writes nothing for a read whose expiry is fresh enough', async () => {
      const table = fresh()
      const store = open({ table, touchAfter: 60_000 })
      const expires = Date.now() + 86_400_000
      await store.write('a', bytes('1'), { expires, ifVersion: null })
      const place = async () => (await pool!.query(`SELECT ctid, xmin, xmax FROM ${table}`)).rows
      const before = await place()
      expect(await store.read('a', expires + 59_000)).toMatchObject({ expires })
      expect(await place()).toEqual(before)
      expect(await store.read('a', expires + 61_000)).toMatchObject({ expires: expires + 61_000 })
      expect(await place()).not.toEqual(before)
    })

    it('keeps a session of a few seconds alive, however large touchAfter is', async () => {
      const store = open({ touchAfter: 3_600_000 })
      const expires = Date.now() + 5000
      await store.write('a', bytes('1'), { expires, ifVersion: null })
      expect(await store.read('a', expires + 2000)).toMatchObject({ expires: expires + 2000 })
    })

    it('answers the expiry that holds when many reads move it at once', async () => {
      const store = open({ touchAfter: 60_000 })
      for (let round = 0; round < 20; round++) {
        const expires = Date.now() + 86_400_000
        await store.write(`${round}`, bytes('1'), { expires, ifVersion: null })
        const read = await Promise.all(
          Array.from({ length: 10 }, () => store.read(`${round}`, expires + 100_000)),
        )
        expect(read.map((record) => record?.expires)).toEqual(Array(10).fill(expires + 100_000))
      }
    })

    it('takes versions and expiries as numbers, whatever the pool parses BIGINT to', async () => {
      const own = await connectPostgres({
        types: {
          getTypeParser: ((oid: number, format: 'text') =>
            oid === 20 ? BigInt : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
        },
      })
      const store = new PostgresRecords({ pool: own!, table: fresh() })
      const expires = inAMinute()
      const written = await store.write('a', bytes('1'), { expires, ifVersion: null })
      expect(await store.read('a')).toMatchObject({
        expires,
        version: (written as { version: number }).version,
      })
      expect(await store.count()).toBe(1)
      await own!.end()
    })

    describe('pruning', () => {
      const fill = async (table: string, expired: number, live: number) => {
        await pool!.query(postgresMigration({ table }))
        await pool!.query(
          `INSERT INTO ${table} (id, payload, version, expires)
           SELECT 'id' || n, 'x', n, CASE WHEN n <= ${expired} THEN ${Date.now()} - n ELSE ${inAMinute()} END
           FROM generate_series(1, ${expired + live}) AS n`,
        )
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
        const stores = [pool!, elsewhere!, pool!].map((own) => new PostgresRecords({ pool: own, table }))
        const deleted = await Promise.all(stores.map((store) => store.prune()))
        const rest = await stores[0]!.prune()
        expect(deleted.reduce((sum, n) => sum + n, rest)).toBe(5000)
        expect(await rows(table)).toBe(7)
      })

      it('waits for nobody', async () => {
        const table = fresh()
        await fill(table, 10, 1)
        const client = await elsewhere!.connect()
        await client.query('BEGIN')
        await client.query(`SELECT FROM ${table} WHERE id = 'id3' FOR UPDATE`)
        expect(await open({ table }).prune()).toBe(9)
        await client.query('ROLLBACK')
        client.release()
      })

      it('goes on in the background until the store is closed', async () => {
        const table = fresh()
        await fill(table, 100, 1)
        const store = open({ table, pruneInterval: 20 })
        while ((await rows(table)) > 1) await sleep(10)
        await store.close()
      })

      it('tells of its failures, and goes on', async () => {
        const table = fresh()
        const errors: Error[] = []
        const store = open({
          table,
          createTable: false,
          pruneInterval: 10,
          onError: (error) => errors.push(error),
        })
        while (errors.length < 2) await sleep(10)
        expect(errors[0]).toMatchObject({ code: '42P01' })
        await fill(table, 100, 1)
        while ((await rows(table)) > 1) await sleep(10)
        await store.close()
      })

      it('lets the process end', async () => {
        const code = `
          import { PostgresRecords } from 'fast-session/postgres'
          new PostgresRecords({ pool: { query: async () => ({ rows: [], rowCount: 0 }) }, pruneInterval: 20 })
        `
        await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code])
      })

      it('warns of failures once where nobody listens', async () => {
        const warned = once(process, 'warning')
        const store = open({ createTable: false, pruneInterval: 10 })
        expect((await warned)[0]).toMatchObject({ code: 'SESSION_PRUNE_FAILED' })
        await store.close()
      })
    })

    it('outlives the connections of its pool', async () => {
      const own = await connectPostgres({ max: 3 })
      const store = new PostgresRecords({ pool: own!, table: fresh() })
      await Promise.all(['a', 'b', 'c'].map((id) => store.read(id)))
      const lost = once(own!, 'error')
      const client = await own!.connect()
      const { rows: me } = await client.query('SELECT pg_backend_pid() AS pid')
      client.release()
      await pool!.query('SELECT pg_terminate_backend($1)', [me[0].pid])
      await lost
      expect((await store.write('a', bytes('1'), { expires: inAMinute(), ifVersion: null })).ok).toBe(true)
      expect(own!.listenerCount('error')).toBe(1)
      await store.close()
      expect(own!.listenerCount('error')).toBe(0)
      await own!.end()
    })
  })
})

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

function inAMinute(): number {
  return Date.now() + 60_000
}
