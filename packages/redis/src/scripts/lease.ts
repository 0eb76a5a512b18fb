// Who may speak for a session, and for how long? The scripts that begin, prolong and end leases.

import { script } from './script.ts';

/** ARGV: token hash, principal, attempt, holder, node, ttl. Answers 1, or 0 if the sid is or was in use. */
export const OPEN = script(
  'room',
  `
if redis.call('EXISTS', S, T) > 0 then return 0 end
redis.call('HSET', S, 'h', ARGV[1], 'p', ARGV[2], 'a', ARGV[3], 'i', ARGV[4], 'n', ARGV[5], 'c', 1,
  'r', 0, 'b', 0, 'm', 0, 'k', 0, 'g', 0, 'z', 0, 'w', 0, 'y', 0, 't', 0)
live(tonumber(ARGV[6]))
return 1
`,
);

/**
 * ARGV: token hash, principal, attempt, node, received, tag, acked, sent, force, ttl, channels, sid, holders: who asks last.
 * Answers { resumed, conn, committed, stored }, { lost, reason }, { stale } or { busy }.
 */
export const RESUME = script(
  'any',
  `
local session = living('h', 'p', 'a', 'i', 'c', 'n', 'r', 'b', 'm', 'k', 'g', 'w', 'l')
if not session then
  if redis.call('EXISTS', S) == 1 then return { 'lost', 'expired' } end
  return { 'lost', redis.call('GET', T) or 'unknown' }
end
local node, channels, ttl = ARGV[4], ARGV[11], tonumber(ARGV[10])
local received, tag = tonumber(ARGV[5]), tonumber(ARGV[6])

-- All of it is worked out before any of it is looked at, so that a wrong token takes as long as the right one. Equal texts
-- are one text to Lua, so comparing two does not tell where they differ.
local hasToken = session.h == ARGV[1]
local isPrincipal = session.p == ARGV[2]
local isNewer = tonumber(ARGV[3]) > session.a
local isSuccessor = false
for place = 13, #ARGV do isSuccessor = isSuccessor or tonumber(ARGV[place]) == session.i end
local isBusy = session.b > session.r and ARGV[9] ~= '1'
local foundTag, foundBytes = look(received)
local isTag = foundTag == tag
if received == session.k then isTag = session.g == tag end
local isConsistent = isComplete(session)
  and received >= session.k and received <= session.w and isTag
  and tonumber(ARGV[7]) <= session.r and math.max(session.r, session.m or 0) <= tonumber(ARGV[8])

if not (hasToken and isPrincipal) then return { 'lost', 'unauthorized' } end
if not (isNewer and isSuccessor) then return { 'stale' } end
if isBusy then
  tell(channels, session.n, 'yield - ' .. ARGV[12])
  return { 'busy' }
end
if not isConsistent then
  bury('regressed', session.l)
  tell(channels, session.n, 'gone regressed ' .. ARGV[12])
  return { 'lost', 'regressed' }
end
if received > session.k then forget(session, received, tag, foundBytes) end
redis.call('HSET', S, 'a', ARGV[3], 'i', ARGV[#ARGV], 'c', session.c + 1, 'n', node, 'b', session.r)
live(ttl)
if session.n ~= node then tell(channels, session.n, 'gone - ' .. ARGV[12]) end
return { 'resumed', session.c + 1, session.r, session.w }
`,
);

/** ARGV: conn, ttl. Answers { standing, principal }. */
export const TOUCH = script(
  'any',
  `
local session, why = held(ARGV[1], 'p')
if not session then return { why } end
live(tonumber(ARGV[2]))
return { 'ok', session.p }
`,
);

/** ARGV: conn, ttl. Answers { standing, principal }. */
export const RELEASE = script(
  'any',
  `
local session, why = held(ARGV[1], 'p')
if not session then return { why } end
redis.call('HSET', S, 'n', '')
live(tonumber(ARGV[2]))
return { 'ok', session.p }
`,
);

/** ARGV: conn or nothing, reason, ttl, channels, sid. Answers { standing, principal, entries }. */
export const END = script(
  'any',
  `
local session, why
if ARGV[1] == '' then
  session, why = living('p', 'n'), 'gone'
else
  session, why = held(ARGV[1], 'p', 'n')
end
if not session then return { why } end
local entries = redis.call('XRANGE', O, '-', '+')
bury(ARGV[2], tonumber(ARGV[3]))
if ARGV[1] == '' then tell(ARGV[4], session.n, 'gone ' .. ARGV[2] .. ' ' .. ARGV[5]) end
return { 'ok', session.p, entries }
`,
);
