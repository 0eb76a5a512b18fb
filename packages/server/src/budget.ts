// How much may a peer send?
//
// Counters that messages count down and a beat fills up again, so that no message costs a look at the clock.

import type { BudgetOptions, Rate } from './options.ts';

export interface Bucket {
  /** False if that was more than there is; the debt has to be paid off first. */
  take(amount: number): boolean;
  refill(ms: number): void;
  readonly isOverdrawn: boolean;
}

export function createBucket({ perSecond, burst }: Rate): Bucket {
  let left = burst;
  return {
    take: (amount) => (left -= amount) >= 0,
    refill: (ms) => void (left = Math.min(burst, left + (perSecond * ms) / 1000)),
    get isOverdrawn() {
      return left < 0;
    },
  };
}

/**
 * `within`: read on. `over`: stop reading until a later beat says otherwise. `persists`: it has been over at every beat
 * for longer than our patience.
 */
export type BudgetVerdict = 'within' | 'over' | 'persists';

export interface Budget {
  /** A message came; false: over budget. */
  message(bytes: number): boolean;
  /** A ping or pong frame came; false: over budget. */
  controlFrame(): boolean;
  /** `ms` have passed. */
  beat(ms: number): BudgetVerdict;
}

type Limits = { readonly [Key in keyof BudgetOptions]-?: NonNullable<BudgetOptions[Key]> };

export function createBudget(limits: Limits): Budget {
  const messages = createBucket(limits.messages);
  const bytes = createBucket(limits.bytes);
  const controlFrames = createBucket(limits.controlFrames);
  const all = [messages, bytes, controlFrames];
  /** Milliseconds for which every beat found it overdrawn. */
  let overFor = 0;

  return {
    message(length) {
      const isFew = messages.take(1);
      return bytes.take(length) && isFew;
    },
    controlFrame: () => controlFrames.take(1),
    beat(ms) {
      overFor = all.some((bucket) => bucket.isOverdrawn) ? overFor + ms : 0;
      for (const bucket of all) bucket.refill(ms);
      if (overFor > limits.patience) return 'persists';
      return all.some((bucket) => bucket.isOverdrawn) ? 'over' : 'within';
    },
  };
}

/** For peers that may send what they like. */
export const noBudget: Budget = {
  message: () => true,
  controlFrame: () => true,
  beat: () => 'within',
};
