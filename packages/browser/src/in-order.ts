// How do messages keep their order where one of them has to be read first?

import { viewOf, type Data } from '@holdfast/core';

export interface InOrder {
  /** Hands on a message as what it is: a string, or a `Uint8Array`. */
  message(data: unknown): void;
  /** Calls `last` when every message so far has been handed on: at once, as a rule. */
  after(last: () => void): void;
}

/**
 * A `Blob` comes only from sockets that do not honour `binaryType` (mocks do not). It has to be read first, and what
 * arrives meanwhile waits for it.
 */
export function createInOrder(deliver: (data: Data) => void, unreadable: (cause: unknown) => void): InOrder {
  let line: Promise<void> | undefined;

  function join(act: () => void | PromiseLike<void>): void {
    const turn: Promise<void> = (line ?? Promise.resolve())
      .then(act)
      .catch(unreadable)
      .then(() => {
        if (line === turn) line = undefined;
      });
    line = turn;
  }

  return {
    message(data) {
      const ready = typeof data === 'string' ? data : viewOf(data);
      if (ready === undefined) join(() => read(data).then(deliver));
      else if (line) join(() => deliver(ready));
      else deliver(ready);
    },
    after(last) {
      if (line) join(last);
      else last();
    },
  };
}

/** A Blob, or something like one. */
function read(blob: unknown): Promise<Uint8Array> {
  return (blob as { arrayBuffer(): Promise<ArrayBuffer> }).arrayBuffer().then((buffer) => new Uint8Array(buffer));
}
