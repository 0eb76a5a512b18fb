// How do sessions in Redis get older without anybody waiting? Everything that lies ahead comes nearer.

import type { RedisClient } from '@holdfast/redis';

const NEARER = `
local function nearer(key, ms)
  local kind = redis.call('TYPE', key).ok
  if kind == 'hash' then redis.call('HINCRBY', key, 'x', -ms) end
  if kind == 'zset' then
    for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZINCRBY', key, -ms, member) end
  end
  local left = redis.call('PTTL', key)
  if left > ms then redis.call('PEXPIRE', key, left - ms) elseif left >= 0 then redis.call('DEL', key) end
end
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do nearer(key, tonumber(ARGV[2])) end
`;

/** For all keys with this prefix it is `ms` later. */
export async function later(client: RedisClient, prefix: string, ms: number): Promise<void> {
  await client.eval(NEARER, { keys: [], arguments: [prefix, String(ms)] });
}
