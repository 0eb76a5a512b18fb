// Is the answer there already?
//
// A store in memory answers at once, and then a message costs no promise and no turn of the loop.

import type { Awaitable } from './store.ts';

export function isPromised<T>(answer: Awaitable<T>): answer is PromiseLike<T> {
  return typeof answer === 'object' && answer !== null && typeof (answer as { then?: unknown }).then === 'function';
}

/**
 * Tells the answer to `told`: at once if it is there, else when it comes, and then `goOn` is called too, for whoever went
 * away meanwhile. Only what `ask` throws or rejects with is told to `failed`.
 */
export function whenAnswered<T>(
  ask: () => Awaitable<T>,
  told: (answer: T) => void,
  failed: (cause: unknown) => void,
  goOn?: () => void,
): void {
  let answer: Awaitable<T>;
  try {
    answer = ask();
  } catch (cause) {
    failed(cause);
    return;
  }
  if (!isPromised(answer)) {
    told(answer);
    return;
  }
  answer.then((later) => {
    told(later);
    goOn?.();
  }, failed);
}

/** For an answer that nothing depends on. */
export function ignore(): void {}
