// What does a process of the chaos run know of whoever started it?

import { createBirpc } from 'birpc';

/** What it was started with. */
export const givenToChild = <How>(): How => JSON.parse(process.argv[2]!) as How;

/** What it can be asked from here on. It ends when nobody is left to ask. */
export function offer(functions: object): void {
  createBirpc(functions, {
    post: (data) => void process.send!(data),
    on: (listener) => void process.on('message', listener),
  });
  process.once('disconnect', () => process.exit());
  process.send!(READY);
}

/** The first thing that it says. */
export const READY = 'ready';
