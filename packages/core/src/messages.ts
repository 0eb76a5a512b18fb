// How are messages read by `for await`?

import { HoldfastError } from './errors.ts';

/** What `client.messages()` gives: an async iterator, usable by `next()` where the runtime has no `for await`. */
export interface MessageReader<In> extends AsyncIterableIterator<In> {
  next(): Promise<IteratorResult<In, undefined>>;
  return(): Promise<IteratorResult<In, undefined>>;
}

/** The end of a reader that feeds it. */
export interface ReaderFeed<In> {
  readonly reader: MessageReader<In>;
  push(message: In): void;
  end(): void;
}

/** A reader that keeps messages for longer than this many is not reading. */
const MAX_WAITING = 1_000;

export function createReader<In>(stopped: () => void): ReaderFeed<In> {
  const messages: In[] = [];
  const takers: { resolve(result: IteratorResult<In, undefined>): void }[] = [];
  let state: 'reading' | 'ended' | 'overflown' = 'reading';

  function stop(next: 'ended' | 'overflown'): void {
    if (state !== 'reading') return;
    state = next;
    takers.splice(0).forEach((taker) => taker.resolve({ done: true, value: undefined }));
    stopped();
  }

  const reader = {
    next: () =>
      new Promise<IteratorResult<In, undefined>>((resolve, reject) => {
        if (messages.length > 0) resolve({ done: false, value: messages.shift()! });
        else if (state === 'reading') takers.push({ resolve });
        else if (state === 'ended') resolve({ done: true, value: undefined });
        else {
          state = 'ended';
          reject(new HoldfastError('MESSAGES_OVERFLOW', `more than ${MAX_WAITING} messages were waiting to be read`));
        }
      }),
    return() {
      messages.length = 0;
      stop('ended');
      return Promise.resolve({ done: true as const, value: undefined });
    },
  } as MessageReader<In>;
  if (typeof Symbol.asyncIterator === 'symbol') reader[Symbol.asyncIterator] = () => reader;

  return {
    reader,
    push(message) {
      const taker = takers.shift();
      if (taker) taker.resolve({ done: false, value: message });
      else if (messages.length < MAX_WAITING) messages.push(message);
      else stop('overflown');
    },
    end: () => stop('ended'),
  };
}
