/** The Lua scripts of the Redis store. Each takes one key, so each runs in any cluster. */

import { hash } from 'node:crypto'
import { INDEXED_UNTIL, KIND, MARK, OWNED_HEADER, TAG, VERSION } from './redis-value.ts'

export interface RedisScript {
  readonly source: string
  /** What EVALSHA calls it by. */
  readonly sha1: string
}

function script(source: string): RedisScript {
  return { source, sha1: hash('sha1', source) }
}

/** The end of a key in ms since the epoch, -1 for none. Before Redis 7: PTTL from the one millisecond it was asked in. */
const EXPIRES = `
local function expires()
  local at = redis.pcall('PEXPIRETIME', KEYS[1])
  if type(at) == 'number' then return at end
  local function now()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
  end
  while true do
    local before = now()
    local left = redis.call('PTTL', KEYS[1])
    if left < 0 then return -1 end
    if now() == before then return before + left end
  end
end
`

/** The header of the record (Lua counts from 1), by the layout of redis-value.ts. */
const HEADER = `
local head = redis.call('GETRANGE', KEYS[1], 0, ${OWNED_HEADER - 1})
local ours = #head >= ${TAG} and head:byte(1) == ${MARK}
local tag = ours and head:sub(${KIND + 1}, ${KIND + 1}) == '+' and head:sub(${TAG + 1}, ${INDEXED_UNTIL})
local indexed = head:sub(${INDEXED_UNTIL + 1}, ${OWNED_HEADER})
local function reaches(time) return (tonumber(indexed) or 0) >= tonumber(time) end
`

/** Answers the value and its end, or nothing. */
export const READ = script(`${EXPIRES}
local value = redis.call('GET', KEYS[1])
return value and {value, expires()}
`)

export const WRITTEN = 1
export const INDEX_FIRST = 2

/**
 * Compare-and-set. ARGV: the version that must be there ('' for none), the value, its end, and how far the index must
 * reach ('' when it is known to). Answers WRITTEN; INDEX_FIRST when the index does not reach that far; else, as READ,
 * what is there. The same command once more, which a client may send after a lost connection, is WRITTEN as well.
 */
export const WRITE = script(`${EXPIRES}${HEADER}
local version = ''
if ours then
  version = head:sub(${VERSION + 1}, ${KIND})
elseif head ~= '' then
  version = redis.sha1hex(redis.call('GET', KEYS[1]))
end
if version == ARGV[1] then
  if ARGV[4] ~= '' and not reaches(ARGV[4]) then return ${INDEX_FIRST} end
  redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
  if ARGV[4] ~= '' then redis.call('SETRANGE', KEYS[1], ${INDEXED_UNTIL}, indexed) end
  return ${WRITTEN}
end
if version == ARGV[2]:sub(${VERSION + 1}, ${KIND}) then return ${WRITTEN} end
return version ~= '' and {redis.call('GET', KEYS[1]), expires()}
`)

/**
 * Moves the end. ARGV: the end, how far the index must reach, and when it was written to just now, the owner's tag and
 * how far it reaches. Answers the tag, and has done nothing, when the index does not reach that far.
 */
export const TOUCH = script(`${HEADER}
if tag and tag == ARGV[3] then
  redis.call('SETRANGE', KEYS[1], ${INDEXED_UNTIL}, ARGV[4])
elseif tag and not reaches(ARGV[2]) then
  return tag
end
redis.call('PEXPIREAT', KEYS[1], ARGV[1])
return false
`)

/** Deletes the record if it belongs to the owner of the tag in ARGV. Answers how many it deleted. */
export const DELETE_OWNED = script(`${HEADER}
return tag == ARGV[1] and redis.call('DEL', KEYS[1]) or 0
`)

/**
 * Puts a record into the index of its owner, a sorted set of ids by the time until which they must be found, and
 * drops those that need not be found any more. ARGV: the id, that time, now.
 */
export const INDEX = script(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[3])
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
redis.call('PEXPIREAT', KEYS[1], redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2])
return false
`)

/** The ids in an index. A script, as reads are: a replica that lags behind would hide sessions from a revocation. */
export const INDEXED = script(`return redis.call('ZRANGE', KEYS[1], 0, -1)`)
