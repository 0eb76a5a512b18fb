// Which of the client's messages are handled? The scripts about the way in.

import { script } from './script.ts';

/** What both begin with. ARGV: conn, from, to. */
const CLAIM = `
local session, why = held(ARGV[1], 'r', 'm')
if not session then return why end
local from, to = tonumber(ARGV[2]), tonumber(ARGV[3])
if from <= session.r or to < from then return 'duplicate' end
if from > session.r + 1 then return 'gap' end
`;

/** Answers the progress. */
export const BEGIN = script(
  'any',
  `${CLAIM}
redis.call('HSET', S, 'b', ARGV[3], 'm', whole(math.max(session.m or 0, to)))
return 'ok'
`,
);

/** Answers the progress. */
export const COMMIT = script('any', `${CLAIM}redis.call('HSET', S, 'r', ARGV[3])\nreturn 'ok'\n`);

/** ARGV: conn. Answers the standing. */
export const ABANDON = script(
  'any',
  `
local session, why = held(ARGV[1], 'r')
if not session then return why end
redis.call('HSET', S, 'b', whole(session.r))
return 'ok'
`,
);
