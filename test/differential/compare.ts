/** Lists where two outcomes differ, by path, with what each side has there. */
import { Duration, Instant, TOLERANCE } from './normalize.ts'
import type { Outcome } from './run.ts'

export interface Difference {
  /** Where: `responses.0.headers.Content-Length`, `asked`, `notes.user.1`. */
  readonly at: string
  readonly express: unknown
  readonly fast: unknown
}

/** What a side has where it has nothing. */
export const ABSENT = 'absent'

export function differences(express: Outcome, fast: Outcome): Difference[] {
  const found: Difference[] = []
  const { asked, data, ...rest } = express
  // Calls are compared as one list, their data only when the calls are the same: a call more or less is one difference.
  if (asked.join() !== fast.asked.join()) found.push({ at: 'asked', express: asked, fast: fast.asked })
  else compare('data', data, fast.data, found)
  compare('', rest, { responses: fast.responses, errors: fast.errors, notes: fast.notes }, found)
  return found.filter((difference) => !followsFromAnother(difference, found))
}

/** Another body has another length, another status another reason: what follows is not told twice. */
function followsFromAnother({ at, express, fast }: Difference, found: readonly Difference[]): boolean {
  const [, response, field] = /^(responses\.\d+)\.(headers\.Content-Length\.0|reason)$/.exec(at) ?? []
  if (response === undefined || express === ABSENT || fast === ABSENT) return false
  const cause = field === 'reason' ? `${response}.status` : `${response}.body`
  return found.some((other) => other.at.startsWith(cause))
}

function compare(at: string, express: unknown, fast: unknown, found: Difference[]): void {
  if (express instanceof Instant && fast instanceof Instant) {
    if (Math.abs(express.ahead - fast.ahead) > TOLERANCE) found.push({ at, express, fast })
  } else if (express instanceof Duration && fast instanceof Duration) {
    if (Math.abs(express.ms - fast.ms) > TOLERANCE) found.push({ at, express, fast })
  } else if (isContainer(express) && isContainer(fast) && Array.isArray(express) === Array.isArray(fast)) {
    const names = [...new Set([...Object.keys(express), ...Object.keys(fast)])]
    for (const name of names) {
      const inside = at === '' ? name : `${at}.${name}`
      if (!Object.hasOwn(express, name)) found.push({ at: inside, express: ABSENT, fast: fast[name] })
      else if (!Object.hasOwn(fast, name)) found.push({ at: inside, express: express[name], fast: ABSENT })
      else compare(inside, express[name], fast[name], found)
    }
    const [order, theirs] = [Object.keys(express), Object.keys(fast)]
    if (order.length === theirs.length && order.join() !== theirs.join() && names.length === order.length) {
      found.push({ at: `${at} (order)`, express: order, fast: theirs })
    }
  } else if (!Object.is(express, fast)) {
    found.push({ at, express, fast })
  }
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !(value instanceof Instant || value instanceof Duration)
  )
}
