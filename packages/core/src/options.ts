// What can be set, what is set if nobody does, and what is refused at the door?

import { HoldfastError } from './errors.ts';
import { isThenable, toHeaders, toProtocols, type Provider } from './request.ts';
import { resolveUrl } from './url.ts';
import {
  aFunction,
  anything,
  bad,
  frame,
  group,
  has,
  isBoolean,
  isFinite,
  isFunction,
  isNotNegative,
  notNegative,
  oneOf,
  positive,
  readGroup,
  whole,
  type Rule,
} from './rules.ts';
import { viewOf, type Binary, type Data } from './bytes.ts';
import type { Adapter, CloseInfo } from './adapter.ts';
import type { Codec } from './codec.ts';
import type { Handshake } from './handshake.ts';
import type { Policy } from './states.ts';
import type { QueuePolicy } from './fates.ts';
import type { SessionOption } from './session-layer.ts';

/** An AbortSignal, as far as it is used; its type is not named, since not every runtime has one. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** All durations are milliseconds. */
export interface ClientOptions<In = Data, Out = string | Binary> {
  /**
   * Subprotocols in order of preference, or a provider of them (RFC 6455 §1.9).
   * @default none
   */
  readonly protocols?: Provider<string | readonly string[]> | undefined;
  /**
   * Headers of the handshake, or a provider of them, where the runtime can set any (Node, some mini-programs). Elsewhere
   * asking for them throws `HEADERS_UNSUPPORTED`, for a browser would leave them out without a word.
   * @default none
   */
  readonly headers?: Provider<Readonly<Record<string, string>>> | undefined;
  /**
   * How long one attempt may take, from its beginning (providers included) to open (`handshake` included).
   * @default 10_000
   */
  readonly connectTimeout?: number | undefined;
  /**
   * How long `close()` may take to hand over what is queued and to hear the peer's half of the closing handshake. Then
   * the socket is dropped and the close told.
   * @default 2_000
   */
  readonly closeTimeout?: number | undefined;
  /** Pings that keep the path open and find out that it is dead; `false` for none. */
  readonly heartbeat?: HeartbeatOptions | false | undefined;
  /** When to dial again; `false` for never. */
  readonly reconnect?: ReconnectOptions | false | undefined;
  /** What may wait for a socket; `false` keeps nothing, so that a `send` while not open is refused as `not-open`. */
  readonly queue?: QueueOptions | false | undefined;
  /**
   * What is done about messages whose receipt is not proven when their socket ends. At most once: nothing; their number
   * is told by `close`. At least once: they are held within the queue's bounds until the reply to a ping proves that the
   * next WebSocket endpoint has them, and go out again first and in order on the next socket, so that some may come
   * twice. That needs a heartbeat, a queue, and a server that answers pings: against one that never does, the queue
   * fills up. What is given up is told by `drop`.
   * @default 'at-most-once'
   */
  readonly delivery?: 'at-most-once' | 'at-least-once' | undefined;
  /**
   * A session with a server that keeps one: `session()` of @holdfast/session. Messages arrive in order, none is missing
   * and none comes twice, both ways, across sockets and restarts of the server; or `lost` says so.
   * @default none
   */
  readonly session?: SessionOption | undefined;
  /**
   * Speaks first on every new socket, for instance to authenticate or to resubscribe: nothing queued goes out and `open`
   * is not told before it resolves. Rejecting fails the attempt; `throw new StopReconnecting()` ends the client. Inside
   * it `client.send` queues, and `client.opened()` and `client.flush()` would wait for themselves.
   * @default none
   */
  readonly handshake?: Handshake | undefined;
  /**
   * How values become frames and back, for instance `json()`.
   * @default none: strings and binary as they are
   */
  readonly codec?: Codec<In, Out> | undefined;
  /**
   * Ends the client when it aborts, with the reason `aborted`.
   * @default none
   */
  readonly signal?: AbortSignalLike | undefined;
  /**
   * Whether to dial at once. `false` waits for `client.connect()`.
   * @default true
   */
  readonly autoConnect?: boolean | undefined;
  /** The runtime. Packages for one bring their own; give another for a test or a new runtime. */
  readonly adapter?: Adapter | undefined;
}

