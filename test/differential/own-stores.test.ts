/**
 * Drives express-session on its kind of store and fast-session on the kinds of its own through the scenarios, and
 * compares all that visitors can see. Scenarios that look into the store, or make it fail, are not for these.
 */
import fastSession, { type SessionStore } from 'fast-session'
import { describe, expect, it } from 'vitest'
import { answeringLater } from '../fixtures/later-records.ts'
import { compareContenders, judge, seen } from './agree.ts'
import { type Contender, express, fast } from './contender.ts'
import { intendedDifferences } from './differences.ts'
import { ownStoreDifferences } from './own-store-differences.ts'
import type { RecordingStore } from './recording-store.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'

/** What answers at once, as the stores of the package have it. */
const kinds: Record<string, () => SessionStore> = {
  'all of it answers at once, as memory': () => new fastSession.MemoryStore(),
  'reading answers at once, as LMDB': () => new fastSession.SessionStore(answeringLater('reads')),
  'nothing answers at once, as Redis': () => new fastSession.SessionStore(answeringLater()),
}

const table = [...intendedDifferences, ...ownStoreDifferences]

const chosen = Object.entries(scenarios).map(
  ([topic, ofTopic]) => [topic, ofTopic.filter((scenario) => !looksIntoStore(scenario))] as const,
)

describe.each(Object.entries(kinds))('stores of which %s', (_kind, open) => {
  const ours = onOwnStore(open)
  for (const [topic, ofTopic] of chosen) {
    describe.skipIf(ofTopic.length === 0)(topic, () => {
      for (const scenario of ofTopic) {
        it(scenario.name, async () => {
          const found = await compareContenders(scenario, express, ours)
          judge(scenario, found.filter(isSeenByVisitors), table)
        })
      }
    })
  }
})

describe('the suite', () => {
  it('has at least 400 scenarios', () => {
    expect(chosen.flatMap(([, ofTopic]) => ofTopic).length).toBeGreaterThanOrEqual(400)
  })

  for (const row of ownStoreDifferences) {
    it(`still shows all of the intended difference "${row.id}"`, () => {
      const seenOfRow = seen.get(row) ?? new Set()
      expect([...row.scenarios, ...row.shows].filter((part) => !seenOfRow.has(part))).toEqual([])
    })
  }
})

/** fast-session, with a store of its own wherever a scenario has its recording store. */
function onOwnStore(open: () => SessionStore): Contender {
  const own = new WeakMap<RecordingStore, SessionStore>()
  const storeFor = (recording: RecordingStore): SessionStore => {
    let store = own.get(recording)
    if (store === undefined) {
      store = open()
      own.set(recording, store)
      recording.plant = (sid, session) => void store?.set(sid, session as object)
    }
    return store
  }
  return {
    ...fast,
    middleware: (options) =>
      fast.middleware(
        isRecording(options.store) ? { ...options, store: storeFor(options.store) as never } : options,
      ),
  }
}

function isRecording(store: unknown): store is RecordingStore {
  return typeof store === 'object' && store !== null && 'plant' in store
}

/** Also by the helpers that scenarios share: they are called with the store. */
function looksIntoStore({ relay, handler, app, steps, options, onError }: Scenario): boolean {
  const functions = [
    app,
    steps,
    options,
    onError,
    ...(typeof handler === 'object' ? Object.values(handler) : [handler]),
  ]
  const text = functions.map(String).join('\n')
  return (
    relay === true ||
    /\bstore\)?\??\.(?!plant\b)\w+/i.test(text) ||
    /\w\(store,|new(Memory)?Store\(/.test(text)
  )
}

function isSeenByVisitors({ at }: { readonly at: string }): boolean {
  return at !== 'asked' && !at.startsWith('data')
}
