// When may each client come back, so that a deploy is a flat line and not a herd?

import { invalidOption } from './errors.ts';

export interface DrainOptions {
  /** Milliseconds over which the clients are to come back, one after the other. */
  readonly over: number;
  /**
   * Milliseconds until the first may: what the next server needs to be up.
   * @default 0
   */
  readonly after?: number | undefined;
  /**
   * Milliseconds that the peers have to answer the close; then they are terminated.
   * @default the server's `closeTimeout`
   */
  readonly timeout?: number | undefined;
}

/** A stretch of time, counted from the drain's beginning. */
export interface Window {
  readonly over: number;
  readonly after: number;
}

/** Longer than this no client of ours waits, whatever it is told. */
const MAX_WAIT = 3_600_000;

/** @throws INVALID_OPTION */
export function readWindow({ over, after = 0 }: DrainOptions): Window {
  for (const [name, value] of Object.entries({ over, after })) {
    if (!(typeof value === 'number' && value >= 0 && value <= MAX_WAIT)) {
      throw invalidOption(`drain.${name}`, 'milliseconds from 0 to 3600000, an hour', value);
    }
  }
  return { over, after };
}

/** How long client `i` of `count` waits, in milliseconds: each has the same share of the window for itself. */
export function slotOf(i: number, count: number, { over, after }: Window): number {
  return after + (i * over) / count;
}
