// How many sessions has a principal? One sorted set for each, of sids by the moment that they expire, in a slot of its own.

import { script } from './script.ts';

const SEATS = `
local seats = KEYS[1]
local function last(ttl)
  if redis.call('PTTL', seats) < ttl then redis.call('PEXPIRE', seats, whole(ttl)) end
end
`;

/** ARGV: sid, ttl, maxPerPrincipal. Answers 1, 0 if all are taken, or 2 if this sid has one. */
export const TAKE_SEAT = script(
  'room',
  `${SEATS}
redis.call('ZREMRANGEBYSCORE', seats, '-inf', whole(now))
if redis.call('ZSCORE', seats, ARGV[1]) then return 2 end
if redis.call('ZCARD', seats) >= tonumber(ARGV[3]) then return 0 end
local ttl = tonumber(ARGV[2])
redis.call('ZADD', seats, whole(now + ttl), ARGV[1])
last(ttl)
return 1
`,
);

/**
 * ARGV: ttl, mode, then sids: they live for another ttl. With the mode `again` a seat that was lost with its key is there
 * again; with `kept` it is not, as the session may have ended since it was touched.
 */
export const KEEP_SEATS = script(
  'any',
  `${SEATS}
local ttl = tonumber(ARGV[1])
for i = 3, #ARGV do
  if ARGV[2] == 'again' or redis.call('ZSCORE', seats, ARGV[i]) then
    redis.call('ZADD', seats, whole(now + ttl), ARGV[i])
  end
end
last(ttl)
return 1
`,
);

/** ARGV: sids that have ended. */
export const LEAVE_SEATS = script(
  'any',
  `
return redis.call('ZREM', KEYS[1], unpack(ARGV))
`,
);
