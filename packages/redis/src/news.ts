// How does a node hear what others have done to its sessions?

import type { EndReason, StoreNews } from '@holdfast/server';
import { isCluster, ownCopyOf, type RedisClient } from './client.ts';

export interface Newsstand {
  watch(node: string, hear: (news: StoreNews) => void): () => void;
  close(): void;
}

/** When a subscription that failed is tried again; one that held and was lost is renewed by the client itself. */
const TRY_AGAIN = 1_000;

/**
 * PUB/SUB, by a connection of its own that is made with the first `watch`. What is published while that is away is not heard:
 * news are hints.
 */
export function createNewsstand(client: RedisClient, channels: string): Newsstand {
  let subscriber: RedisClient | undefined;
  const ears = new Map<string, Set<(news: StoreNews) => void>>();

  return {
    watch(node, hear) {
      const channel = channels + node;
      const others = ears.get(channel);
      if (others !== undefined) others.add(hear);
      else {
        ears.set(channel, new Set([hear]));
        subscribe(channel);
      }
      return () => {
        const all = ears.get(channel);
        if (!all?.delete(hear) || all.size > 0) return;
        ears.delete(channel);
        subscriber?.unsubscribe(channel, told).catch(() => undefined);
      };
    },
    close() {
      ears.clear();
      if (subscriber !== client) subscriber?.destroy();
      subscriber = undefined;
    },
  };

  function subscribe(channel: string): void {
    if (!ears.has(channel)) return;
    subscriber ??= isCluster(client) ? client : ownCopyOf(client);
    subscriber.subscribe(channel, told).catch(() => setTimeout(() => subscribe(channel), TRY_AGAIN).unref());
  }

  function told(message: string | Buffer, channel: string | Buffer): void {
    const news = read(String(message));
    if (news !== undefined) for (const hear of [...(ears.get(String(channel)) ?? [])]) hear(news);
  }
}

/** `name detail sid`, as the scripts write it. What a newer version may tell is left alone. */
function read(message: string): StoreNews | undefined {
  const [name, detail, sid = ''] = message.split(' ');
  switch (name) {
    case 'appended':
      return { name, sid, seq: Number(detail) };
    case 'yield':
      return { name, sid };
    case 'gone':
      return detail === '-' ? { name, sid } : { name, sid, reason: detail as EndReason };
    default:
      return undefined;
  }
}
