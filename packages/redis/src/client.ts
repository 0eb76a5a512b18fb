// Which client talks to Redis, and how does it run a script?

import { RESP_TYPES, createClient } from '@redis/client';
import type { Script } from './scripts/script.ts';

/**
 * What is asked of a client: that of `createClient` and that of `createCluster` of `redis` or `@redis/client` have it, from
 * version 5 on.
 */
export interface RedisClient {
  readonly isOpen: boolean;
  eval(script: string, options: ScriptOptions): Promise<unknown>;
  evalSha(sha: string, options: ScriptOptions): Promise<unknown>;
  withTypeMapping(mapping: Record<number, unknown>): Pick<RedisClient, 'eval' | 'evalSha'>;
  subscribe(channel: string, listener: Listener): Promise<unknown>;
  unsubscribe(channel: string, listener: Listener): Promise<unknown>;
  duplicate(overrides?: object): RedisClient;
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

type Listener = (message: string | Buffer, channel: string | Buffer) => void;

interface ScriptOptions {
  keys: string[];
  arguments: (string | Buffer)[];
}

/** Runs scripts. Each rejects when Redis refuses, cannot be reached, or takes longer than the timeout. */
export interface Runner {
  /** Texts are answered as texts. */
  run(script: Script, keys: string[], args: readonly (string | number | Buffer)[]): Promise<unknown>;
  /** Texts are answered as buffers, since what is binary is no text. */
  runForBytes: Runner['run'];
}

/** How long a client of our own waits before it dials again. */
const REDIAL = { first: 50, most: 1_000 };

/**
 * A client of our own. What is asked while Redis is away is refused at once: a client's session waits better than a queue of
 * ours, which would be played to a Redis that came back without its last second.
 */
export function dial(url: string, timeout: number): { client: RedisClient; connected: Promise<unknown> } {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    pingInterval: timeout,
    socket: {
      connectTimeout: timeout,
      reconnectStrategy: (retries) => Math.min(REDIAL.first * 2 ** retries, REDIAL.most) * (0.5 + Math.random() / 2),
    },
  });
  client.on('error', unheard);
  const connected = client.connect();
  connected.catch(unheard);
  return { client, connected };
}

/** A second connection like `client`'s, which waits for Redis as long as it takes. */
export function ownCopyOf(client: RedisClient): RedisClient {
  const copy = client.duplicate({ disableOfflineQueue: false });
  copy.on('error', unheard);
  copy.connect().catch(unheard);
  return copy;
}

/** A cluster client makes a connection for its subscriptions by itself. */
export const isCluster = (client: RedisClient): boolean => 'masters' in client;

export function createRunner(client: RedisClient, connected: Promise<unknown> | undefined, timeout: number): Runner {
  // Whatever mapping the caller's client has is not ours.
  const texts = client.withTypeMapping({});
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  let opening = connected;
  connected?.then(() => (opening = undefined), unheard);
  return { run: runnerOf(texts), runForBytes: runnerOf(bytes) };

  function runnerOf(runs: Pick<RedisClient, 'eval' | 'evalSha'>): Runner['run'] {
    return async (script, keys, args) => {
      if (opening !== undefined) await inTime(opening, timeout);
      const options = { keys, arguments: args.map((arg) => (typeof arg === 'number' ? String(arg) : arg)) };
      try {
        return await inTime(runs.evalSha(script.sha, options), timeout);
      } catch (error) {
        if (!isNewTo(error)) throw error;
        return await inTime(runs.eval(script.text, options), timeout);
      }
    };
  }
}

/** Redis forgets its scripts when it restarts, and a replica or another node of a cluster may never have seen one. */
const isNewTo = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT');

/**
 * The client's own timeout ends when a command is written; a Redis that has stopped would be waited for as long as TCP does.
 * After a blocked loop the timer fires before the answers are read that have come meanwhile, so these get one turn.
 */
function inTime<T>(answer: Promise<T>, timeout: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`Redis has not answered within ${timeout} ms`));
    const timer = setTimeout(() => setImmediate(late), timeout);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Told by the rejection of whatever was asked. */
function unheard(): void {}
