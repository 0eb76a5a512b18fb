// How does a page have a worker do something, and hear how it went?

import { inject } from 'vitest';
import type { Answer, Order } from './worker.ts';

export interface Worked {
  /** Does what is named so in the worker. Resolves with what came of it. */
  run(name: string): Promise<string>;
  terminate(): void;
}

export function startWorker(): Worked {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const waiting = new Map<string, { resolve(result: string): void; reject(error: Error): void }>();
  worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    const { name } = data;
    if ('error' in data) waiting.get(name)?.reject(new Error(data.error));
    else waiting.get(name)?.resolve(data.result);
    waiting.delete(name);
  });
  worker.addEventListener('error', ({ message }) => {
    for (const { reject } of waiting.values()) reject(new Error(`the worker failed: ${message}`));
  });
  const faults = inject('faults');
  return {
    run: (name) =>
      new Promise((resolve, reject) => {
        waiting.set(name, { resolve, reject });
        worker.postMessage({ name, faults } satisfies Order);
      }),
    terminate: () => worker.terminate(),
  };
}
