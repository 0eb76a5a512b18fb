// What does the client's half of a session do, from the offer of the first dial to the last word?

import {
  HoldfastError,
  type CloseInfo,
  type Data,
  type HandshakeContext,
  type SessionHost,
  type SessionLayer,
} from '@holdfast/core';
import { progressOf, type Replay } from './progress.ts';
import type { Keeper } from './keeper.ts';
import type { Settings } from './options.ts';
import {
  END,
  QUERY,
  SUBPROTOCOL,
  decodeFromServer,
  encodeAck,
  encodeMessage,
  encodeOpen,
  encodePing,
  encodeResume,
  encodeVolatile,
  type HelloFrame,
  type ReadyFrame,
} from './wire.ts';
import { MAX_AMOUNT, MAX_HOLDERS, MAX_TAG, PROTOCOL, STALE, SUPERSEDED } from './frames.ts';

/** The current socket: `none`, `dialling` until it is open, `greeting` until both agree, then `plain` or `speaking`. */
type Phase = 'none' | 'dialling' | 'greeting' | 'plain' | 'speaking';

/**
 * What has come is acknowledged at the first of: so many messages, this share of the bytes that the server holds for us,
 * so many milliseconds after the first; and with every ping. Nothing waits for a timer while messages come quickly, so
 * timing caps no throughput.
 */
const ACK_MESSAGES = 32;
const ACK_SHARE = 4;
const ACK_DELAY = 250;

/** Codes by which a server says that a message is at fault. */
const BLAMES = [1002, 1003, 1007, 1009, 1011];
/**
 * Sockets in a row that end with the same message first unacknowledged make it suspect: so much each that closed with one
 * of these codes, 1 each that went without a word, for mostly that is a bad network. It is condemned by three of the ones,
 * or twenty of the others.
 */
const BLAME = 7;
const CONDEMNED = 20;
/** Times in a row that the protocol is broken, with nothing got through in between, until the session is given up. */
const STRIKES = 3;

/** RFC 6455 §7.4.1. */
const NORMAL = 1000;

