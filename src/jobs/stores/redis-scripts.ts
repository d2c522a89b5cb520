/**
 * What BullMQ has no word for, in Lua on its keys: each script is one step that happens whole. BullMQ adds and hands out;
 * these end, cancel, retry, count and list. A priority is BullMQ's (1 first); fields and keys named `bh…` are ours.
 * All keys are made here, so a Redis Cluster is not for this.
 */

import { ownPrefix, preludeOf } from './redis-prelude.ts';

const SCRIPTS = {
  /** type, id → 1 new, 0 a duplicate, -1 gone */
  bhIndex: `return index(ARGV[1], ARGV[2])`,

  /** now, how many in all, then type and how many of it → the types of the best that may run, in their order */
  bhBest: `
    local all, out = {}, {}
    if call('SISMEMBER', OWN .. 'paused', '') == 1 then return out end
    for n = 3, #ARGV, 2 do
      local type, most = ARGV[n], tonumber(ARGV[n + 1])
      local k, own = keys(type), {}
      if call('SISMEMBER', OWN .. 'paused', type) == 0 then
        local ids = call('ZRANGEBYSCORE', k .. 'delayed', 0, (tonumber(ARGV[1]) + 1) * 4096 - 1, 'LIMIT', 0, 1000)
        for _, id in ipairs(call('ZRANGE', k .. 'prioritized', 0, most - 1)) do ids[#ids + 1] = id end
        for _, id in ipairs(ids) do
          local f = call('HMGET', k .. id, 'priority', 'bhSeq')
          own[#own + 1] = {type, tonumber(f[1] or '0'), tonumber(f[2] or '0')}
        end
        table.sort(own, before)
        for m = 1, math.min(most, #own) do all[#all + 1] = own[m] end
      end
    end
    table.sort(all, before)
    for n = 1, math.min(tonumber(ARGV[2]), #all) do out[n] = all[n][1] end
    return out`,

  /** type, id, token, worker, lease in ms → what was claimed, or nil where it was asked to be cancelled before */
  bhTaken: `
    local k, id = keys(ARGV[1]), ARGV[2]
    if call('GET', k .. id .. ':lock') ~= ARGV[3] then return nil end
    index(ARGV[1], id)
    -- The lease beside it ends; the lock only says whose the attempt is.
    call('PERSIST', k .. id .. ':lock')
    call('SREM', k .. 'bh-retrying', id)
    call('HDEL', k .. id, 'progress', 'bhAt')
    call('HSET', k .. id, 'bhWorker', ARGV[4], 'bhUntil', now() + ARGV[5])
    return call('HGETALL', k .. id)`,

  /** lease in ms, then type, id, token, progress or '' of each → for each -1 lost, 0 ours, 1 ours and to be cancelled */
  bhRenew: `
    local out = {}
    for n = 2, #ARGV, 4 do
      local k, id = keys(ARGV[n]), ARGV[n + 1]
      local ours = call('GET', k .. id .. ':lock') == ARGV[n + 2]
      if ours and ARGV[1] ~= '0' then call('HSET', k .. id, 'bhUntil', now() + ARGV[1]) end
      if ours and ARGV[n + 3] ~= '' then call('HSET', k .. id, 'progress', ARGV[n + 3]) end
      out[#out + 1] = ours and call('HEXISTS', k .. id, 'bhCancel') or -1
    end
    return out`,

  /** type, id, token, end, value or failure as JSON or '', time of the retry, progress or '' → 1, or 0: it was lost */
  bhEnd: `
    local k, id, ends = keys(ARGV[1]), ARGV[2], ARGV[4]
    if call('GET', k .. id .. ':lock') ~= ARGV[3] then return 0 end
    local failure = ends ~= 'completed' and ARGV[5] or ''
    local asked = leaveActive(k, id)
    local how = ends == 'release' and 'released' or ends == 'retry' and 'failed' or ends
    remember(k, id, asked and ends ~= 'completed' and 'cancelled' or how, failure)
    if ARGV[7] ~= '' then call('HSET', k .. id, 'progress', ARGV[7]) end
    if asked and ends ~= 'completed' then
      if ends ~= 'release' and ARGV[5] ~= '' then call('HSET', k .. id, 'bhFailure', ARGV[5]) end
      ends = 'cancelled'
    elseif ends == 'completed' then
      call('HDEL', k .. id, 'bhFailure')
      call('HSET', k .. id, 'returnvalue', ARGV[5])
    elseif ends == 'failed' or ends == 'retry' then
      call('HSET', k .. id, 'bhFailure', ARGV[5], 'failedReason', ARGV[5])
    end
    if ends == 'release' then
      putBack(k, id)
      return 1
    end
    call('HINCRBY', k .. id, 'atm', 1)
    if ends == 'retry' then enqueue(k, id, tonumber(ARGV[6])) else finish(k, id, ends) end
    return 1`,

  /** worker, then the tokens it knows → how many others of it were put back */
  bhDisown: `
    local known, count = {}, 0
    for n = 2, #ARGV do known[ARGV[n]] = true end
    for _, type in ipairs(call('SMEMBERS', OWN .. 'known')) do
      local k = keys(type)
      for _, id in ipairs(call('LRANGE', k .. 'active', 0, -1)) do
        -- Whose a lock is stands in it from its first moment, before its claim is told.
        local token = call('GET', k .. id .. ':lock')
        if token and not known[token] and string.sub(token, 1, #ARGV[1] + 1) == ARGV[1] .. '/' then
          local asked = leaveActive(k, id)
          remember(k, id, asked and 'cancelled' or 'released', '')
          if asked then finish(k, id, 'cancelled') else putBack(k, id) end
          count = count + 1
        end
      end
    end
    return count`,

  /** id → cancelled, asked, finished or unknown */
  bhCancel: `
    local type, id = typeof(ARGV[1]), ARGV[1]
    if not type then return 'unknown' end
    local k = keys(type)
    local is = state(k, id)
    if is == 'active' then call('HSET', k .. id, 'bhCancel', 1) return 'asked' end
    if is ~= 'created' and is ~= 'retry' then return 'finished' end
    call('ZREM', k .. 'prioritized', id)
    call('ZREM', k .. 'delayed', id)
    finish(k, id, 'cancelled')
    return 'cancelled'`,

  /** id → retried, not-finished, unknown, or single and the id and type of who has its key */
  bhRetry: `
    local type, id = typeof(ARGV[1]), ARGV[1]
    if not type then return {'unknown'} end
    local k = keys(type)
    local is = state(k, id)
    if is == 'created' or is == 'retry' or is == 'active' then return {'not-finished'} end
    local key = single(k, id)
    if key and not call('SET', key, id, 'NX') then return {'single', call('GET', key), type} end
    anew(k, id)
    return {'retried'}`,

  /** type or '' → how many */
  bhRedrive: `
    local count = 0
    for _, type in ipairs(call('SMEMBERS', OWN .. 'known')) do
      local k = keys(type)
      if ARGV[1] == '' or ARGV[1] == type then
        for _, id in ipairs(call('ZREVRANGE', k .. 'failed', 0, -1)) do
          local key = single(k, id)
          if call('SISMEMBER', k .. 'bh-cancelled', id) == 0 and (not key or call('SET', key, id, 'NX')) then
            anew(k, id)
            count = count + 1
          end
        end
      end
    end
    return count`,

  /** id → removed, active or unknown */
  bhRemove: `
    local type, id = typeof(ARGV[1]), ARGV[1]
    if not type then return 'unknown' end
    local k = keys(type)
    if state(k, id) == 'active' then return 'active' end
    drop(k, id)
    return 'removed'`,

  /** a worker that is gone or '', what is remembered of a lost lease, lease in ms of who has none yet → id, type and state of each */
  bhExpire: `
    local out = {}
    for _, type in ipairs(call('SMEMBERS', OWN .. 'known')) do
      local k = keys(type)
      for _, id in ipairs(call('LRANGE', k .. 'active', 0, -1)) do
        local dead = ARGV[1] ~= '' and call('HGET', k .. id, 'bhWorker') == ARGV[1]
        local lease = tonumber(call('HGET', k .. id, 'bhUntil') or (call('HGET', k .. id, 'processedOn') + ARGV[3]))
        if dead or lease <= now() then
          local asked = leaveActive(k, id)
          remember(k, id, asked and 'cancelled' or 'failed', ARGV[2])
          call('HSET', k .. id, 'bhFailure', ARGV[2])
          local attempts = call('HINCRBY', k .. id, 'atm', 1)
          local most = cjson.decode(call('HGET', k .. id, 'opts'))['attempts'] or 1
          if asked then finish(k, id, 'cancelled')
          elseif attempts < most then enqueue(k, id, 0)
          else finish(k, id, 'failed') end
          out[#out + 1] = {id, type, state(k, id)}
        end
      end
    end
    return out`,

  /** ms completed, ms failed, most, batch → how many were dropped */
  bhOutlived: `
    local at, dropped, kept, oldest = now(), 0, 0, {}
    local types = call('SMEMBERS', OWN .. 'known')
    for _, type in ipairs(types) do
      local k = keys(type)
      for set, ms in pairs({completed = ARGV[1], failed = ARGV[2]}) do
        local room = tonumber(ARGV[4]) - dropped
        local due = room > 0 and call('ZRANGEBYSCORE', k .. set, 0, at - tonumber(ms), 'LIMIT', 0, room) or {}
        for _, id in ipairs(due) do drop(k, id) dropped = dropped + 1 end
        kept = kept + call('ZCARD', k .. set)
      end
    end
    while kept > tonumber(ARGV[3]) and dropped < tonumber(ARGV[4]) do
      local first, firstKeys, firstAt
      for _, type in ipairs(types) do
        for _, set in ipairs({'completed', 'failed'}) do
          local head = call('ZRANGE', keys(type) .. set, 0, 0, 'WITHSCORES')
          if head[1] and (not first or tonumber(head[2]) < firstAt) then
            first, firstKeys, firstAt = head[1], keys(type), tonumber(head[2])
          end
        end
      end
      if not first then break end
      drop(firstKeys, first)
      dropped = dropped + 1
      kept = kept - 1
    end
    return dropped`,

  /** → type, completed, failed, cancelled, active, waiting, retrying and the oldest time of those that may run, of each */
  bhCounts: `
    local out = {}
    for _, type in ipairs(call('SMEMBERS', OWN .. 'known')) do
      local k, oldest = keys(type), ''
      local ids = call('ZRANGEBYSCORE', k .. 'delayed', 0, (now() + 1) * 4096 - 1, 'LIMIT', 0, 1000)
      for _, id in ipairs(call('ZRANGE', k .. 'prioritized', 0, 999)) do ids[#ids + 1] = id end
      for _, id in ipairs(ids) do
        local at = call('HGET', k .. id, 'timestamp')
        if at and (oldest == '' or tonumber(at) < tonumber(oldest)) then oldest = at end
      end
      local cancelled = call('SCARD', k .. 'bh-cancelled')
      out[#out + 1] = {type, call('ZCARD', k .. 'completed'), call('ZCARD', k .. 'failed') - cancelled, cancelled,
        call('LLEN', k .. 'active'), call('ZCARD', k .. 'prioritized') + call('ZCARD', k .. 'delayed'),
        call('SCARD', k .. 'bh-retrying'), oldest}
    end
    return out`,

  /** id → its view, or nil */
  bhView: `
    local type = typeof(ARGV[1])
    return type and view(type, ARGV[1]) or nil`,

  /** below which seq or '+inf', how many, type or '', states… → the seq to go on from or '', then the views */
  bhList: `
    local wanted, out, looked = {}, {''}, 0
    for n = 4, #ARGV do wanted[ARGV[n]] = true end
    local found = call('ZREVRANGEBYSCORE', OWN .. 'index', ARGV[1], '-inf', 'WITHSCORES', 'LIMIT', 0, 2000)
    for n = 1, #found, 2 do
      local id, type = found[n], typeof(found[n])
      if type and (ARGV[3] == '' or ARGV[3] == type) and (#ARGV < 4 or wanted[state(keys(type), id)]) then
        out[#out + 1] = view(type, id)
      end
      if #out > tonumber(ARGV[2]) or n >= 3999 then out[1] = found[n + 1] break end
    end
    return out`,

  /** type, id, state, singleton key or '', time to start, rank, then the fields → 1, 0 was there, -1 its key is taken */
  bhAdopt: `
    local type, id, is = ARGV[1], ARGV[2], ARGV[3]
    local k = keys(type)
    if call('EXISTS', k .. id) == 1 then return 0 end
    local waits = is == 'created' or is == 'retry'
    if waits and ARGV[4] ~= '' and not call('SET', k .. 'de:' .. ARGV[4], id, 'NX') then return -1 end
    for n = 6, #ARGV, 2 do call('HSET', k .. id, ARGV[n], ARGV[n + 1]) end
    if ARGV[4] ~= '' then call('HSET', k .. id, 'deid', ARGV[4]) end
    local ended = call('HGET', k .. id, 'finishedOn')
    if waits then enqueue(k, id, tonumber(ARGV[5])) else finish(k, id, is) end
    if ended then
      call('HSET', k .. id, 'finishedOn', ended)
      call('ZADD', k .. (is == 'completed' and 'completed' or 'failed'), ended, id)
    end
    index(type, id)
    return 1`,
} as const;

export type ScriptName = keyof typeof SCRIPTS;

/** Each script, with what they share, for the keys of this prefix. */
export function scriptsOf(prefix: string): readonly (readonly [ScriptName, string])[] {
  const prelude = preludeOf(prefix);
  const names = Object.keys(SCRIPTS) as ScriptName[];
  return names.map((name) => [name, `${prelude}\n${SCRIPTS[name]}`]);
}

export interface OwnKeys {
  readonly paused: string;
  readonly workers: string;
}

export function ownKeys(prefix: string): OwnKeys {
  const own = ownPrefix(prefix);
  return { paused: `${own}paused`, workers: `${own}workers` };
}
