// What is known about each message?
//
// Every send ends in exactly one fate: refused at the call, dropped and told, handed over and unconfirmed when its
// socket ended, or proven received. At most once, a message is let go of when a socket takes it. At least once, and in a
// session, it is held until it is proven, and goes out again on the next socket, first and in order.

import { HoldfastError } from './errors.ts';
import { createFlushes } from './flushes.ts';
import { firstTerm, nextTerm } from './proof-term.ts';
import { createProofRequests } from './proof-requests.ts';
import { createSendQueue, type QueuedMessage } from './send-queue.ts';
import { byteLength, copyOf, isSame, type Data } from './bytes.ts';
import { NORMAL } from './close-codes.ts';
import { withAccessors } from './accessors.ts';
import type { Connection } from './connection.ts';
import type { DropReason, QueuePolicy, SendOptions, SendResult } from './fates.ts';
import type { EndReason } from './states.ts';
import type { SessionQueue, SessionLayer } from './session-layer.ts';
import type { Socket } from './adapter.ts';

export interface DeliveryParts {
  readonly connection: Connection;
  readonly queue: QueuePolicy;
  /** At least once: messages are held until they are proven. */
  readonly holds: boolean;
  /** How long a proof may take, in milliseconds; `undefined` where there are no pings to ask for one. */
  readonly proofTimeout: number | undefined;
  /** Where there is one, a socket that it speaks on proves by its own acknowledgements. */
  readonly layer: SessionLayer | undefined;
  now(): number;
  dropped(value: unknown, reason: DropReason, cause: unknown): void;
  /** The queue has room again after a send was refused or held back. */
  writable(): void;
}