export interface HeartbeatOptions {
  /**
   * Between two pings, on a strict cadence, whatever other traffic there is.
   * @default 30_000
   */
  readonly interval?: number | undefined;
  /**
   * How long any sign of life may take after a ping before the socket is given up.
   * @default 10_000
   */
  readonly timeout?: number | undefined;
  /**
   * The message that pings. Where the runtime has ping frames (Node) they are used, unless this is given.
   * @default 'ping'
   */
  readonly message?: string | Binary | undefined;
  /**
   * The frame that answers it, or a test for it, which is asked only while an answer is owed. Such a frame never
   * reaches `message`.
   * @default 'pong'
   */
  readonly reply?: string | ((data: Data) => boolean) | undefined;
  /**
   * Whether silence counts as death. `'auto'`: once this server has replied; before that a ping only keeps the path
   * open. With ping frames a reply is always expected, unless `false`.
   * @default 'auto'
   */
  readonly expectReply?: boolean | 'auto' | undefined;
}

export interface ReconnectOptions {
  /**
   * The first wait is a random part of this.
   * @default 2_500
   */
  readonly initialDelay?: number | undefined;
  /**
   * The longest wait is a random part of this.
   * @default 30_000
   */
  readonly maxDelay?: number | undefined;
  /**
   * How much longer each further wait may be.
   * @default 2
   */
  readonly factor?: number | undefined;
  /**
   * `'full'` draws each wait evenly from nothing to its bound, so that a crowd does not come back at once; `'none'`
   * waits the whole of it.
   * @default 'full'
   */
  readonly jitter?: 'full' | 'none' | undefined;
  /**
   * How long a connection must last before the failures that went before are forgotten.
   * @default 5_000
   */
  readonly stableAfter?: number | undefined;
  /**
   * How many redials in a row may fail to bring a stable connection; then the client ends as `exhausted`.
   * @default Infinity
   */
  readonly maxAttempts?: number | undefined;
  /**
   * The last word on a loss: `false` ends the client as `refused`, `true` dials again also after a refusal, a number is
   * the wait in milliseconds, `undefined` leaves it to the rules. Answers at once; what has to be awaited belongs into
   * a provider. It is asked within `maxAttempts`. `attempt` is the number of the redial it is about, from 1.
   * @default none
   */
  readonly shouldReconnect?: ((close: CloseInfo, attempt: number) => boolean | number | undefined) | undefined;
}

export interface QueueOptions {
  /** @default 1_000 */
  readonly maxMessages?: number | undefined;
  /**
   * In UTF-8 or binary bytes, all waiting messages together.
   * @default 1_048_576
   */
  readonly maxBytes?: number | undefined;
  /**
   * How long a message may wait before it is dropped as `expired`.
   * @default Infinity
   */
  readonly maxAge?: number | undefined;
  /**
   * At a bound: `'refuse'` the new message, or `'drop-oldest'` until it fits. Either is told by `drop` as `full`.
   * @default 'refuse'
   */
  readonly overflow?: 'refuse' | 'drop-oldest' | undefined;
  /**
   * Bytes that the platform may hold unsent before messages wait in our queue instead, where it can tell.
   * @default 1_048_576
   */
  readonly highWaterMark?: number | undefined;
}

/** Options with nothing left open. */
type Complete<T> = { readonly [Name in keyof T]-?: Exclude<T[Name], undefined> };

