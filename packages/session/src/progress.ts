// How far is a long replay?

import type { ProgressEvent } from '@holdfast/core';

/** A shorter one is over before anybody could look at it. */
const LONG = 100;
/** Told so often over its whole length. */
const STEPS = 20;

type Direction = ProgressEvent['direction'];

export interface Progress {
  /** So many messages are to be made up for. */
  begin(direction: Direction, total: number): void;
  /** So many more of them are. */
  more(direction: Direction, count: number): void;
}

export function createProgress(tell: (event: ProgressEvent) => void): Progress {
  const replays: { [D in Direction]?: { readonly total: number; done: number; told: number } | undefined } = {};
  return {
    begin(direction, total) {
      replays[direction] = total < LONG ? undefined : { total, done: 0, told: 0 };
    },
    more(direction, count) {
      const replay = replays[direction];
      if (!replay) return;
      const { total } = replay;
      const done = (replay.done = Math.min(total, replay.done + count));
      if (done < total && (done - replay.told) * STEPS < total) return;
      replay.told = done;
      if (done === total) replays[direction] = undefined;
      tell({ direction, done, total });
    },
  };
}
