import { MemoryRecords } from '../../src/stores/memory.ts'
import { recordStoreContract } from '../contract/record-store.ts'

recordStoreContract('memory', async ({ touchAfter }) => {
  const store = new MemoryRecords({ touchAfter })
  return { store, dispose: async () => store.close() }
})