/** Every default there is. */
export const DEFAULTS = Object.freeze({
  connectTimeout: 10_000,
  closeTimeout: 2_000,
  autoConnect: true,
  delivery: 'at-most-once',
  heartbeat: Object.freeze<Complete<HeartbeatOptions>>({
    interval: 30_000,
    timeout: 10_000,
    message: 'ping',
    reply: 'pong',
    expectReply: 'auto',
  }),
  reconnect: Object.freeze<Omit<Complete<ReconnectOptions>, 'shouldReconnect'>>({
    initialDelay: 2_500,
    maxDelay: 30_000,
    factor: 2,
    jitter: 'full',
    stableAfter: 5_000,
    maxAttempts: Infinity,
  }),
  queue: Object.freeze<Complete<QueueOptions>>({
    maxMessages: 1_000,
    maxBytes: 1_048_576,
    maxAge: Infinity,
    overflow: 'refuse',
    highWaterMark: 1_048_576,
  }),
});

/** The options as the inner files want them. */
export interface Settings {
  readonly policy: Policy;
  readonly queue: QueuePolicy;
  readonly pingMessage: Data;
  readonly isReply: (data: Data) => boolean;
}

/**
 * Checks everything that was given, copies what is kept, and fills in the defaults.
 * @throws `INVALID_OPTION` naming the option and the value, `INVALID_URL`, `HEADERS_UNSUPPORTED`, `NO_ADAPTER`
 */
export function readOptions(
  url: Provider<string>,
  options: ClientOptions<never, never>,
  onThrow: (cause: unknown) => void,
): Settings {
  const { adapter, protocols, headers } = options;
  const { connectTimeout, closeTimeout } = readGroup('', options, DEFAULTS, RULES);
  if (!adapter) throw new HoldfastError('NO_ADAPTER', 'no adapter for this runtime; give one as options.adapter');
  if (headers !== undefined && !adapter.capabilities.headers) {
    throw new HoldfastError(
      'HEADERS_UNSUPPORTED',
      `${adapter.name} cannot set headers on a WebSocket; use a cookie, a subprotocol, the URL or the first message`,
    );
  }
  if (!isFunction(url)) resolveUrl(url, adapter);
  if (!isFunction(protocols)) toProtocols(protocols ?? []);
  if (!isFunction(headers)) toHeaders(headers);

  const heartbeat = readGroup('heartbeat.', options.heartbeat, DEFAULTS.heartbeat, HEARTBEAT_RULES);
  const { stableAfter, ...retry } = readGroup('reconnect.', options.reconnect, DEFAULTS.reconnect, RECONNECT_RULES);
  const queue = readGroup('queue.', options.queue, DEFAULTS.queue, QUEUE_RULES);
  const { shouldReconnect } = (options.reconnect || {}) as ReconnectOptions;
  if (options.delivery === 'at-least-once') {
    if (options.heartbeat === false)
      throw bad('heartbeat', "on with delivery: 'at-least-once', for replies prove", false);
    if (!(options.queue !== false && queue.maxMessages > 0)) {
      throw bad('queue', "one that holds messages with delivery: 'at-least-once'", options.queue);
    }
  }
  if (options.session?.mode === 'require') refuseWhatASessionDoes(options);
  const { message, reply } = heartbeat;
  return {
    policy: {
      connectTimeout,
      closeTimeout,
      stableAfter,
      hasHandshake: options.handshake !== undefined || options.session !== undefined,
      heartbeat: {
        interval: options.heartbeat === false ? Infinity : heartbeat.interval,
        timeout: heartbeat.timeout,
        expectReply: heartbeat.expectReply,
        frames: adapter.capabilities.pingFrames && !(options.heartbeat && options.heartbeat.message !== undefined),
        proves: options.delivery === 'at-least-once',
      },
      retry: {
        ...retry,
        maxAttempts: options.reconnect === false ? 0 : retry.maxAttempts,
        canHeal: [url, protocols, headers, options.handshake].some(isFunction) || options.session !== undefined,
        shouldReconnect: shouldReconnect && guarded(shouldReconnect, onThrow),
      },
    },
    queue: { ...queue, maxMessages: options.queue === false ? 0 : queue.maxMessages },
    pingMessage: typeof message === 'string' ? message : viewOf(message)!.slice(),
    isReply: typeof reply === 'function' ? recogniser(reply, onThrow) : (data) => data === reply,
  };
}

