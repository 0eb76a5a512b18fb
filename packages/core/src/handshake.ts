// How does the caller speak on the raw socket before the client is open?

import type { Data } from './bytes.ts';

/** What a `handshake` is given: the raw socket, without codec, queue or heartbeat. */
export interface HandshakeContext {
  /** Sends one frame at once. Throws when the socket is gone. */
  readonly send: (data: Data) => void;
  /** The next frame from the server, in order. Rejects when the socket ends. */
  readonly next: () => Promise<Data>;
  /** The subprotocol that the server chose, or empty. */
  readonly protocol: string;
  /** A socket of this life has been open before: resubscribe rather than subscribe. */
  readonly reconnected: boolean;
}

/** Authenticates or resubscribes. Until it resolves nothing queued goes out and `open` is not told; a rejection fails the attempt. */
export type Handshake = (context: HandshakeContext) => PromiseLike<void> | void;

/** Frames that wait for somebody to take them. */
export interface Inbox {
  push(data: Data): void;
  next(): Promise<Data>;
  /** The first of them, once there is one; it is left where it is. */
  peek(): Promise<Data>;
  /** The socket has ended: whoever waits, or asks later, is told why. */
  fail(cause: unknown): void;
  /** What nobody took, in order. */
  rest(): readonly Data[];
}

interface Waiter {
  resolve(data: Data): void;
  reject(cause: unknown): void;
}

export function createInbox(): Inbox {
  const frames: Data[] = [];
  const waiting: Waiter[] = [];
  const peeking: Waiter[] = [];
  let failure: { readonly cause: unknown } | undefined;

  function frameOf(look: () => Data | undefined, line: Waiter[]): Promise<Data> {
    const frame = new Promise<Data>((resolve, reject) => {
      if (frames.length > 0) resolve(look()!);
      else if (failure) reject(failure.cause);
      else line.push({ resolve, reject });
    });
    frame.catch(() => {}); // a handshake that lost interest is no unhandled rejection
    return frame;
  }

  return {
    push(data) {
      peeking.splice(0).forEach(({ resolve }) => resolve(data));
      const first = waiting.shift();
      if (first) first.resolve(data);
      else frames.push(data);
    },
    next: () => frameOf(() => frames.shift(), waiting),
    peek: () => frameOf(() => frames[0], peeking),
    fail(cause) {
      failure = { cause };
      waiting
        .splice(0)
        .concat(peeking.splice(0))
        .forEach(({ reject }) => reject(cause));
    },
    rest: () => frames.splice(0),
  };
}
