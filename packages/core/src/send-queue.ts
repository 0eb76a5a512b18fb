// Which messages are held: those that wait for a socket, and those whose proof is still owed?

import { withAccessors } from './accessors.ts';
import type { Data } from './bytes.ts';

/** One message that is held. */
export interface QueuedMessage {
  /** What goes to the socket. */
  readonly data: Data;
  /** What the caller gave to `send`, for `drop`. */
  readonly value: unknown;
  /** UTF-8 or binary bytes. */
  readonly bytes: number;
  /** Elapsed milliseconds; `Infinity` for never. */
  expiresAt: number;
  /** Only for this socket (by generation); 0 for any. */
  onlyFor: number;
  /** The order of joining, from 1, over the whole life. */
  readonly number: number;
  /** `written`: a socket has taken it, so that it may have arrived. */
  state: 'unsent' | 'written';
  /** The host of the socket that took it last said later that it was not sent. */
  refusal: { readonly cause: unknown } | undefined;
}

export interface QueueBounds {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/**
 * First in, first out, bounded in messages and in bytes. A cursor divides it: before it are the messages that the
 * current socket has taken and whose receipt is not proven, behind it those that wait. Holds no clock and tells nobody
 * anything.
 */
export interface SendQueue {
  /** All that is held. */
  readonly length: number;
  /** How many of them wait for a socket. */
  readonly waiting: number;
  readonly bytes: number;
  /** No message that waits expires before this; `Infinity` if none does. */
  readonly nextExpiry: number;
  /** The number that the last message to join got. */
  readonly lastNumber: number;
  /** The oldest that is held, and the oldest that waits. */
  readonly first: QueuedMessage | undefined;
  readonly next: QueuedMessage | undefined;
  /** Whether a message of so many bytes fits beside what is held. */
  hasRoom(bytes: number): boolean;
  push(message: Omit<QueuedMessage, 'number' | 'state' | 'refusal'>): void;
  /** The socket has taken the one that waited longest; it is held on. */
  advance(): void;
  /** Takes out the one that has waited longest. */
  skip(): void;
  /** Lets go of the oldest, as many as that. */
  release(count: number): void;
  /** The socket has ended: what it took waits again, first and in order. */
  rewind(): void;
  /** Takes out every message that waits and for which `leaves` is true, in order. */
  take(leaves: (message: QueuedMessage) => boolean): readonly QueuedMessage[];
  /** Puts these before all others, as waiting. They get the numbers that went before, down to 0 and below. */
  restore(messages: readonly Omit<QueuedMessage, 'number'>[]): void;
  /** Everything that is held, oldest first. */
  all(): readonly QueuedMessage[];
}

/** Taking from the front of an array costs its length, so the front moves instead, and is cut off when it has grown. */
const CUT = 1_024;

export function createSendQueue(bounds: QueueBounds): SendQueue {
  let messages: (QueuedMessage | undefined)[] = [];
  let front = 0;
  let cursor = 0;
  let bytes = 0;
  let lastNumber = 0;
  let nextExpiry = Infinity;

  function all(): QueuedMessage[] {
    return messages.slice(front) as QueuedMessage[];
  }

  function release(count: number): void {
    for (let left = count; left > 0; left--) {
      bytes -= messages[front]!.bytes;
      messages[front++] = undefined;
    }
    cursor = Math.max(cursor, front);
    if (front === messages.length) {
      messages = [];
      front = cursor = 0;
      nextExpiry = Infinity;
    } else if (front >= CUT && front * 2 >= messages.length) {
      messages = messages.slice(front);
      cursor -= front;
      front = 0;
    }
  }

  return withAccessors({
    get length() {
      return messages.length - front;
    },
    get waiting() {
      return messages.length - cursor;
    },
    get bytes() {
      return bytes;
    },
    get nextExpiry() {
      return nextExpiry;
    },
    get lastNumber() {
      return lastNumber;
    },
    get first() {
      return messages[front];
    },
    get next() {
      return messages[cursor];
    },
    hasRoom: (more) => messages.length - front < bounds.maxMessages && bytes + more <= bounds.maxBytes,
    push({ data, value, bytes: size, expiresAt, onlyFor }) {
      messages.push({
        data,
        value,
        bytes: size,
        expiresAt,
        onlyFor,
        number: ++lastNumber,
        state: 'unsent',
        refusal: undefined,
      });
      bytes += size;
      nextExpiry = Math.min(nextExpiry, expiresAt);
    },
    advance() {
      const message = messages[cursor++]!;
      message.state = 'written';
      message.refusal = undefined;
      if (cursor === messages.length) nextExpiry = Infinity;
    },
    skip() {
      if (cursor === front) return release(1);
      bytes -= messages[cursor]!.bytes;
      messages.splice(cursor, 1);
      if (cursor === messages.length) nextExpiry = Infinity;
    },
    release,
    rewind() {
      for (; cursor > front; cursor--) nextExpiry = Math.min(nextExpiry, messages[cursor - 1]!.expiresAt);
    },
    take(leaves) {
      const taken: QueuedMessage[] = [];
      const kept = messages.slice(front, cursor);
      nextExpiry = Infinity;
      for (const message of messages.slice(cursor) as QueuedMessage[]) {
        if (leaves(message)) {
          taken.push(message);
          bytes -= message.bytes;
        } else {
          kept.push(message);
          nextExpiry = Math.min(nextExpiry, message.expiresAt);
        }
      }
      messages = kept;
      cursor -= front;
      front = 0;
      return taken;
    },
    restore(restored) {
      const first = messages[front] ? messages[front]!.number : lastNumber + 1;
      messages = restored
        .map((message, i): QueuedMessage => ({ ...message, number: first - restored.length + i }))
        .concat(all());
      front = cursor = 0;
      restored.forEach((message) => {
        bytes += message.bytes;
        nextExpiry = Math.min(nextExpiry, message.expiresAt);
      });
    },
    all,
  });
}