/** In a session the heartbeat, the first words and the proofs are its own. */
function refuseWhatASessionDoes({ heartbeat, handshake, delivery, queue }: ClientOptions<never, never>): void {
  const { message, reply } = (heartbeat || {}) as HeartbeatOptions;
  const own = 'left out with a required session, which has its own';
  if (message !== undefined) throw bad('heartbeat.message', own, message);
  if (reply !== undefined) throw bad('heartbeat.reply', own, reply);
  if (handshake !== undefined) throw bad('handshake', 'left out with a required session; use its auth', handshake);
  if (delivery !== undefined) throw bad('delivery', own, delivery);
  if (queue === false) throw bad('queue', 'one that holds messages, with a session', queue);
}

/** @throws `INVALID_OPTION` */
export function checkMaxAge(maxAge: number | undefined): void {
  readGroup('', { maxAge }, {}, { maxAge: notNegative });
}

/** The caller's test for a reply runs where frames are read, which must go on. */
function recogniser(isReply: (data: Data) => boolean, onThrow: (cause: unknown) => void): (data: Data) => boolean {
  return (data) => {
    try {
      return isReply(data);
    } catch (cause) {
      onThrow(cause);
      return false;
    }
  };
}

/** The caller's function may throw or answer nonsense; then the rules decide, and the fault is told. */
function guarded(
  ask: (close: CloseInfo, attempt: number) => unknown,
  onThrow: (cause: unknown) => void,
): (close: CloseInfo, attempt: number) => boolean | number | undefined {
  return (close, attempt) => {
    try {
      const answer = ask(close, attempt);
      if (answer === undefined || isBoolean(answer) || isFinite(answer)) return answer;
      const hint = isThenable(answer) ? ' (it has to answer at once; await in a provider instead)' : '';
      onThrow(bad('shouldReconnect', `a function that returns true, false or milliseconds${hint}`, answer));
    } catch (cause) {
      onThrow(cause);
    }
    return undefined;
  };
}

// ---- what each option must be

const RULES = {
  protocols: anything,
  headers: anything,
  connectTimeout: positive,
  closeTimeout: positive,
  heartbeat: group,
  reconnect: group,
  queue: group,
  delivery: oneOf('at-most-once', 'at-least-once'),
  session: ['made by session()', (value) => has(value, 'attach')],
  handshake: aFunction,
  codec: ['an object with encode and decode', (value) => has(value, 'encode', 'decode')],
  signal: ['an AbortSignal', (value) => has(value, 'addEventListener', 'removeEventListener')],
  autoConnect: ['true or false', isBoolean],
  adapter: ['an adapter', (value) => has(value, 'openSocket', 'now', 'wake', 'random')],
} satisfies Record<keyof ClientOptions, Rule>;

const HEARTBEAT_RULES = {
  interval: positive,
  timeout: positive,
  message: frame,
  reply: [
    'a string, not empty, or a function',
    (value) => isFunction(value) || (typeof value === 'string' && value !== ''),
  ],
  expectReply: oneOf('auto', true, false),
} satisfies Record<keyof HeartbeatOptions, Rule>;

const RECONNECT_RULES = {
  initialDelay: notNegative,
  maxDelay: ['a finite number of milliseconds, not negative', isFinite], // a wait without an end is none
  factor: ['a number of 1 or more', (value) => isNotNegative(value) && value >= 1],
  jitter: oneOf('full', 'none'),
  stableAfter: notNegative,
  maxAttempts: whole,
  shouldReconnect: aFunction,
} satisfies Record<keyof ReconnectOptions, Rule>;

const QUEUE_RULES = {
  maxMessages: whole,
  maxBytes: whole,
  maxAge: notNegative,
  overflow: oneOf('refuse', 'drop-oldest'),
  highWaterMark: notNegative,
} satisfies Record<keyof QueueOptions, Rule>;
