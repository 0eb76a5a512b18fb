// What is known about each message?
//
// Every send ends in exactly one fate: refused at the call, dropped and told, handed over and unconfirmed when its
// socket ended, or proven received. This is the first rung, at most once: nothing is sent twice.

import { HoldfastError } from './errors.ts';
import { createSendQueue, type QueuedMessage } from './send-queue.ts';
import { byteLength, copyOf, type Data } from './bytes.ts';
import { withAccessors } from './accessors.ts';
import type { Connection } from './connection.ts';
import type { EndReason } from './states.ts';
import type { Socket } from './adapter.ts';

/**
 * Why a message was dropped:
 * - `full`: the queue's bounds are reached (`overflow: 'refuse'`: this message; `'drop-oldest'`: the oldest)
 * - `too-large`: it alone is larger than the queue's bytes
 * - `expired`: its `maxAge` passed before a socket took it
 * - `not-open`: it was sent with `ifOpen`, or nothing is kept (`queue: false`), and no socket was open
 * - `rejected`: the platform refused this one message
 * - `closed`: after, or still queued at, the caller's `close()`
 * - `ended`: after, or still queued at, any other end of the client
 */
export type DropReason = 'full' | 'too-large' | 'expired' | 'not-open' | 'rejected' | 'closed' | 'ended';

/** What became of a message at the call: on its way, waiting, or refused (and told by `drop`). */
export type SendResult = 'sent' | 'queued' | false;

export interface SendOptions {
  /**
   * How long this message may wait for a socket, in milliseconds.
   * @default the queue's `maxAge`
   */
  readonly maxAge?: number | undefined;
  /**
   * Only on the socket that is open now: an unsubscribe need not outlive its subscription.
   * @default false
   */
  readonly ifOpen?: boolean | undefined;
}

export interface QueuePolicy {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly maxAge: number;
  readonly overflow: 'refuse' | 'drop-oldest';
  readonly highWaterMark: number;
}

export interface DeliveryParts {
  readonly connection: Connection;
  readonly queue: QueuePolicy;
  /** How long a proof may take, in milliseconds; `undefined` where there are no pings to ask for one. */
  readonly proofTimeout: number | undefined;
  now(): number;
  dropped(value: unknown, reason: DropReason, cause: unknown): void;
  /** The queue has room again after a send was refused or held back. */
  writable(): void;
}

export interface Delivery {
  /** `value` is what the caller gave, `data` what goes on the wire. */
  send(data: Data, value: unknown, options: SendOptions | undefined): SendResult;
  /** Resolves once everything accepted so far is proven to have reached the next WebSocket endpoint. */
  flush(): Promise<void>;
  readonly queued: number;
  socketOpened(): void;
  socketEnded(): number | undefined;
  rejected(data: Data, cause: unknown): void;
  pingWritten(): number;
  proven(mark: number): void;
  drain(): void;
  ended(why: EndReason): void;
  wakeAt(): number;
  due(now: number): void;
}

/** One slice of handing over blocks the loop for at most this long: half a frame of a 60 Hz display. */
const SLICE = 8;
/** How often a socket above its high-water mark is looked at, in milliseconds; no platform tells when it has drained. */
const PRESSURE_POLL = 50;

/** Somebody waits for a proof: first for the queue to be handed over up to a message, then for a reply. */
type Flush = { resolve(): void; reject(error: HoldfastError): void } & (
  { stage: 'queued'; upTo: number } | { stage: 'asked'; mark: number; deadline: number }
);

