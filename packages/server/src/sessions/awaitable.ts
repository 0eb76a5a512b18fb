// Is the answer there already?
//
// A store in memory answers at once, and then a message costs no promise and no turn of the loop.

import type { Awaitable } from './store.ts';

export function isPromised<T>(answer: Awaitable<T>): answer is PromiseLike<T> {
  return typeof answer === 'object' && answer !== null && typeof (answer as { then?: unknown }).then === 'function';
}

/** Goes on with the answer: at once if it is there. Only what `ask` throws or rejects with is told to `failed`. */
export function whenAnswered<T>(
  ask: () => Awaitable<T>,
  next: (answer: T) => void,
  failed: (cause: unknown) => void,
): void {
  let answer: Awaitable<T>;
  try {
    answer = ask();
  } catch (cause) {
    failed(cause);
    return;
  }
  if (isPromised(answer)) answer.then(next, failed);
  else next(answer);
}
