// Under which names is a session in Redis?

import { createHash } from 'node:crypto';

export interface Keys {
  /** The hash, the stream and the tombstone of a session: one slot, since Redis Cluster looks at what is in braces only. */
  ofSession(sid: string): [string, string, string];
  /** The sorted set of a principal's sessions, by {@link nameOf} him. */
  seatsOf(principal: string): [string];
  /** What the channels of nodes begin with. */
  readonly channels: string;
}

export function createKeys(prefix: string): Keys {
  return {
    ofSession: (sid) => [`${prefix}s:{${sid}}`, `${prefix}o:{${sid}}`, `${prefix}t:{${sid}}`],
    seatsOf: (principal) => [`${prefix}p:${principal}`],
    channels: `${prefix}n:`,
  };
}

/**
 * Whether it can name a session. What a client says is not to be trusted, and braces and blanks have a meaning in keys and
 * in news.
 */
export const isSid = (sid: string): boolean => /^[\w-]{1,128}$/.test(sid);

/**
 * A principal as Redis knows him: always short, in letters, and nobody's name is in a dump. By way of JSON, since UTF-8 would
 * make one of two principals that differ in lone surrogates.
 */
export const nameOf = (principal: string): string =>
  createHash('sha256').update(JSON.stringify(principal)).digest('base64url');
