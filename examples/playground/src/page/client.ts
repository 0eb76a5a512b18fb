// What is it that is being watched? One client, as anybody would make it.

import { connect, type Client, type ClientOptions } from '@holdfast/browser';

/** Quicker than the defaults, so that there is something to see within seconds. */
export const OPTIONS = {
  connectTimeout: 3_000,
  heartbeat: { interval: 1_000, timeout: 1_000 },
  reconnect: { initialDelay: 1_000, maxDelay: 4_000, stableAfter: 3_000 },
  queue: { maxMessages: 50 },
} as const satisfies ClientOptions;

export function createWatchedClient(url: string): Client {
  return connect(url, OPTIONS);
}