export function createDelivery(parts: DeliveryParts): Delivery {
  const { connection, queue: policy } = parts;
  const queue = createSendQueue(policy);
  let hasPressure = false; // somebody was refused or held back, and waits for `writable`
  let nextSliceAt = Infinity;
  let flushes: Flush[] = [];

  // Counted over the whole life. What lies between proven and handed over is unconfirmed.
  let handedOver = 0;
  let proven = 0;
  let markedAt = 0; // handedOver at the last ping
  let hasEverProven = false;

  function send(data: Data, value: unknown, options: SendOptions | undefined): SendResult {
    const socket = connection.openSocket;
    if (socket !== undefined && queue.length === 0 && !isPressed(socket)) {
      return handOver(socket, data, value) ? 'sent' : false;
    }
    return enqueue(data, value, options);
  }

  function enqueue(data: Data, value: unknown, options: SendOptions | undefined): SendResult {
    const { state } = connection;
    if (state.name === 'closing') return refuse(value, reasonOf(state.why));
    if (state.name === 'closed') return refuse(value, reasonOf(state.why));
    const isOpen = state.name === 'open';
    if (!isOpen && (options?.ifOpen || policy.maxMessages === 0)) return refuse(value, 'not-open');

    const bytes = byteLength(data);
    if (bytes > policy.maxBytes) return refuse(value, 'too-large');
    const maxAge = options?.maxAge ?? policy.maxAge;
    const now = maxAge === Infinity && queue.nextExpiry === Infinity ? 0 : parts.now();
    const expired = takeExpired(now);
    const oldest: QueuedMessage[] = [];
    if (policy.overflow === 'drop-oldest') {
      while (queue.length > 0 && !queue.hasRoom(bytes)) oldest.push(queue.shift()!);
    }
    const fits = queue.hasRoom(bytes);
    if (fits) {
      const onlyFor = isOpen && options?.ifOpen ? state.generation : 0;
      const expiresAt = maxAge === Infinity ? Infinity : now + maxAge;
      queue.push({ data: copyOf(data), value, bytes, expiresAt, onlyFor });
    }
    if (isOpen || !fits || oldest.length > 0) hasPressure = true;
    if (isOpen && nextSliceAt === Infinity) nextSliceAt = parts.now() + PRESSURE_POLL;
    if (expired.length + oldest.length > 0) askForProofs();
    connection.rearm();
    // told once this message has its place, for a listener may send, and may close
    expired.forEach((message) => drop(message, 'expired'));
    oldest.forEach((message) => drop(message, 'full'));
    return fits ? 'queued' : refuse(value, 'full');
  }

  function handOver(socket: Socket, data: Data, value: unknown): boolean {
    try {
      socket.send(data);
    } catch (cause) {
      parts.dropped(value, 'rejected', cause);
      return false;
    }
    if (handedOver++ === markedAt) connection.feed(UNPROVEN);
    return true;
  }

  function isPressed(socket: Socket): boolean {
    return (socket.bufferedAmount as number) > policy.highWaterMark; // undefined is never more
  }

  // ---- handing over what is queued, a slice at a time

  function handOverSlice(): void {
    nextSliceAt = Infinity;
    const started = parts.now();
    while (queue.length > 0 || hasPressure) {
      const socket = connection.drainSocket;
      if (socket === undefined) return;
      const now = parts.now(); // for each message: one may be large, and a bridge slow
      if (isPressed(socket) && (queue.length > 0 || connection.state.name === 'open')) {
        hasPressure = true;
        nextSliceAt = now + PRESSURE_POLL;
        return;
      }
      if (queue.length === 0) break;
      if (now - started >= SLICE) {
        nextSliceAt = now;
        return;
      }
      const message = queue.shift()!;
      if (message.expiresAt <= now) drop(message, 'expired');
      else handOver(socket, message.data, message.value);
    }
    emptied();
  }

  function emptied(): void {
    nextSliceAt = Infinity;
    if (hasPressure) {
      hasPressure = false;
      parts.writable();
    }
    askForProofs();
    connection.drained();
  }

  // ---- drops

  function takeExpired(now: number): readonly QueuedMessage[] {
    return queue.nextExpiry > now ? [] : queue.take((message) => message.expiresAt <= now);
  }

  function drop(message: QueuedMessage, reason: DropReason): void {
    parts.dropped(message.value, reason, undefined);
  }

  function refuse(value: unknown, reason: DropReason): false {
    parts.dropped(value, reason, undefined);
    return false;
  }

  // ---- proofs

  function flush(): Promise<void> {
    const { state } = connection;
    return new Promise((resolve, reject) => {
      if (state.name === 'closed') return reject(new HoldfastError('ENDED', 'the client has ended'));
      flushes.push({ resolve, reject, stage: 'queued', upTo: queue.lastNumber });
      askForProofs();
    });
  }

  /** Whoever waits for the queue and is served goes on to wait for a reply. */
  function askForProofs(): void {
    const { first } = queue;
    let asks = false;
    flushes = flushes.filter((flush): boolean => {
      if (flush.stage === 'asked' || (first && first.number <= flush.upTo)) return true;
      if (proven === handedOver) flush.resolve();
      else if (parts.proofTimeout === undefined) flush.reject(noProof('there is no heartbeat to ask by'));
      else {
        Object.assign(flush, { stage: 'asked', mark: handedOver, deadline: parts.now() + parts.proofTimeout });
        asks = true;
        return true;
      }
      return false;
    });
    if (!asks) return;
    if (markedAt < handedOver || !connection.isReplyOwed) connection.feed(FLUSH);
    connection.rearm();
  }

  function settle(isOver: (flush: Flush & { stage: 'asked' }) => boolean, how: (flush: Flush) => void): void {
    const over = flushes.filter((flush) => flush.stage === 'asked' && isOver(flush));
    if (over.length === 0) return;
    flushes = flushes.filter((flush) => over.indexOf(flush) < 0);
    over.forEach(how);
  }

  return withAccessors({
    send,
    flush,
    get queued() {
      return queue.length;
    },

    socketOpened: handOverSlice,
    socketEnded() {
      const unconfirmed = handedOver - proven;
      proven = markedAt = handedOver; // its fate is told; the next socket begins with nothing owed
      nextSliceAt = Infinity;
      queue.take((message) => message.onlyFor !== 0).forEach((message) => drop(message, 'not-open'));
      settle(
        () => true,
        (flush) => flush.reject(new HoldfastError('UNCONFIRMED', 'the socket ended before the proof came')),
      );
      return unconfirmed === 0 || hasEverProven ? unconfirmed : undefined;
    },
    rejected(data, cause) {
      parts.dropped(data, 'rejected', cause); // still counted as handed over: unconfirmed is an upper bound
    },
    pingWritten() {
      return (markedAt = handedOver);
    },
    proven(mark) {
      hasEverProven = true;
      proven = Math.max(proven, mark);
      settle(
        (flush) => flush.mark <= proven,
        (flush) => flush.resolve(),
      );
      if (handedOver > markedAt) connection.feed(UNPROVEN); // sent before we knew that this peer replies
    },
    drain: handOverSlice,
    ended(why) {
      nextSliceAt = Infinity;
      hasPressure = false;
      queue.take(() => true).forEach((message) => drop(message, reasonOf(why)));
      flushes.splice(0).forEach((flush) => flush.reject(new HoldfastError('ENDED', 'the client has ended')));
      hasEverProven = false;
    },

    wakeAt() {
      return flushes.reduce(
        (at, flush) => (flush.stage === 'asked' ? Math.min(at, flush.deadline) : at),
        Math.min(nextSliceAt, queue.nextExpiry),
      );
    },
    due(now) {
      takeExpired(now).forEach((message) => drop(message, 'expired'));
      askForProofs();
      settle(
        (flush) => flush.deadline <= now,
        (flush) => flush.reject(noProof(`no reply came within ${parts.proofTimeout} ms`)),
      );
      if (nextSliceAt <= now) handOverSlice();
    },
  });
}

const UNPROVEN = { type: 'unproven' } as const;
const FLUSH = { type: 'flush' } as const;

const reasonOf = (why: EndReason): DropReason => (why === 'caller' ? 'closed' : 'ended');

function noProof(why: string): HoldfastError {
  return new HoldfastError('NO_PROOF', `receipt is not proven: ${why}`);
}
