// What has a Redis done, and how much does it hold?

import { createClient } from '@redis/client';
import { startRedis } from '../../packages/redis/test/support/redis-server.ts';

export interface RedisUsage {
  readonly memory: number;
  /** Milliseconds of processor time. */
  readonly cpu: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** By name: what was asked for, and what scripts did. */
  readonly calls: Readonly<Record<string, number>>;
}

export interface Redis {
  readonly url: string;
  readonly version: string;
  usage(): Promise<RedisUsage>;
  close(): Promise<void>;
}

/** One that keeps nothing on disk, since what that costs is the disk's. */
export async function startWatchedRedis(): Promise<Redis> {
  const { url, dispose } = await startRedis();
  const client = await createClient({ url }).connect();
  const [, version = '?'] = /redis_version:(.*)\r/.exec(await client.info('server')) ?? [];
  return {
    url,
    version,
    usage: async () => usageIn(await client.info('everything')),
    async close() {
      client.destroy();
      await dispose();
    },
  };
}

function usageIn(info: string): RedisUsage {
  const fields = new Map(info.split('\r\n').map((line) => line.split(':', 2) as [string, string]));
  const number = (name: string) => Number(fields.get(name));
  const calls: Record<string, number> = {};
  for (const [name, value] of fields) {
    const count = /^calls=(\d+)/.exec(value ?? '');
    if (name.startsWith('cmdstat_') && count) calls[name.slice('cmdstat_'.length)] = Number(count[1]);
  }
  return {
    memory: number('used_memory'),
    cpu: (number('used_cpu_user') + number('used_cpu_sys')) * 1e3,
    bytesIn: number('total_net_input_bytes'),
    bytesOut: number('total_net_output_bytes'),
    calls,
  };
}

/** What happened between two looks. */
export function between(before: RedisUsage, after: RedisUsage): RedisUsage {
  const calls = Object.entries(after.calls).map(([name, count]) => [name, count - (before.calls[name] ?? 0)] as const);
  return {
    memory: after.memory - before.memory,
    cpu: after.cpu - before.cpu,
    bytesIn: after.bytesIn - before.bytesIn,
    bytesOut: after.bytesOut - before.bytesOut,
    calls: Object.fromEntries(calls.filter(([name, count]) => count > 0 && name !== 'info')),
  };
}
