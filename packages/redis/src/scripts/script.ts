// What is a script to Redis, and what do all of ours begin with?

import { createHash } from 'node:crypto';

/** Lua that Redis runs as one step: nothing else happens in between. */
export interface Script {
  readonly text: string;
  /** By which Redis knows it once it has run it. */
  readonly sha: string;
}

/**
 * `any` may run while Redis is over its `maxmemory`: what makes room, and what keeps order, must go on. `room` may not, and
 * is then refused as a whole, before its first write.
 */
type Memory = 'any' | 'room';

/*
 * One session is three keys in one slot, by the hash tag {sid}:
 *
 *   S  a hash: h token hash, p principal (hashed), n the lease's node ('' after release), a attempt, i its holder, c conn,
 *      r committed, b begun, m the most ever begun, k acknowledged, g its tag, z its e, w stored, t its tag, y its e,
 *      x the moment of expiry, l ttl
 *   O  a stream of what waits for the client: the id is <seq>-<tag>, so that Redis itself refuses to go back; the fields are
 *      t or b (text or binary) with the data, and e: the bytes of all messages so far. So what is left after an
 *      acknowledgement costs one look at one entry, however many it covers
 *   T  a tombstone: the reason, for ten times the ttl
 *
 * S outlives its x by ten times l, so that who asks is told `expired`; O does not, as it may be large. Names are short since
 * a small hash is kept as a list, names and all.
 */
const PRELUDE = `
local S, O, T = KEYS[1], KEYS[2], KEYS[3]

-- The clock of Redis: those of the nodes need not agree.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Lua writes a large number as 2.8147497671066e+14 by itself.
local function whole(number)
  return string.format('%.0f', number)
end

-- The named fields, or nothing if there is no living session. A hash or a name may look like a number and is none.
local isText = { h = true, p = true, n = true }
local function living(...)
  local names = { 'x', ... }
  local values = redis.call('HMGET', S, unpack(names))
  local session = {}
  for i, name in ipairs(names) do
    session[name] = isText[name] and values[i] or tonumber(values[i] or nil)
  end
  if not session.x or now >= session.x then return nil end
  return session
end

-- The same, if the lease is the newest one; else what to answer.
local function held(conn, ...)
  local session = living('c', ...)
  if not session then return nil, 'gone' end
  if session.c ~= tonumber(conn) then return nil, 'fenced' end
  return session
end

-- The moment of expiry moves. A second more for O, so that a living session never misses it.
local function live(ttl)
  local x = now + ttl
  redis.call('HSET', S, 'x', whole(x), 'l', whole(ttl))
  redis.call('PEXPIREAT', S, whole(x + 10 * ttl))
  redis.call('PEXPIREAT', O, whole(x + 1000))
end

local function bury(reason, ttl)
  redis.call('SET', T, reason, 'PX', whole(10 * ttl))
  redis.call('DEL', S, O)
end

-- Best effort: who is not listening asks sooner or later.
local function tell(channels, node, news)
  if node and node ~= '' then redis.call('PUBLISH', channels .. node, news) end
end

-- One entry of O: its tag and its e. Nothing if it is not there.
local function look(seq)
  local id = whole(seq)
  local entry = redis.call('XRANGE', O, id, id, 'COUNT', 1)[1]
  if not entry then return nil end
  return tonumber(string.match(entry[1], '-(%d+)$')), tonumber(entry[2][4])
end

-- Entries are added one by one and forgotten from the front, so their number says whether each is there.
local function isComplete(session)
  return redis.call('XLEN', O) == session.w - session.k
end

-- Everything up to seq is the client's. An empty stream weighs more than an idle session, so it goes.
local function forget(session, seq, tag, bytes)
  redis.call('HSET', S, 'k', whole(seq), 'g', whole(tag), 'z', whole(bytes))
  if seq == session.w then redis.call('DEL', O) else redis.call('XTRIM', O, 'MINID', whole(seq + 1)) end
end
`;

export function script(memory: Memory, lua: string): Script {
  const text = `#!lua${memory === 'any' ? ' flags=allow-oom' : ''}\n${PRELUDE}${lua}`;
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
