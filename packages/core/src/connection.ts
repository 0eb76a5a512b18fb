// Who performs what the machine decides?
//
// The driver: it owns the one socket, the one timer and the fast path, and decides nothing. Messages go round the
// machine: in, a comparison and a count; out, one look at the state.

import { createInbox, type HandshakeContext, type Inbox } from './handshake.ts';
import { deadlineOf, transition } from './machine.ts';
import { HoldfastError, isStopReconnecting } from './errors.ts';
import { isThenable } from './request.ts';
import { withAccessors } from './accessors.ts';
import type { Adapter, CloseInfo, Hint, Socket, SocketEvents, SocketRequest } from './adapter.ts';
import { isSame, type Data } from './bytes.ts';
import type { Effect, EndReason, Input, Policy, State, TellClose } from './states.ts';
import type { DialContext } from './request.ts';
import type { ErrorCode } from './errors.ts';

/** What a connection tells the one above it. `tell…` come last, when state, socket and timer are settled. */
export interface ConnectionHandler {
  message(data: Data): void;
  /** A frame that came while what is queued is handed over before a close; it is none of the application's any more. */
  lateMessage(data: Data): void;
  /** A socket is open: what is queued may go out. */
  socketOpened(): void;
  /** An attempt is over. Returns how many messages an open one took whose receipt is not proven; `undefined` if unknown. */
  socketEnded(opened: boolean, close: CloseInfo, asked: boolean): number | undefined;
  /** The host's late verdict on one message. */
  rejected(data: Data, cause: unknown): void;
  /** A ping is being written. Returns a mark that comes back with its reply. */
  pingWritten(): number;
  /** The peer's endpoint has everything that was handed over before that mark. */
  proven(mark: number): void;
  /** Hand over what is queued, and say `connection.drained()` when nothing is left. */
  drain(): void;
  /** No further socket in this life. Returns what tells it. */
  ended(why: EndReason, last: CloseInfo | undefined): () => void;
  /** When `due` wants to be called; `Infinity` for never. */
  wakeAt(): number;
  due(now: number): void;

  tellStatus(state: State): void;
  tellOpen(info: { protocol: string; reconnected: boolean }): void;
  tellClose(close: TellClose, unconfirmed: number | undefined): void;
  tellPong(roundTrip: number): void;
  tellWarning(code: ErrorCode): void;
}

export interface Connection {
  readonly state: State;
  /** The socket that messages may be handed to, or `undefined` unless open. */
  readonly openSocket: Socket | undefined;
  /** The same, also while what is queued is handed over before a close. */
  readonly drainSocket: Socket | undefined;
  /** A ping is out whose reply has not come. */
  readonly isReplyOwed: boolean;
  /** Since when a host that had suspended us does so no longer; `Infinity` while it does, `-Infinity` if it never did. */
  readonly awakeSince: number;
  /** True while the caller's handshake function itself is running (not while it waits). */
  readonly isInHandshake: boolean;
  /** When the oldest ping was written whose reply proves more than `mark`; `Infinity` if none is owed. */
  owedSince(mark: number): number;
  feed(input: Input): void;
  /** The queue's wake-up time has changed. */
  rearm(): void;
  drained(): void;
  /** The open socket is of no more use: it is closed with this code, and the next is dialled. */
  broken(code: number, cause: unknown): void;
  /** The oldest ping that is owed a reply was replied to, by a frame that `isReply` does not know. */
  replied(): void;
  /** Tells something after everything that is already being told. */
  tell(news: () => void): void;
}

export interface ConnectionParts {
  readonly adapter: Adapter;
  readonly policy: Policy;
  readonly handshake: ((context: HandshakeContext & Pick<Inbox, 'peek'>) => PromiseLike<void> | void) | undefined;
  /** A session layer speaks on this socket: its pings are its own, and a peer that speaks it must answer them. */
  readonly isSpoken: () => boolean;
  /** Where pings are messages: the message, and which frame is its reply. */
  readonly pingMessage: () => Data;
  readonly isReply: (data: Data) => boolean;
  readonly prepare: (context: DialContext) => SocketRequest | PromiseLike<SocketRequest>;
  /** Has the last word on what was prepared, just before it is dialled. */
  readonly offer: ((request: SocketRequest) => SocketRequest) | undefined;
  readonly handler: ConnectionHandler;
}

