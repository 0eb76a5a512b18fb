// Which Redis, and are the options sensible?

import { HoldfastError } from '@holdfast/core';
import type { RedisClient } from './client.ts';

export interface RedisStoreSettings {
  /**
   * What all keys and channels begin with, so that several applications can share a Redis. Without braces, which have a
   * meaning in Redis Cluster.
   * @default 'holdfast:'
   */
  prefix?: string | undefined;
  /**
   * Milliseconds that an operation waits for Redis; then it rejects, and the server closes that session's socket with 4804,
   * for the client to come back. Shorter than the patience of your clients' heartbeat.
   * @default 5_000
   */
  timeout?: number | undefined;
}

/** How the store reaches Redis: by a client of its own, or by yours. */
export type RedisStoreOptions = RedisStoreSettings &
  (
    | {
        /** `redis[s]://[[username][:password]@][host][:port][/database]`. The store makes a client, and closes it. */
        url: string;
        client?: undefined;
      }
    | {
        /**
         * A client of `redis` or `@redis/client` that is connected already, or a cluster client; it stays yours to close. Set
         * its `disableOfflineQueue`, so that what is asked while Redis is away is refused at once, and listen to its
         * `error` events. A second connection like it is made for news.
         */
        client: RedisClient;
        url?: undefined;
      }
  );

/** The options, checked and complete. */
export interface Settings {
  readonly place:
    { readonly name: 'own'; readonly url: string } | { readonly name: 'given'; readonly client: RedisClient };
  readonly prefix: string;
  readonly timeout: number;
}

/** Every default there is. */
export const DEFAULTS = Object.freeze({ prefix: 'holdfast:', timeout: 5_000 });

const NAMES = ['client', 'url', 'prefix', 'timeout'];

/** @throws INVALID_OPTION */
export function readOptions(options: RedisStoreOptions): Settings {
  for (const [name, value] of Object.entries(options)) {
    if (!NAMES.includes(name)) throw invalid(name, `one of ${NAMES.join(', ')}`, value);
  }
  const { client, url } = options;
  const prefix = options.prefix ?? DEFAULTS.prefix;
  const timeout = options.timeout ?? DEFAULTS.timeout;
  // A brace of the prefix would be the hash tag of every key, and all sessions would be in one slot.
  if (typeof prefix !== 'string' || /[{}]/.test(prefix)) throw invalid('prefix', 'a text without braces', prefix);
  if (typeof timeout !== 'number' || !(timeout > 0 && timeout < 2 ** 31)) {
    throw invalid('timeout', 'a positive number of milliseconds', timeout);
  }
  if ((client === undefined) === (url === undefined)) throw invalid('url, client', 'exactly one of the two', url);
  if (client !== undefined) {
    if (typeof client?.evalSha !== 'function' || typeof client.withTypeMapping !== 'function') {
      throw invalid('client', 'a client of redis or @redis/client, version 5 or newer', client);
    }
    return { place: { name: 'given', client }, prefix, timeout };
  }
  if (typeof url !== 'string' || !/^rediss?:\/\//.test(url)) {
    throw invalid('url', "a text that begins with 'redis://' or 'rediss://'", typeof url);
  }
  return { place: { name: 'own', url }, prefix, timeout };
}

/** The value is not shown where it may hold a password. */
function invalid(name: string, expected: string, value: unknown): HoldfastError {
  const shown = typeof value === 'string' || typeof value === 'number' ? `, got ${value}` : '';
  return new HoldfastError('INVALID_OPTION', `${name} must be ${expected}${name.startsWith('url') ? '' : shown}`);
}
