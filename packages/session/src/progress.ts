// How far is a long replay?

import type { ProgressEvent } from '@holdfast/core';

/** A shorter one is over before anybody could look at it. */
const LONG = 100;
/** Told so often over its whole length. */
const STEPS = 20;

/** Everything above `from`, up to `to`, comes or goes again. */
export interface Replay {
  readonly direction: ProgressEvent['direction'];
  readonly from: number;
  readonly to: number;
}

/** What there is to tell, if anything, when it has come from `before` to `now`. */
export function progressOf(replay: Replay, before: number, now: number): ProgressEvent | undefined {
  const { direction, from, to } = replay;
  const total = to - from;
  const done = Math.min(now, to) - from;
  const step = (count: number): number => Math.floor((count * STEPS) / total);
  return total >= LONG && step(done) > step(before - from) ? { direction, done, total } : undefined;
}