/** A ping whose reply is owed. */
interface OwedPing {
  readonly number: number;
  readonly at: number;
  readonly mark: number;
  /** What was written, where pings are messages. */
  readonly message: Data | undefined;
}

/** A server that replies to nothing is owed no endless list: this is eight hours of pings at the default interval. */
const MAX_OWED = 1_000;

export function createConnection(parts: ConnectionParts): Connection {
  const { adapter, policy, handler } = parts;
  let state: State = { name: 'idle' };
  let awakeSince = -Infinity; // Infinity: the host has suspended us

  // of the current socket
  let socket: Socket | undefined;
  let request: SocketRequest | undefined;
  let protocol = '';
  /** The generation whose messages count: that of an open or handshaking socket, else 0. */
  let live = 0;
  let received = 0;
  let owed: OwedPing[] = [];
  let pingNumber = 0;
  let inbox: Inbox | undefined;
  let isInHandshake = false;

  let lastClose: CloseInfo | undefined;
  let stopWatching: (() => void) | undefined;

  // ---- one step at a time: transition, perform, arm; then tell

  const inputs: Input[] = [];
  let isStepping = false;
  const tells: (() => void)[] = [];
  let isTelling = true; // until the caller has had a chance to add listeners
  void Promise.resolve().then(tellAll);

  /** Inputs that arrive while a step runs wait their turn, so every step sees a settled world. */
  function feed(input: Input): void {
    inputs.push(input);
    if (isStepping) return;
    isStepping = true;
    try {
      for (let next; (next = inputs.shift());) step(next);
    } finally {
      isStepping = false;
    }
    if (!isTelling) tellAll();
  }

  function step(input: Input): void {
    const before = state;
    const now = adapter.now();
    if (input.type === 'hint') {
      if (input.hint === 'suspend') awakeSince = Infinity;
      if (input.hint === 'resume' && awakeSince === Infinity) awakeSince = now;
    }
    const at = { now, random: adapter.random(), received, suspended: awakeSince === Infinity };
    const [after, effects] = transition(before, input, at, policy);
    state = after;
    live = isLive(after) ? after.generation : 0;
    if (before.name !== after.name) tell(() => handler.tellStatus(after));
    effects.forEach(perform);
    if (!hasSocket(after)) leaveSocket();
    watchWhile(after.name !== 'idle' && after.name !== 'closed');
    rearm();
  }

  /** Listeners hear in order, and each finds the world as it is: what it does to the connection is done when it returns. */
  function tell(news: () => void): void {
    tells.push(news);
    if (!isTelling && !isStepping) tellAll();
  }

  function tellAll(): void {
    isTelling = true;
    try {
      for (let news; (news = tells.shift());) news();
    } finally {
      isTelling = false;
    }
  }

  // ---- the one timer

  let cancelWake: (() => void) | undefined;
  let armedFor = Infinity;

  function rearm(): void {
    const at = Math.min(deadlineOf(state, awakeSince === Infinity) ?? Infinity, handler.wakeAt());
    if (at === armedFor) return;
    cancelWake?.();
    armedFor = at;
    cancelWake = at === Infinity ? undefined : adapter.wake(at, wakeUp);
  }

  function wakeUp(): void {
    armedFor = Infinity;
    cancelWake = undefined;
    const now = adapter.now();
    if (handler.wakeAt() <= now) handler.due(now);
    feed({ type: 'deadline' });
  }

  // ---- effects

  function perform(effect: Effect): void {
    switch (effect.type) {
      case 'prepare':
        return prepare(effect.generation, effect.attempt);
      case 'openSocket':
        received = 0;
        owed = [];
        socket = adapter.openSocket(request!, eventsOf(effect.generation));
        return;
      case 'shakeHands':
        return shakeHands(effect.generation, effect.reconnected);
      case 'ping':
        return writePing();
      case 'drain':
        return handler.drain();
      case 'closeSocket':
        return quietly(() => socket!.close(effect.code, effect.reason));
      case 'terminateSocket':
        return leaveSocket(true);
      case 'tellOpen': {
        const { reconnected } = effect;
        const info = { protocol, reconnected };
        const left = inbox ? inbox.rest() : [];
        inbox = undefined;
        handler.socketOpened();
        tell(() => handler.tellOpen(info));
        left.forEach((data) => tell(() => handler.message(data)));
        return;
      }
      case 'tellClose': {
        lastClose = effect.close;
        const unconfirmed = handler.socketEnded(effect.opened, effect.close, effect.asked);
        tell(() => handler.tellClose(effect, unconfirmed));
        return;
      }
      case 'tellEnd':
        tell(handler.ended(effect.why, effect.last ?? lastClose));
        lastClose = undefined; // a new life knows nothing of this one
        return;
      case 'warn':
        tell(() => handler.tellWarning(effect.code));
    }
  }

  function prepare(generation: number, attempt: number): void {
    const use = (prepared: SocketRequest): void => {
      if (!isCurrent(generation)) return; // given up meanwhile, and another may be on its way
      request = parts.offer ? parts.offer(prepared) : prepared;
      feed({ type: 'prepared', generation });
    };
    try {
      const prepared = parts.prepare({ attempt, lastClose });
      if (isThenable(prepared)) prepared.then(use, (cause) => fail(generation, cause));
      else use(prepared);
    } catch (cause) {
      fail(generation, cause);
    }
  }

  function shakeHands(generation: number, reconnected: boolean): void {
    const raw = socket!;
    const box = (inbox = createInbox());
    const send = (data: Data): void => {
      if (live !== generation) throw new Error('the socket is gone');
      raw.send(data);
    };
    isInHandshake = true;
    try {
      Promise.resolve(parts.handshake!({ send, next: box.next, peek: box.peek, protocol, reconnected })).then(
        () => feed({ type: 'handshaken', generation, mustReply: policy.heartbeat.frames || parts.isSpoken() }),
        (cause) => fail(generation, cause),
      );
    } catch (cause) {
      fail(generation, cause);
    } finally {
      isInHandshake = false;
    }
  }

  function fail(generation: number, cause: unknown): void {
    feed({ type: isStopReconnecting(cause) ? 'stopped' : 'failed', generation, cause });
  }

  function writePing(): void {
    const number = (pingNumber = (pingNumber + 1) >>> 0);
    const isFrame = policy.heartbeat.frames && !parts.isSpoken();
    const mark = handler.pingWritten();
    const message = isFrame ? undefined : parts.pingMessage();
    const ping = { number, at: adapter.now(), mark, message };
    if (owed.length < MAX_OWED) owed.push(ping);
    try {
      if (message === undefined) socket!.ping!(toBytes(number));
      else socket!.send(message);
    } catch {
      forget(ping);
    }
  }

  /** It was never sent, so nobody replies to it. */
  function forget(ping: OwedPing): void {
    owed = owed.filter((each) => each !== ping);
  }

  function drained(): void {
    if (state.name === 'closing') feed({ type: 'drained', generation: state.generation });
  }

  // ---- the socket

  function eventsOf(generation: number): SocketEvents {
    return {
      opened(info) {
        if (!isCurrent(generation)) return;
        protocol = info.protocol;
        feed({ type: 'socketOpened', generation });
      },
      message(data) {
        if (generation !== live) return lateMessage(data, generation);
        received++;
        if (owed.length !== 0 && !policy.heartbeat.frames && parts.isReply(data)) replied(owed.shift()!, generation);
        else if (inbox !== undefined) inbox.push(data);
        else if (tells.length !== 0) tellMessage(data);
        else handler.message(data);
      },
      pong(payload) {
        if (generation !== live && !isDraining(generation)) return;
        received++;
        // RFC 6455 §5.5.3: a peer may answer only the latest of several pings, which answers them all
        const index = owed.findIndex((ping) => ping.number === fromBytes(payload));
        if (index >= 0) replied(owed.splice(0, index + 1)[index]!, generation);
      },
      alive() {
        if (generation === live) received++;
      },
      rejected(data, cause) {
        if (generation !== live && !isDraining(generation)) return;
        const ping = owed.find((each) => each.message !== undefined && isSame(each.message, data));
        if (ping) return forget(ping);
        if (state.name !== 'connecting') handler.rejected(data, cause); // what a handshake says is nobody's message
      },
      closed(close) {
        feed({ type: 'socketClosed', generation, close });
      },
    };
  }

  /** While what is queued is handed over before a close, only what proves its receipt counts. */
  function lateMessage(data: Data, generation: number): void {
    if (!isDraining(generation)) return;
    if (owed.length !== 0 && !policy.heartbeat.frames && parts.isReply(data)) replied(owed.shift()!, generation);
    else handler.lateMessage(data);
  }

  function isDraining(generation: number): boolean {
    return state.name === 'closing' && state.phase === 'draining' && state.generation === generation;
  }

  /** Apart from the path of most messages, where a closure over `data` would be prepared whether or not it is made. */
  function tellMessage(data: Data): void {
    tell(() => handler.message(data));
  }

  function replied(ping: OwedPing, generation: number): void {
    const roundTrip = adapter.now() - ping.at;
    feed({ type: 'replied', generation });
    tells.push(() => handler.tellPong(roundTrip)); // before what the proof leads to, which may be the end
    handler.proven(ping.mark);
    if (!isTelling && !isStepping) tellAll();
  }

  /** Nothing of this socket counts from here on. A dead one is terminated: its close event may be a minute away. */
  function leaveSocket(terminate = false): void {
    if (terminate && socket) quietly(() => socket!.terminate());
    if (inbox) inbox.fail(new HoldfastError('HANDSHAKE_FAILED', 'the socket ended during the handshake'));
    socket = request = inbox = undefined;
    owed = [];
    live = 0;
  }

  function isCurrent(generation: number): boolean {
    return state.name === 'connecting' && state.generation === generation;
  }

  // ---- the platform's hints

  function watchWhile(wanted: boolean): void {
    if (wanted && !stopWatching && adapter.watch) {
      stopWatching = adapter.watch((hint: Hint) => feed({ type: 'hint', hint }));
    } else if (!wanted && stopWatching) {
      stopWatching();
      stopWatching = undefined;
      awakeSince = -Infinity; // whoever watches next is told at once if it still holds
    }
  }

  return withAccessors({
    get state() {
      return state;
    },
    get openSocket() {
      return state.name === 'open' ? socket : undefined;
    },
    get drainSocket() {
      return state.name === 'open' || (state.name === 'closing' && state.phase === 'draining') ? socket : undefined;
    },
    get isReplyOwed() {
      return owed.length !== 0;
    },
    get awakeSince() {
      return awakeSince;
    },
    get isInHandshake() {
      return isInHandshake;
    },
    owedSince(mark) {
      const ping = owed.find((each) => each.mark > mark);
      return ping ? ping.at : Infinity;
    },
    feed,
    rearm,
    drained,
    broken(code, cause) {
      if (state.name !== 'idle') feed({ type: 'broken', generation: state.generation, code, cause });
    },
    replied() {
      if (owed.length > 0 && state.name !== 'idle') replied(owed.shift()!, state.generation);
    },
    tell,
  });
}

function isLive(state: State): state is State & { name: 'open' | 'connecting' } {
  return state.name === 'open' || (state.name === 'connecting' && state.phase === 'handshaking');
}

function hasSocket(state: State): boolean {
  return state.name === 'connecting' || state.name === 'open' || state.name === 'closing';
}

/** A platform that throws here has lost the socket already, and says so by `closed`, or the heartbeat does. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // see above
  }
}

function toBytes(number: number): Uint8Array {
  return new Uint8Array([number >>> 24, number >>> 16, number >>> 8, number]);
}

function fromBytes(bytes: Uint8Array): number {
  return bytes.length === 4 ? ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0 : -1;
}