export interface Delivery {
  readonly sessionQueue: SessionQueue;
  /** `value` is what the caller gave, `data` what goes on the wire. */
  send(data: Data, value: unknown, options: SendOptions | undefined): SendResult;
  /** Resolves once everything accepted so far is proven to have reached the next WebSocket endpoint. */
  flush(): Promise<void>;
  readonly queued: number;
  socketOpened(): void;
  /** `wasAsked`: by the caller, or by us. */
  socketEnded(wasAsked: boolean): number | undefined;
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

/**
 * `writable` is told when so much of the bounds is free. In a session sooner: what is acknowledged now was sent a round trip
 * ago, and whoever waits until half of it is may have no more than half a window under way.
 */
const FREE = { inSession: 1 / 8, else: 1 / 2 };

/** Sockets in a row that die with the same message first unproven until that message is taken for the cause. */
const POISON = 3;

export function createDelivery(parts: DeliveryParts): Delivery {
  const { connection, queue: policy, layer } = parts;
  const queue = createSendQueue(policy);
  const flushes = createFlushes();
  const requests = createProofRequests({
    bounds: policy,
    now: () => parts.now(),
    ping: () => connection.feed(FLUSH),
    rearm: () => connection.rearm(),
  });
  let hasPressure = false; // somebody was refused or held back, and waits for `writable`
  let nextSliceAt = Infinity;

  // What lies between proven and handed over is unconfirmed. Where messages are held these are the first of the queue,
  // and after a loss they are counted, and sent, again.
  let handedOver = 0;
  let proven = 0;
  let written = 0; // the most that were ever handed over
  let markedAt = 0; // handedOver at the last ping
  let hasEverProven = false; // in this life

  // of the current socket
  let holds = parts.holds;
  let hasProvenHere = false;
  let provenAtOpen = 0;
  let hasRejected = false; // of what is held, the host would not send all
  let term = firstTerm(Infinity, 0);

  let suspect = NO_SUSPECT;
  let trialEnds = 0;

  function send(data: Data, value: unknown, options: SendOptions | undefined): SendResult {
    const socket = connection.openSocket;
    if (options !== undefined && options.volatile) return sendNow(socket, data, value);
    const goes = socket !== undefined && queue.waiting === 0 && !isPressed(socket);
    if (goes && !holds) return handOver(socket, data, value) ? 'sent' : false;
    const number = enqueue(data, value, options, goes);
    if (number === false) return false;
    // whoever was told of a drop meanwhile may have closed, or made it go out
    if (!goes || queue.next?.number !== number || connection.openSocket !== socket) return 'queued';
    return handOverNext(socket) ? 'sent' : false;
  }

  function sendNow(socket: Socket | undefined, data: Data, value: unknown): SendResult {
    if (socket === undefined) return refuse(value, whyEnding() || 'not-open');
    if (isPressed(socket)) {
      heldBack();
      connection.rearm();
      return refuse(value, 'full');
    }
    if (layer && byteLength(data) > layer.maxMessage) return refuse(value, 'too-large');
    return write(socket, speaks() ? layer!.volatile(data) : data, value) ? 'sent' : false;
  }

  /** Gives it its place, and its number. `goes`: it will be handed over at once. */
  function enqueue(data: Data, value: unknown, options: SendOptions | undefined, goes: boolean): number | false {
    const ending = whyEnding();
    if (ending) return refuse(value, ending);
    const { state } = connection;
    const isOpen = state.name === 'open';
    if (!isOpen && (options?.ifOpen || policy.maxMessages === 0)) return refuse(value, 'not-open');

    const bytes = byteLength(data);
    if (bytes > policy.maxBytes || (layer && bytes > layer.maxMessage)) return refuse(value, 'too-large');
    const maxAge = options?.maxAge ?? policy.maxAge;
    const now = maxAge === Infinity && queue.nextExpiry === Infinity ? 0 : parts.now();
    const expired = takeExpired(now);
    const oldest = policy.overflow === 'drop-oldest' ? makeRoom(bytes) : NONE;
    const fits = queue.hasRoom(bytes);
    const number = queue.lastNumber + 1;
    if (fits) {
      const onlyFor = isOpen && options?.ifOpen ? state.generation : 0;
      const expiresAt = maxAge === Infinity ? Infinity : now + maxAge;
      queue.push({ data: copyOf(data), value, bytes, expiresAt, onlyFor });
      if (layer) layer.heldChanged();
    }
    if (!fits || oldest.length > 0) hasPressure = true;
    if (isOpen && !goes) heldBack();
    if (expired.length + oldest.length > 0) serveFlushes();
    if (!goes) connection.rearm();
    // told once this message has its place, for a listener may send, and may close
    expired.forEach((message) => drop(message, 'expired'));
    oldest.forEach((message) => drop(message, 'full'));
    return fits ? number : refuse(value, 'full');
  }

  /** The oldest leave. What a session has given a number to stays, for the next number counts on it. */
  function makeRoom(bytes: number): readonly QueuedMessage[] {
    const leaving: QueuedMessage[] = [];
    while (queue.length > 0 && !queue.hasRoom(bytes)) {
      if (isSession()) {
        const oldest = queue.all().find((message) => message.state === 'unsent');
        if (!oldest) break;
        leaving.push(...queue.take((message) => message === oldest));
        continue;
      }
      leaving.push(queue.first!);
      if (queue.first === queue.next) queue.skip();
      else {
        queue.release(1);
        proven++; // its fate is told
      }
    }
    return leaving;
  }

  function heldBack(): void {
    hasPressure = true;
    if (nextSliceAt === Infinity) nextSliceAt = parts.now() + PRESSURE_POLL;
  }

  function handOver(socket: Socket, data: Data, value: unknown): boolean {
    if (!write(socket, data, value)) return false;
    if (handedOver++ === markedAt) connection.feed(UNPROVEN);
    return true;
  }

  /** Hands over the message that has waited longest. */
  function handOverNext(socket: Socket): boolean {
    const message = queue.next!;
    if (layer) layer.heldChanged(); // whoever goes on from what is written down must know what was sent
    if (!holds) {
      queue.skip();
      return handOver(socket, message.data, message.value);
    }
    const speaking = speaks();
    const frame = speaking ? layer!.frame(message.data, handedOver + 1) : message.data;
    try {
      socket.send(frame);
    } catch (cause) {
      if (message.state === 'written' && isSession()) {
        connection.broken(NORMAL, cause); // it has its number, so nothing may overtake it: another socket may take it
        return false;
      }
      queue.skip(); // before it is told, for a listener may send, and may close
      drop(message, 'rejected', cause);
      return false;
    }
    queue.advance();
    handedOver++;
    if (speaking) {
      written = Math.max(written, handedOver);
      message.expiresAt = Infinity; // it has its number, and the next one counts on it
      message.onlyFor = 0;
    } else {
      requests.owe(handedOver - markedAt, message.bytes);
    }
    return true;
  }

  function write(socket: Socket, data: Data, value: unknown): boolean {
    try {
      socket.send(data);
      return true;
    } catch (cause) {
      parts.dropped(value, 'rejected', cause);
      return false;
    }
  }

  function isPressed(socket: Socket): boolean {
    return (socket.bufferedAmount as number) > policy.highWaterMark || (trialEnds !== 0 && isOnTrial()); // undefined is never more
  }

  const speaks = (): boolean => layer !== undefined && layer.isSpeaking;
  /** Some of what is held has a number that a session counts on. */
  const isSession = (): boolean => layer !== undefined && (layer.isSpeaking || written > proven);

  // ---- handing over what is queued, a slice at a time

  function handOverSlice(): void {
    nextSliceAt = Infinity;
    const started = parts.now();
    while (queue.waiting > 0 || hasPressure) {
      const socket = connection.drainSocket;
      if (socket === undefined) return;
      const now = parts.now(); // for each message: one may be large, and a bridge slow
      if (isPressed(socket) && (queue.waiting > 0 || connection.state.name === 'open')) {
        hasPressure = true;
        nextSliceAt = now + PRESSURE_POLL;
        return;
      }
      if (queue.waiting === 0) break;
      if (now - started >= SLICE) {
        nextSliceAt = now;
        return;
      }
      const message = queue.next!;
      if (message.expiresAt <= now) {
        queue.skip();
        drop(message, 'expired');
      } else if (!handOverNext(socket) && queue.next === message) return;
    }
    emptied();
  }

  /** Nothing waits. While a proof could still come, a closing client stays for it. */
  function emptied(): void {
    nextSliceAt = Infinity;
    roomMade();
    serveFlushes();
    if (connection.state.name !== 'closing') return;
    if (queue.length > 0 && (speaks() || hasEverProven)) return ask();
    if (speaks()) layer!.leaving();
    connection.drained();
  }

  function roomMade(): void {
    if (!hasPressure || queue.waiting > 0) return;
    const full = 1 - (speaks() ? FREE.inSession : FREE.else);
    if (queue.length > policy.maxMessages * full || queue.bytes > policy.maxBytes * full) return;
    hasPressure = false;
    parts.writable();
  }

  // ---- drops

  function takeExpired(now: number): readonly QueuedMessage[] {
    return queue.nextExpiry > now ? NONE : queue.take((message) => message.expiresAt <= now);
  }

  function dropAll(messages: readonly QueuedMessage[], reason: DropReason): void {
    messages.forEach((message) => drop(message, reason));
  }

  /** What a socket has taken may have arrived, whatever the reason to let go of it. */
  function drop(message: QueuedMessage, reason: DropReason, cause?: unknown): void {
    if (layer) layer.heldChanged();
    const { refusal } = message;
    if (refusal) parts.dropped(message.value, 'rejected', refusal.cause);
    else
      parts.dropped(message.value, message.state === 'written' && reason !== 'poison' ? 'unconfirmed' : reason, cause);
  }

  function refuse(value: unknown, reason: DropReason): false {
    parts.dropped(value, reason, undefined);
    return false;
  }

  /** Why nothing is accepted any more, if that is so. */
  function whyEnding(): DropReason | undefined {
    const { state } = connection;
    return state.name === 'closing' || state.name === 'closed' ? reasonOf(state.why) : undefined;
  }

  // ---- proofs

  function flush(): Promise<void> {
    if (connection.state.name === 'closed') return Promise.reject(clientEnded());
    const flushed = flushes.add(queue.lastNumber);
    serveFlushes();
    return flushed;
  }

  /** Whoever waits for the queue and is served goes on to wait for a reply. */
  function serveFlushes(): void {
    if (flushes.length === 0) return;
    flushes.proven(proven); // what was dropped is waited for no more
    const timeout = speaks() ? Infinity : parts.proofTimeout;
    const asks = flushes.serve(queue.next ? queue.next.number : Infinity, ({ resolve, reject }) => {
      if (proven === handedOver) resolve();
      else if (timeout === undefined) reject(noProof('there is no heartbeat to ask by'));
      else return { mark: handedOver, deadline: parts.now() + timeout };
      return undefined;
    });
    if (asks) ask();
  }

  /** Asks for a proof of everything handed over, unless that question is out already. */
  function ask(): void {
    requests.ask(markedAt < handedOver || !connection.isReplyOwed);
  }

  function prove(mark: number): void {
    let refused = NONE;
    if (mark > proven) {
      const count = mark - proven;
      if (holds) {
        // its socket lives on without it, so it was this message that the host would not send
        if (hasRejected) refused = queue.all().filter((message, i) => i < count && message.refusal);
        queue.release(count);
      }
      proven = mark;
    }
    flushes.proven(proven);
    dropAll(refused, 'rejected');
    roomMade();
    if (connection.state.name === 'closing' && queue.length === 0) emptied();
  }

  // ---- a proof that does not come, on a socket that has proven before, is a verdict: whatever else arrives

  const isJudged = (): boolean => holds && hasProvenHere && !speaks();

  function termEnds(): number {
    const since = Math.max(connection.owedSince(proven), connection.awakeSince);
    if (term.since !== since) term = firstTerm(since, parts.proofTimeout!);
    return term.until;
  }

  function judge(now: number): void {
    const next = nextTerm(term, now, parts.proofTimeout!);
    term = next || { ...term, until: Infinity };
    if (!next) connection.feed(OVERDUE); // a client that is closing has a deadline of its own
  }

  // ---- a message that three sockets died of is not tried on a fourth

  /** It is tried alone the third time: with others behind it, it may be one of them, or the link, that is at fault. */
  function isOnTrial(): boolean {
    return handedOver > provenAtOpen && proven === provenAtOpen && parts.now() < trialEnds;
  }

  function diedWith(first: QueuedMessage): void {
    if (proven > provenAtOpen) suspect = NO_SUSPECT;
    else suspect = { number: first.number, deaths: suspect.number === first.number ? suspect.deaths + 1 : 1 };
    if (suspect.deaths < POISON) return;
    queue.skip();
    drop(first, 'poison');
  }

  // ---- what a session layer may do with the queue

  const sessionQueue: SessionQueue = withAccessors({
    get written() {
      return written;
    },
    get proven() {
      return proven;
    },
    all: () => queue.all(),
    prove(seq) {
      holds = hasEverProven = true; // what is held may be what an earlier process has written
      // what an earlier socket wrote may be proven before this one has written it
      if (seq > handedOver) {
        for (let more = seq - handedOver; more > 0; more--) queue.advance();
        handedOver = seq;
      }
      prove(seq);
    },
    begin() {
      queue.rewind();
      handedOver = proven = written = markedAt = provenAtOpen = 0;
    },
    giveUp(keepUnsent) {
      queue.rewind();
      const inDoubt = queue.take((message) => message.state !== 'unsent');
      const unsent = keepUnsent ? NONE : queue.take(() => true);
      flushes.end(whyEnding() ? clientEnded : sessionLost);
      return { inDoubt, unsent };
    },
    restore(provenBefore, messages) {
      handedOver = proven = markedAt = provenAtOpen = provenBefore;
      written = provenBefore + messages.filter((message) => message.written).length;
      queue.restore(
        messages.map(({ data, written: wasWritten }) => ({
          data,
          value: data,
          bytes: byteLength(data),
          expiresAt: Infinity,
          onlyFor: 0,
          state: wasWritten ? 'written' : 'unsent',
          refusal: undefined,
        })),
      );
    },
  });

  return withAccessors({
    sessionQueue,
    send,
    flush,
    get queued() {
      return queue.length;
    },

    socketOpened() {
      holds = parts.holds || speaks();
      hasProvenHere = false;
      provenAtOpen = proven;
      const { next } = queue;
      const resends = next !== undefined && next.state === 'written';
      const isSuspect = resends && next.number === suspect.number && suspect.deaths === POISON - 1;
      trialEnds = isSuspect && parts.proofTimeout ? parts.now() + parts.proofTimeout : 0;
      handOverSlice();
      if (resends && !speaks()) ask(); // the sooner it is known, the less is sent a third time
    },
    socketEnded(wasAsked) {
      const unconfirmed = handedOver - proven;
      if (holds) {
        queue.rewind();
        hasRejected = false;
        const isOurDoing = wasAsked || connection.state.name === 'suspended';
        if (unconfirmed > 0 && !isOurDoing && !isSession()) diedWith(queue.first!);
        flushes.carryOver();
        handedOver = proven;
      } else {
        proven = handedOver; // its fate is told; the next socket begins with nothing owed
        flushes.fail(() => new HoldfastError('UNCONFIRMED', 'the socket ended before the proof came'));
      }
      markedAt = handedOver;
      requests.reset();
      trialEnds = 0;
      nextSliceAt = Infinity;
      dropAll(
        queue.take((message) => message.onlyFor !== 0),
        'not-open',
      );
      serveFlushes();
      return unconfirmed === 0 || hasEverProven ? unconfirmed : undefined;
    },
    rejected(data, cause) {
      const frameOf = ({ data: own }: QueuedMessage, i: number): Data =>
        speaks() ? layer!.frame(own, proven + 1 + i) : own;
      const held =
        holds &&
        queue
          .all()
          .find((message, i) => i < handedOver - proven && !message.refusal && isSame(frameOf(message, i), data));
      if (speaks()) return void (held && connection.broken(NORMAL, cause)); // the next socket fills the gap
      if (!held) return parts.dropped(data, 'rejected', cause); // it counts as handed over: unconfirmed is an upper bound
      held.refusal = { cause }; // told once it is clear that its socket outlives it; else the next one may take it
      hasRejected = true;
    },
    pingWritten() {
      requests.pingWritten();
      return (markedAt = handedOver);
    },
    proven(mark) {
      // a session's server answers pings as soon as they come: what is committed is in its acknowledgements alone
      if (speaks()) return;
      hasEverProven = hasProvenHere = true;
      prove(mark);
      if (handedOver > markedAt && !holds) connection.feed(UNPROVEN); // sent before we knew that this peer replies
    },
    drain: handOverSlice,
    ended(why) {
      nextSliceAt = Infinity;
      requests.reset();
      hasPressure = false;
      queue.rewind();
      dropAll(
        queue.take(() => true),
        reasonOf(why),
      );
      flushes.end(clientEnded);
      hasEverProven = false;
      suspect = NO_SUSPECT;
    },

    wakeAt() {
      return Math.min(nextSliceAt, requests.at, queue.nextExpiry, isJudged() ? termEnds() : flushes.deadline);
    },
    due(now) {
      dropAll(takeExpired(now), 'expired');
      serveFlushes();
      if (requests.at <= now) ask();
      if (!isJudged()) flushes.fail(() => noProof(`no reply came within ${parts.proofTimeout} ms`), now);
      else if (termEnds() <= now) judge(now);
      if (nextSliceAt <= now) handOverSlice();
    },
  });
}

const UNPROVEN = { type: 'unproven' } as const;
const FLUSH = { type: 'flush' } as const;
const OVERDUE = { type: 'overdue' } as const;
const NONE: readonly QueuedMessage[] = [];
const NO_SUSPECT = { number: NaN, deaths: 0 };

const reasonOf = (why: EndReason): DropReason => (why === 'caller' ? 'closed' : 'ended');
const clientEnded = (): HoldfastError => new HoldfastError('ENDED', 'the client has ended');
const sessionLost = (): HoldfastError => new HoldfastError('UNCONFIRMED', 'the session was lost before the proof came');

function noProof(why: string): HoldfastError {
  return new HoldfastError('NO_PROOF', `receipt is not proven: ${why}`);
}
