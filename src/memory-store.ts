/** The default store: bounded, in the memory of this process. */
import { SessionStore } from './session-store.ts'
import { MemoryRecords, type MemoryRecordsOptions } from './stores/memory.ts'

/** How much a MemoryStore may keep; past it, the least recently used sessions leave. */
export type MemoryStoreOptions = MemoryRecordsOptions

export class MemoryStore extends SessionStore {
  constructor(options?: MemoryStoreOptions) {
    super(new MemoryRecords(options))
  }
}
