// What does the client's half of a session do, from the offer of the first dial to the last word?

import {
  HoldfastError,
  type CloseInfo,
  type Data,
  type HandshakeContext,
  type SessionHost,
  type SessionLayer,
} from '@holdfast/core';
import { createAcks } from './acks.ts';
import { createProgress } from './progress.ts';
import type { Keeper } from './keeper.ts';
import type { Settings } from './options.ts';
import {
  CLOSE,
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

/** The current socket: `none`, `dialling` until it is open, `greeting` until both agree, then `plain` or `speaking`. */
type Phase = 'none' | 'dialling' | 'greeting' | 'plain' | 'speaking';

/** Codes by which a server says that a message is at fault. */
const BLAMES = [1002, 1003, 1007, 1009, 1011];
/** Sockets in a row that die so with the same message first unacknowledged until it is taken for the cause. */
const BLAMED = 3;
/** The same of sockets that died without a word before anything got through: mostly that is a bad network. */
const BARREN = 20;
/** Times in a row that the protocol is broken, with nothing got through in between, until the session is given up. */
const STRIKES = 3;

/** RFC 6455 §7.4.1. */
const NORMAL = 1000;

export function createLayer(settings: Settings, host: SessionHost): SessionLayer {
  const isRequired = settings.mode === 'require';

  // of the session
  let session: { readonly sid: string; readonly token: string } | undefined;
  let attempt = 0;
  let received = 0;
  let tag = 0;

  // of the server, as it said last
  let maxMessage = settings.maxMessage;
  let window = Infinity;
  let ttl = 0;

  // of the current socket
  let phase: Phase = 'none';
  let wasAcked = false;
  let wasHeard = false;
  let handshakes = 0;
  let helloAt = Infinity;
  let helloIsLate: () => void = () => {};

  // over sockets
  let offers = true;
  let lastSpoke = 0;
  let strikes = 0;
  let blamed = 0;
  let barren = 0;

  const acks = createAcks(() => window);
  const progress = createProgress((event) => host.tell('progress', event));
  const keeper: Keeper | undefined = settings.storage?.keep({
    report: host.report,
    read: () => ({ session, attempt, received, tag, proven: host.queue.proven, held: heldNow() }),
    restore(snapshot) {
      ({ session, attempt, received, tag } = snapshot);
      host.queue.restore(snapshot.proven, snapshot.held);
    },
  });

  function heldNow(): readonly { readonly data: Data; readonly written: boolean }[] {
    const { written, proven } = host.queue;
    return host.queue.all().map(({ data }, i) => ({ data, written: i < written - proven }));
  }

  // ---- coming to terms

  const shakeHands: SessionLayer['shakeHands'] = (context) => {
    phase = 'greeting';
    const number = ++handshakes;
    /** A socket may die between a frame of its and the turn of the promise that waits for it. */
    const checkIsCurrent = (): void => {
      if (phase !== 'greeting' || number !== handshakes) throw broken('nothing that still counts');
    };
    const isOther = context.protocol !== '' && context.protocol !== SUBPROTOCOL && settings.negotiate !== 'query';
    const greeting = isOther || !offers ? Promise.resolve(undefined) : greetingOf(context.peek);
    return Promise.resolve(keeper && keeper.loaded)
      .then(() => greeting)
      .then((hello): PromiseLike<void> | void => {
        checkIsCurrent();
        if (hello) return context.next().then(() => agree(hello, context, checkIsCurrent));
        if (isRequired) throw new HoldfastError('SESSION_UNSUPPORTED', 'no greeting of a server that keeps sessions');
        if (session) lose('downgrade');
        phase = 'plain';
        if (host.handshake) return host.handshake(context);
      });
  };

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

  function agree(hello: HelloFrame, context: HandshakeContext, checkIsCurrent: () => void): Promise<void> {
    maxMessage = Math.min(settings.maxMessage, hello.maxMessage);
    window = hello.window;
    ttl = hello.ttl;
    const asked = session;
    const { auth } = settings;
    return new Promise<unknown>((resolve) => resolve(typeof auth === 'function' ? (auth as () => unknown)() : auth))
      .then((said) => {
        checkIsCurrent();
        attempt++;
        keeper?.saveNow(); // a number is never used twice
        const { written: sent, proven: acked } = host.queue;
        const mine = { attempt, window: host.maxBytes, auth: said };
        context.send(
          asked ? encodeResume(Object.assign({ received, tag, acked, sent }, asked, mine)) : encodeOpen(mine),
        );
        return context.next();
      })
      .then((data) => {
        checkIsCurrent();
        const frame = decodeFromServer(data);
        if (frame.type === 'ready') return ready(frame, asked);
        if (frame.type !== 'lost') throw broken(`${frame.type} instead of ready`);
        // of a new session the server says no with a close, which has its own meaning: wait for that
        if (!asked) return context.next().then(() => Promise.reject(broken('no close after lost')));
        lose(frame.reason);
        return agree(hello, context, checkIsCurrent);
      });
  }

  function ready(frame: ReadyFrame, asked: typeof session): void {
    const { queue } = host;
    if (!asked) {
      if (frame.token === undefined) throw broken('ready without a token');
      session = { sid: frame.sid, token: frame.token };
      received = tag = 0;
      queue.begin();
    } else if (frame.sid !== asked.sid) throw broken('ready for another session');
    if (frame.received < queue.proven || frame.received > queue.written || frame.stored < received) {
      lose('regressed');
      throw broken('ready out of range');
    }
    phase = 'speaking';
    queue.prove(frame.received);
    progress.begin('in', frame.stored - received);
    progress.begin('out', queue.written - queue.proven);
    keeper?.changed();
    host.tell('session', { resumed: asked !== undefined });
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
        wasHeard = true;
        keeper?.changed();
        owe(frame.data.length);
        progress.more('in', 1);
        return host.deliver(frame.data);
      case 'volatile':
        return isClosing ? undefined : host.deliver(frame.data);
      case 'pong':
      case 'ack':
        acknowledged(frame.received);
        if (frame.type === 'pong') host.replied();
        return;
      case 'end':
        host.fail(NORMAL, new HoldfastError('SESSION_LOST', 'the server has ended the session'));
        return lose('ended');
      case 'unknown':
        return;
      case 'invalid':
        return breach(frame.why);
      default:
        return breach(`${frame.type} out of place`);
    }
  }

  function acknowledged(seq: number): void {
    const { queue } = host;
    if (seq > queue.written) return breach('an ack of what was not sent');
    if (seq <= queue.proven) return;
    wasAcked = true;
    progress.more('out', seq - queue.proven);
    keeper?.changed();
    queue.prove(seq);
  }

  function owe(size: number): void {
    const wasDue = acks.dueAt;
    if (acks.owe(size, host.now)) acknowledge();
    else if (acks.dueAt !== wasDue) host.rearm();
  }

  function acknowledge(): void {
    acks.settle();
    host.write(encodeAck(received));
  }

  // ---- losing

  /** Whatever was agreed on is over, and so are its messages, but for those that are carried over. */
  function lose(reason: string): void {
    const left = host.queue.giveUp(settings.carryUnsent && reason !== 'ended');
    session = undefined;
    received = tag = strikes = blamed = barren = 0;
    host.queue.begin();
    keeper?.changed();
    host.tell('lost', Object.assign({ reason }, left));
  }

  function broken(why: string): HoldfastError {
    return new HoldfastError('SESSION_PROTOCOL', `the server said: ${why}`);
  }

  /** The socket goes first: whoever hears of the loss may send, and that is for the next one. */
  function breach(why: string): void {
    host.fail(CLOSE.protocol, broken(why));
    strike();
  }

  function strike(): void {
    if (++strikes >= STRIKES && session) lose('protocol');
  }

  /** What the end of a socket says about the session. */
  function judge({ code }: CloseInfo, wasSpeaking: boolean): void {
    if (code === CLOSE.stale || code === CLOSE.superseded) return lose('taken'); // another holder of the same token
    const { written, proven } = host.queue;
    if (wasHeard || wasAcked) strikes = 0;
    if (wasAcked) blamed = barren = 0; // what we hear says nothing of what it can bear to hear
    if (code === CLOSE.protocol) return strike();
    if (!wasSpeaking || written === proven) return;
    if (BLAMES.indexOf(code) >= 0) blamed++;
    else if (!wasAcked) barren++;
    if (blamed >= BLAMED || barren >= BARREN) lose('poison');
  }

  /** Where plain is allowed and the last dial failed before it was open, it may have been our offer that was disliked. */
  function learnFromFailedDial(): void {
    if (isRequired || settings.negotiate === 'query') return;
    if (!session || host.now() - lastSpoke > ttl) offers = !offers;
  }

  return {
    get isSpeaking() {
      return phase === 'speaking';
    },
    get maxMessage() {
      return phase === 'plain' ? Infinity : maxMessage;
    },
    offer(request) {
      keeper?.load();
      phase = 'dialling';
      if (settings.negotiate === 'query') {
        return Object.assign({}, request, { url: `${request.url}${request.url.indexOf('?') < 0 ? '?' : '&'}${QUERY}` });
      }
      return offers ? Object.assign({}, request, { protocols: [SUBPROTOCOL].concat(request.protocols) }) : request;
    },
    shakeHands,
    frame: (data, seq) => encodeMessage(seq, 0, data),
    volatile: encodeVolatile,
    ping() {
      acks.settle();
      return encodePing(received);
    },
    received: heard,
    heldChanged: () => keeper?.changed(),
    leaving() {
      host.write(END);
      session = undefined;
    },
    socketEnded(close) {
      const was = phase;
      phase = 'none';
      helloAt = Infinity;
      acks.settle();
      if (was === 'dialling') return learnFromFailedDial();
      offers = true;
      if (was === 'speaking') lastSpoke = host.now();
      if (session && (was === 'speaking' || was === 'greeting')) judge(close, was === 'speaking');
      wasAcked = wasHeard = false;
    },
    ended() {
      if (session) lose('ended');
      phase = 'none';
      keeper?.remove();
    },
    wakeAt: () => Math.min(helloAt, acks.dueAt),
    due(now) {
      if (helloAt <= now) {
        helloAt = Infinity;
        helloIsLate();
      }
      if (acks.dueAt <= now) acknowledge();
    },
  };
}
