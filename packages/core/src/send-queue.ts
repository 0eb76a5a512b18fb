// Which messages wait for a socket, and how many may?

import { withAccessors } from './accessors.ts';
import type { Data } from './bytes.ts';

/** One message that waits. */
export interface QueuedMessage {
  /** What goes to the socket. */
  readonly data: Data;
  /** What the caller gave to `send`, for `drop`. */
  readonly value: unknown;
  /** UTF-8 or binary bytes. */
  readonly bytes: number;
  /** Elapsed milliseconds; `Infinity` for never. */
  readonly expiresAt: number;
  /** Only for this socket (by generation); 0 for any. */
  readonly onlyFor: number;
  /** The order of joining, from 1, over the whole life. */
  readonly number: number;
}

export interface QueueBounds {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** First in, first out, bounded in messages and in bytes. Holds no clock and tells nobody anything. */
export interface SendQueue {
  readonly length: number;
  readonly bytes: number;
  /** When the first of the waiting messages expires; `Infinity` if none does. */
  readonly nextExpiry: number;
  /** The number that the last message to join got. */
  readonly lastNumber: number;
  readonly first: QueuedMessage | undefined;
  /** Whether a message of so many bytes fits beside what is waiting. */
  hasRoom(bytes: number): boolean;
  push(message: Omit<QueuedMessage, 'number'>): void;
  shift(): QueuedMessage | undefined;
  /** Takes out every message for which `leaves` is true, in order. */
  take(leaves: (message: QueuedMessage) => boolean): readonly QueuedMessage[];
}

/** Taking from the front of an array costs its length, so the front moves instead, and is cut off when it has grown. */
const CUT = 1_024;

export function createSendQueue(bounds: QueueBounds): SendQueue {
  let messages: (QueuedMessage | undefined)[] = [];
  let front = 0;
  let bytes = 0;
  let lastNumber = 0;
  let nextExpiry = Infinity;

  return withAccessors({
    get length() {
      return messages.length - front;
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
    hasRoom: (more) => messages.length - front < bounds.maxMessages && bytes + more <= bounds.maxBytes,
    push({ data, value, bytes: size, expiresAt, onlyFor }) {
      messages.push({ data, value, bytes: size, expiresAt, onlyFor, number: ++lastNumber });
      bytes += size;
      nextExpiry = Math.min(nextExpiry, expiresAt);
    },
    shift() {
      const message = messages[front];
      if (message === undefined) return undefined;
      messages[front++] = undefined;
      bytes -= message.bytes;
      if (front === messages.length) {
        messages = [];
        front = 0;
        nextExpiry = Infinity;
      } else if (front >= CUT && front * 2 >= messages.length) {
        messages = messages.slice(front);
        front = 0;
      }
      return message;
    },
    take(leaves) {
      const taken: QueuedMessage[] = [];
      const kept: QueuedMessage[] = [];
      bytes = 0;
      nextExpiry = Infinity;
      for (const message of messages.slice(front) as QueuedMessage[]) {
        if (leaves(message)) taken.push(message);
        else {
          kept.push(message);
          bytes += message.bytes;
          nextExpiry = Math.min(nextExpiry, message.expiresAt);
        }
      }
      messages = kept;
      front = 0;
      return taken;
    },
  });
}
