import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LmdbRecords } from 'fast-session/lmdb'
import { recordStoreContract } from '../contract/record-store.ts'

recordStoreContract('lmdb', async ({ touchAfter }) => {
  const path = await mkdtemp(join(tmpdir(), 'fast-session-lmdb-'))
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