export function createLayer(settings: Settings, host: SessionHost): SessionLayer {
  const isRequired = settings.mode === 'require';
  const byQuery = settings.negotiate === 'query';

  // of the session
  let session: { readonly sid: string; readonly token: string } | undefined;
  let attempt = 0;
  let received = 0;
  let tag = 0;

  // of this process, and of those in whose place it came
  const holder = Math.floor(host.random() * (MAX_TAG + 1));
  let holders: number[] = [];

  // of the server, as it said last
  let maxMessage = settings.maxMessage;
  let window = Infinity;
  let ttl = 0;

  // of the current socket
  let phase: Phase = 'none';
  let incoming: Replay;
  let outgoing: Replay;
  let current: HandshakeContext | undefined;
  let helloAt = Infinity;
  let owed = 0;
  let owedBytes = 0;
  let ackAt = Infinity;
  let helloIsLate: () => void = () => {};

  // over sockets
  let offers = true;
  let lastSpoke = host.now(); // an earlier process may have, until just now
  let strikes = 0;
  let suspicion = 0;

  const keeper: Keeper | undefined =
    settings.storage &&
    settings.storage.keep(host, {
      read: () => ({ session, attempt, holders, received, tag, ttl }),
      restore: (kept) => ({ session, attempt, holders, received, tag, ttl } = kept),
    });

  function changed(): void {
    if (keeper) keeper.changed();
  }

  // ---- coming to terms

  const shakeHands: SessionLayer['shakeHands'] = (context) => {
    phase = 'greeting';
    current = context;
    const isOther = !byQuery && context.protocol !== '' && context.protocol !== SUBPROTOCOL;
    const greeting = isOther || !offers ? undefined : greetingOf(context.peek);
    return Promise.all([greeting, keeper && keeper.loaded]).then(([hello]): PromiseLike<void> | void => {
      checkIsCurrent(context);
      if (hello) return context.next().then(() => agree(hello, context));
      if (isRequired) throw new HoldfastError('SESSION_UNSUPPORTED', 'the server did not greet us');
      if (session) lose('downgrade');
      phase = 'plain';
      if (host.handshake) return host.handshake(context);
    });
  };

  /** A socket may die between a frame of its and the turn of the promise that waits for it. */
  function checkIsCurrent(context: HandshakeContext): void {
    if (context !== current) throw broken('too late');
  }

  /** The server's greeting; `undefined` for any other first frame, or none in time. */
  function greetingOf(peek: () => Promise<Data>): Promise<HelloFrame | undefined> {
    helloAt = host.now() + settings.helloTimeout;
    host.rearm();
    return Promise.race([peek(), new Promise<Data>((resolve) => (helloIsLate = () => resolve('')))]).then((data) => {
      helloAt = Infinity;
      const frame = decodeFromServer(data);
      return frame.type === 'hello' ? frame : undefined;
    });
  }

  function agree(hello: HelloFrame, context: HandshakeContext): Promise<void> {
    maxMessage = Math.min(settings.maxMessage, hello.maxMessage);
    window = hello.window;
    ttl = hello.ttl;
    const asked = session;
    const { auth } = settings;
    return Promise.resolve()
      .then(() => (typeof auth === 'function' ? (auth as () => unknown)() : auth))
      .then((said) => {
        checkIsCurrent(context);
        attempt++;
        // the oldest stays: of the others nobody knows whether the server has ever heard
        if (holders.indexOf(holder) < 0 && holders.push(holder) > MAX_HOLDERS) holders.splice(1, 1);
        if (keeper) keeper.saveNow(); // a number is never used twice
        const { written: sent, proven: acked } = host.queue;
        const claim = {
          attempt,
          holders,
          window: Math.min(host.maxBytes, MAX_AMOUNT) || 1,
          auth: said,
          received,
          tag,
          acked,
          sent,
        };
        context.send(asked ? encodeResume(Object.assign(claim, asked)) : encodeOpen(claim));
        return context.next();
      })
      .then(answered);

    function answered(data: Data): PromiseLike<void> | void {
      checkIsCurrent(context);
      const frame = decodeFromServer(data);
      if (frame.type === 'ready') return ready(frame, asked);
      if (frame.type === 'lost' && asked) {
        lose(frame.reason);
        return agree(hello, context);
      }
      if (frame.type !== 'lost' && frame.type !== 'unknown') throw broken(`${frame.type} out of place`);
      // of a new session the server says no with a close, which has its own meaning: wait for that
      return context.next().then(answered);
    }
  }

  function ready(frame: ReadyFrame, asked: typeof session): void {
    const { queue } = host;
    const { sid, token } = frame;
    if (asked ? sid !== asked.sid : !token || frame.received) throw broken('a wrong ready');
    if (!asked) {
      session = { sid, token: token! };
      received = tag = strikes = suspicion = 0;
      queue.begin();
    }
    if (frame.received < queue.proven || frame.received > queue.written || frame.stored < received) {
      lose('regressed');
      throw broken('a wrong ready');
    }
    phase = 'speaking';
    holders = [holder];
    incoming = { direction: 'in', from: received, to: frame.stored };
    outgoing = { direction: 'out', from: frame.received, to: queue.written };
    if (frame.received > queue.proven) strikes = suspicion = 0;
    queue.prove(frame.received);
    changed();
    host.tell('session', { resumed: !!asked });
  }

  // ---- speaking

  function heard(data: Data, isClosing: boolean): void {
    if (phase === 'plain' && !isClosing) return host.deliver(data);
    if (phase !== 'speaking') return;
    const frame = decodeFromServer(data);
    switch (frame.type) {
      case 'message':
        if (isClosing) return;
        if (frame.seq > received + 1) return breach('a gap');
        if (frame.seq <= received) return acknowledge(); // it has not heard that we have it
        received = frame.seq;
        tag = frame.tag;
        strikes = 0;
        changed();
        owe(frame.data.length);
        move(incoming, received - 1, received);
        return host.deliver(frame.data);
      case 'volatile':
        return isClosing ? undefined : host.deliver(frame.data);
      case 'pong':
      case 'ack':
        acknowledged(frame.received);
        if (frame.type === 'pong') host.replied();
        return;
      case 'end':
        host.fail(NORMAL, new HoldfastError('SESSION_LOST', 'the server ended it'));
        return lose('ended');
      case 'invalid':
        return breach(frame.why);
      default:
        if (frame.type !== 'unknown') breach(`${frame.type} out of place`);
    }
  }

  function acknowledged(seq: number): void {
    const { queue } = host;
    if (seq > queue.written) return breach('ack out of place');
    if (seq <= queue.proven) return;
    const before = queue.proven;
    strikes = suspicion = 0;
    changed();
    queue.prove(seq);
    move(outgoing, before, seq); // last, for whoever hears of it may end all this
  }

  function move(replay: Replay, before: number, now: number): void {
    const progress = progressOf(replay, before, now);
    if (progress) host.tell('progress', progress);
  }

  function owe(size: number): void {
    owedBytes += size;
    if (owed++ === 0) {
      ackAt = host.now() + ACK_DELAY;
      host.rearm();
    }
    if (owed >= ACK_MESSAGES || owedBytes * ACK_SHARE >= window) acknowledge();
  }

  function acknowledge(): void {
    settle();
    host.write(encodeAck(received));
  }

  function settle(): void {
    owed = owedBytes = 0;
    ackAt = Infinity;
  }

  // ---- losing

  /** Whatever was agreed on is over, and so are its messages, but for those that are carried over. */
  function lose(reason: string): void {
    const { queue } = host;
    const left = queue.giveUp(settings.carryUnsent && reason !== 'ended');
    session = undefined;
    received = tag = 0;
    queue.begin();
    changed();
    host.tell('lost', Object.assign({ reason }, left));
  }

  function broken(why: string): HoldfastError {
    return new HoldfastError('SESSION_PROTOCOL', `the server said: ${why}`);
  }

  /** The socket goes first: whoever hears of the loss may send, and that is for the next one. */
  function breach(why: string): void {
    host.fail(PROTOCOL, broken(why));
    strike();
  }

  function strike(): void {
    if (++strikes >= STRIKES && session) lose('protocol');
  }

  /** What the end of a socket says about the session; `isTelling`: and perhaps about a message. */
  function judge({ code }: CloseInfo, isTelling: boolean): void {
    if (code === STALE || code === SUPERSEDED) return lose('taken'); // another holder of the same token
    const { written, proven } = host.queue;
    if (code === PROTOCOL) return strike();
    if (isTelling && written > proven) suspicion += BLAMES.indexOf(code) < 0 ? 1 : BLAME;
    if (suspicion >= CONDEMNED) lose('poison');
  }

  return {
    get isSpeaking() {
      return phase === 'speaking';
    },
    get maxMessage() {
      return phase === 'plain' ? Infinity : maxMessage;
    },
    load() {
      if (keeper) keeper.load();
    },
    offer(request) {
      phase = 'dialling';
      const { url, protocols } = request;
      const offered = byQuery
        ? { url: url + (url.indexOf('?') < 0 ? '?' : '&') + QUERY }
        : { protocols: (offers ? [SUBPROTOCOL] : []).concat(protocols) };
      return Object.assign({}, request, offered);
    },
    shakeHands,
    frame: (data, seq) => encodeMessage(seq, 0, data),
    volatile: encodeVolatile,
    ping() {
      settle();
      return encodePing(received);
    },
    received: heard,
    heldChanged: changed,
    leaving() {
      host.write(END);
      session = undefined;
    },
    socketEnded(close, wasOurs) {
      const was = phase;
      phase = 'none';
      current = undefined;
      helloAt = Infinity;
      settle();
      // where plain is allowed, a dial that failed before it was open may have failed for our offer
      const mayBeDisliked = was === 'dialling' && !isRequired && (!session || host.now() - lastSpoke > ttl);
      offers = byQuery || !(mayBeDisliked && offers);
      if (was === 'speaking') lastSpoke = host.now();
      if (session) judge(close, was === 'speaking' && !wasOurs);
    },
    ended() {
      if (session) lose('ended');
      if (keeper) keeper.remove();
    },
    wakeAt: () => Math.min(helloAt, ackAt),
    due(now) {
      if (helloAt <= now) helloIsLate();
      if (ackAt <= now) acknowledge();
    },
  };
}
