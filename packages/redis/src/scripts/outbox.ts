// What waits for the client? The scripts about the way out.

import { script } from './script.ts';

/**
 * ARGV: channels, sid, ttl, maxMessages, maxBytes, then for each message its tag, bytes, kind (t or b) and data.
 * Answers { principal, the tag of the last message before these, what an overflow has ended, … } and for each message its
 * number, 0 for full, -1 for overflow, -2 for gone.
 */
export const APPEND = script(
  'room',
  `
local session = living('p', 'n', 'k', 'z', 'w', 'y', 't')
local answers = { session and session.p or '', session and session.t or 0, {} }
local before = session and session.w
for i = 6, #ARGV, 4 do
  local tag, bytes = ARGV[i], tonumber(ARGV[i + 1])
  if not session then
    table.insert(answers, -2)
  elseif session.w - session.k >= tonumber(ARGV[4]) or session.y - session.z + bytes > tonumber(ARGV[5]) then
    if session.n and session.n ~= '' then
      table.insert(answers, 0)
    else
      answers[3] = redis.call('XRANGE', O, '-', '+')
      bury('overflow', tonumber(ARGV[3]))
      table.insert(answers, -1)
      session = nil
    end
  else
    local y = session.y + bytes
    redis.call('XADD', O, whole(session.w + 1) .. '-' .. tag, ARGV[i + 2], ARGV[i + 3], 'e', whole(y))
    session.w, session.y, session.t = session.w + 1, y, tag
    table.insert(answers, session.w)
  end
end
if session and session.w > before then
  redis.call('HSET', S, 'w', whole(session.w), 'y', whole(session.y), 't', session.t)
  if before == session.k then redis.call('PEXPIREAT', O, whole(session.x + 1000)) end
  tell(ARGV[1], session.n, 'appended ' .. whole(session.w) .. ' ' .. ARGV[2])
end
return answers
`,
);

/** What follows when something that was there is not: the store went back in time, and no more of it may be believed. */
const REGRESSED = `
local function regressed(session)
  bury('regressed', session.l)
  return { 'gone', session.p }
end
`;

/** ARGV: conn, after, limit, tag or nothing. Answers { ok, '', entries } or { standing, principal if it has ended now }. */
export const READ = script(
  'any',
  `${REGRESSED}
local session, why = held(ARGV[1], 'p', 'k', 'g', 'w', 'l')
if not session then return { why } end
local after, tag = tonumber(ARGV[2]), tonumber(ARGV[4])
if after > session.w or not isComplete(session) then return regressed(session) end
if tag and after >= session.k then
  local known = session.g
  if after > session.k then known = look(after) end
  if known ~= tag then return regressed(session) end
end
return { 'ok', '', redis.call('XRANGE', O, whole(math.max(after, session.k) + 1), '+', 'COUNT', ARGV[3]) }
`,
);

/** ARGV: conn, seq. Answers { standing, principal if it has ended now }. */
export const ACKNOWLEDGE = script(
  'any',
  `${REGRESSED}
local session, why = held(ARGV[1], 'p', 'k', 'w', 'l')
if not session then return { why } end
local seq = tonumber(ARGV[2])
if seq > session.w or not isComplete(session) then return regressed(session) end
if seq > session.k then
  local tag, bytes = look(seq)
  if not tag then return regressed(session) end
  forget(session, seq, tag, bytes)
end
return { 'ok' }
`,
);
