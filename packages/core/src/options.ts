// What can be set, what is set if nobody does, and what is refused at the door?

import { HoldfastError, show } from './errors.ts';
import { isThenable, toHeaders, toProtocols, type Provider } from './request.ts';
import { resolveUrl } from './url.ts';
import { viewOf, type Binary, type Data } from './bytes.ts';
import type { Adapter, CloseInfo } from './adapter.ts';
import type { Codec } from './codec.ts';
import type { Handshake } from './handshake.ts';
import type { Policy } from './states.ts';
import type { QueuePolicy } from './delivery.ts';

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
   * is told by `close`.
   * @default 'at-most-once'
   */
  readonly delivery?: 'at-most-once' | undefined;
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

/** Every default there is. */
export const DEFAULTS = Object.freeze({
  connectTimeout: 10_000,
  closeTimeout: 2_000,
  autoConnect: true,
  delivery: 'at-most-once' as const,
  heartbeat: Object.freeze({
    interval: 30_000,
    timeout: 10_000,
    message: 'ping',
    reply: 'pong',
    expectReply: 'auto' as const,
  }),
  reconnect: Object.freeze({
    initialDelay: 2_500,
    maxDelay: 30_000,
    factor: 2,
    jitter: 'full' as const,
    stableAfter: 5_000,
    maxAttempts: Infinity,
  }),
  queue: Object.freeze({
    maxMessages: 1_000,
    maxBytes: 1_048_576,
    maxAge: Infinity,
    overflow: 'refuse' as const,
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
  const { adapter } = options;
  known('', options, OPTION_NAMES);
  if (!adapter)
    throw new HoldfastError('NO_ADAPTER', 'there is no adapter for this runtime; give one as options.adapter');
  if (typeof url !== 'function') resolveUrl(url, adapter.location);
  if (options.protocols !== undefined && typeof options.protocols !== 'function') toProtocols(options.protocols);
  if (options.headers !== undefined) {
    if (!adapter.capabilities.headers) {
      throw new HoldfastError(
        'HEADERS_UNSUPPORTED',
        `the ${adapter.name} runtime cannot set headers on a WebSocket; use a cookie, a subprotocol, the URL or the first message`,
      );
    }
    if (typeof options.headers !== 'function') toHeaders(options.headers);
  }
  optional('handshake', options.handshake, isFunction, 'a function');
  optional('signal', options.signal, isSignal, 'an AbortSignal');
  optional('codec', options.codec, isCodec, 'an object with encode and decode');
  optional('autoConnect', options.autoConnect, isBoolean, 'true or false');
  oneOf('delivery', options.delivery ?? DEFAULTS.delivery, ['at-most-once']);

  const heartbeat = readHeartbeat(options.heartbeat, adapter);
  return {
    policy: {
      connectTimeout: positive('connectTimeout', options.connectTimeout ?? DEFAULTS.connectTimeout),
      closeTimeout: positive('closeTimeout', options.closeTimeout ?? DEFAULTS.closeTimeout),
      hasHandshake: options.handshake !== undefined,
      heartbeat: heartbeat.policy,
      ...readReconnect(options, url, onThrow),
    },
    queue: readQueue(options.queue),
    pingMessage: heartbeat.message,
    isReply: heartbeat.isReply,
  };
}

/** @throws `INVALID_OPTION` */
export function checkMaxAge(value: number | undefined): void {
  if (value !== undefined) notNegative('maxAge', value);
}

/** The names of {@link ClientOptions}. A package with options of its own takes those out first. */
const OPTION_NAMES =
  'protocols headers connectTimeout closeTimeout heartbeat reconnect queue delivery handshake codec signal autoConnect adapter';

function readHeartbeat(given: HeartbeatOptions | false | undefined, adapter: Adapter) {
  const heartbeat = group('heartbeat', given, 'interval timeout message reply expectReply');
  const fallback = DEFAULTS.heartbeat;
  const message = heartbeat.message ?? fallback.message;
  const binary = typeof message === 'string' ? message : viewOf(message);
  if (binary === undefined || binary.length === 0)
    throw bad('heartbeat.message', 'a string or binary, not empty', message);
  const reply = heartbeat.reply ?? fallback.reply;
  if (typeof reply !== 'function' && (typeof reply !== 'string' || reply === '')) {
    throw bad('heartbeat.reply', 'a string, not empty, or a function', reply);
  }
  return {
    message: binary,
    isReply: typeof reply === 'function' ? reply : (data: Data) => data === reply,
    policy: {
      interval: given === false ? Infinity : positive('heartbeat.interval', heartbeat.interval ?? fallback.interval),
      timeout: positive('heartbeat.timeout', heartbeat.timeout ?? fallback.timeout),
      expectReply: oneOf<boolean | 'auto'>('heartbeat.expectReply', heartbeat.expectReply ?? fallback.expectReply, [
        'auto',
        true,
        false,
      ]),
      frames: adapter.capabilities.pingFrames && heartbeat.message === undefined,
    },
  };
}

function readReconnect(
  { reconnect: given, protocols, headers, handshake }: ClientOptions<never, never>,
  url: Provider<string>,
  onThrow: (cause: unknown) => void,
): Pick<Policy, 'retry' | 'stableAfter'> {
  const names = 'initialDelay maxDelay factor jitter stableAfter maxAttempts shouldReconnect';
  const reconnect = group('reconnect', given, names);
  const fallback = DEFAULTS.reconnect;
  const { shouldReconnect } = reconnect;
  optional('reconnect.shouldReconnect', shouldReconnect, isFunction, 'a function');
  const maxAttempts = given === false ? 0 : (reconnect.maxAttempts ?? fallback.maxAttempts);
  const factor = reconnect.factor ?? fallback.factor;
  if (!(factor >= 1)) throw bad('reconnect.factor', 'a number of 1 or more', factor);
  return {
    stableAfter: notNegative('reconnect.stableAfter', reconnect.stableAfter ?? fallback.stableAfter),
    retry: {
      initialDelay: notNegative('reconnect.initialDelay', reconnect.initialDelay ?? fallback.initialDelay),
      maxDelay: notNegative('reconnect.maxDelay', reconnect.maxDelay ?? fallback.maxDelay),
      factor,
      jitter: oneOf('reconnect.jitter', reconnect.jitter ?? fallback.jitter, ['full', 'none']),
      maxAttempts: count('reconnect.maxAttempts', maxAttempts),
      canHeal: handshake !== undefined || [url, protocols, headers].some(isFunction),
      shouldReconnect: shouldReconnect && guarded(shouldReconnect, onThrow),
    },
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
      if (answer === undefined || typeof answer === 'boolean' || isWait(answer)) return answer;
      const hint = isThenable(answer) ? ' (it has to answer at once; await in a provider instead)' : '';
      onThrow(bad('shouldReconnect', `a function that returns true, false or milliseconds${hint}`, answer));
    } catch (cause) {
      onThrow(cause);
    }
    return undefined;
  };
}

function readQueue(given: QueueOptions | false | undefined): QueuePolicy {
  const queue = group('queue', given, 'maxMessages maxBytes maxAge overflow highWaterMark');
  const fallback = DEFAULTS.queue;
  return {
    maxMessages: given === false ? 0 : count('queue.maxMessages', queue.maxMessages ?? fallback.maxMessages),
    maxBytes: count('queue.maxBytes', queue.maxBytes ?? fallback.maxBytes),
    maxAge: notNegative('queue.maxAge', queue.maxAge ?? fallback.maxAge),
    overflow: oneOf('queue.overflow', queue.overflow ?? fallback.overflow, ['refuse', 'drop-oldest']),
    highWaterMark: notNegative('queue.highWaterMark', queue.highWaterMark ?? fallback.highWaterMark),
  };
}

// ---- checks; each names the option and the value

function group<T extends object>(name: string, given: T | false | undefined, names: string): Partial<T> {
  if (given === undefined || given === false) return {};
  if (typeof given !== 'object' || given === null) throw bad(name, 'an object or false', given);
  known(`${name}.`, given, names);
  return given;
}

function known(prefix: string, given: object, names: string): void {
  Object.keys(given).forEach((name) => {
    if (names.split(' ').indexOf(name) < 0) {
      throw new HoldfastError('INVALID_OPTION', `${prefix}${name} is not an option; there are: ${names}`);
    }
  });
}

function optional(name: string, value: unknown, fits: (value: unknown) => boolean, rule: string): void {
  if (value !== undefined && !fits(value)) throw bad(name, rule, value);
}

function oneOf<T>(name: string, value: T, allowed: readonly T[]): T {
  if (allowed.indexOf(value) < 0) throw bad(name, `one of ${allowed.map(show).join(', ')}`, value);
  return value;
}

function positive(name: string, value: number): number {
  if (!(isWait(value) && value > 0)) throw bad(name, 'a positive number of milliseconds', value);
  return value;
}

function notNegative(name: string, value: number): number {
  if (!isWait(value)) throw bad(name, 'a number, not negative', value);
  return value;
}

function count(name: string, value: number): number {
  if (!isWait(value) || (value !== Infinity && value % 1 !== 0)) throw bad(name, 'a whole number, not negative', value);
  return value;
}

const isWait = (value: unknown): value is number => typeof value === 'number' && value >= 0;
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isSignal = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && isFunction((value as AbortSignalLike).addEventListener);
const isCodec = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  isFunction((value as Codec<unknown, unknown>).encode) &&
  isFunction((value as Codec<unknown, unknown>).decode);

function bad(name: string, rule: string, value: unknown): HoldfastError {
  return new HoldfastError('INVALID_OPTION', `${name} must be ${rule}, got ${show(value)}`, { value });
}
