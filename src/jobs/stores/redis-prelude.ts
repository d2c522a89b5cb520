/** The words that the scripts in Redis share: where BullMQ keeps what, and how a job moves from one place to the next. */

import { MOST_HISTORY } from './words.ts';

/** Of our own keys, beside BullMQ's: no type is called `#`. */
export function ownPrefix(prefix: string): string {
  return `${prefix}:#:`;
}

/**
 * BullMQ writes a delayed job's time with 12 more bits, and a rank with 32 bits below its priority.
 * @param prefix Of all keys: letters, digits, `.`, `_` and `-` alone, for it stands in Lua.
 */
export function preludeOf(prefix: string): string {
  return `
local OWN = '${ownPrefix(prefix)}'
local call = redis.call
local function keys(type) return '${prefix}:' .. type .. ':' end
local function now() local t = call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000) end
-- Of two {type, BullMQ's priority, seq}.
local function before(a, b) if a[2] ~= b[2] then return a[2] < b[2] end return a[3] < b[3] end
local function typeof(id) return call('HGET', OWN .. 'types', id) or nil end
local function has(list, id) for _, v in ipairs(call('LRANGE', list, 0, -1)) do if v == id then return true end end return false end
local function made(k, id) return tonumber(call('HGET', k .. id, 'atm') or '0') end
local function state(k, id)
  if call('ZSCORE', k .. 'completed', id) then return 'completed' end
  if call('ZSCORE', k .. 'failed', id) then
    return call('SISMEMBER', k .. 'bh-cancelled', id) == 1 and 'cancelled' or 'failed'
  end
  if has(k .. 'active', id) then return 'active' end
  return made(k, id) > 0 and 'retry' or 'created'
end
local function single(k, id)
  local key = call('HGET', k .. id, 'deid')
  return key and (k .. 'de:' .. key) or nil
end
local function freeKey(k, id)
  local key = single(k, id)
  if key and call('GET', key) == id then call('DEL', key) end
end
-- Ended as completed, failed or cancelled: the two last lie in BullMQ's failed.
local function finish(k, id, as)
  local at = now()
  if as == 'cancelled' then call('SADD', k .. 'bh-cancelled', id) end
  call('SREM', k .. 'bh-retrying', id)
  call('HSET', k .. id, 'finishedOn', at)
  call('ZADD', k .. (as == 'completed' and 'completed' or 'failed'), at, id)
  freeKey(k, id)
end
-- Into the line at its old place, or, with a time to come, beside it.
local function enqueue(k, id, at)
  if made(k, id) > 0 then call('SADD', k .. 'bh-retrying', id) else call('SREM', k .. 'bh-retrying', id) end
  if at > now() then
    call('HSET', k .. id, 'bhAt', at)
    call('ZADD', k .. 'delayed', at * 4096, id)
    return
  end
  local rank = tonumber(call('HGET', k .. id, 'bhRank')) or (call('INCR', k .. 'pc') % 4294967296)
  call('ZADD', k .. 'prioritized', tonumber(call('HGET', k .. id, 'priority')) * 4294967296 + rank, id)
end
-- The attempt of an active job is over: in its history, before anything else changes. failure: JSON or ''
local function remember(k, id, how, failure)
  local list = cjson.decode(call('HGET', k .. id, 'bhHistory') or '[]')
  list[#list + 1] = {
    attempt = made(k, id) + 1, startedAt = tonumber(call('HGET', k .. id, 'processedOn') or now()), endedAt = now(),
    ['end'] = how, worker = call('HGET', k .. id, 'bhWorker') or nil, failure = failure ~= '' and failure or nil
  }
  while #list > ${MOST_HISTORY} do table.remove(list, 1) end
  call('HSET', k .. id, 'bhHistory', cjson.encode(list))
end
local function leaveActive(k, id)
  call('DEL', k .. id .. ':lock')
  call('LREM', k .. 'active', 0, id)
  call('SREM', k .. 'stalled', id)
  call('HDEL', k .. id, 'bhUntil')
  local asked = call('HDEL', k .. id, 'bhCancel') == 1
  return asked
end
local function anew(k, id)
  call('ZREM', k .. 'completed', id)
  call('ZREM', k .. 'failed', id)
  call('SREM', k .. 'bh-cancelled', id)
  call('HDEL', k .. id, 'returnvalue', 'failedReason', 'stacktrace', 'finishedOn', 'processedOn', 'progress', 'bhFailure', 'bhWorker', 'bhAt')
  call('HSET', k .. id, 'atm', 0, 'ats', 0)
  call('HINCRBY', k .. id, 'bhRound', 1)
  enqueue(k, id, 0)
end
-- Back, and not charged.
local function putBack(k, id)
  call('HINCRBY', k .. id, 'ats', -1)
  if made(k, id) == 0 then call('HDEL', k .. id, 'processedOn', 'bhWorker') end
  enqueue(k, id, 0)
end
local function drop(k, id)
  freeKey(k, id)
  call('DEL', k .. id, k .. id .. ':logs', k .. id .. ':lock')
  for _, set in ipairs({'completed', 'failed', 'prioritized', 'delayed'}) do call('ZREM', k .. set, id) end
  for _, set in ipairs({'bh-cancelled', 'bh-retrying'}) do call('SREM', k .. set, id) end
  call('HDEL', OWN .. 'types', id)
  call('ZREM', OWN .. 'index', id)
end
local function index(type, id)
  local k = keys(type)
  if call('EXISTS', k .. id) == 0 then return -1 end
  if call('HSETNX', k .. id, 'bhSeq', '0') == 0 then return 0 end
  local seq = call('INCR', OWN .. 'seq')
  call('HSET', k .. id, 'bhSeq', seq)
  call('ZADD', OWN .. 'index', seq, id)
  call('HSET', OWN .. 'types', id, type)
  call('SADD', OWN .. 'known', type)
  local score = call('ZSCORE', k .. 'prioritized', id)
  if score then call('HSET', k .. id, 'bhRank', string.format('%.0f', tonumber(score) % 4294967296)) end
  local due = call('ZSCORE', k .. 'delayed', id)
  if due then call('HSETNX', k .. id, 'bhAt', string.format('%.0f', math.floor(tonumber(due) / 4096))) end
  return 1
end
local function view(type, id)
  local k = keys(type)
  return {id, type, state(k, id), call('HGETALL', k .. id)}
end
`;
}
