// What do people hold?

import { HoldfastError, show, type ErrorCode } from './errors.ts';
import { checkMaxAge, readOptions, type ClientOptions } from './options.ts';
import { createConnection, type ConnectionHandler } from './connection.ts';
import { createDelivery } from './delivery.ts';
import { createListeners } from './listeners.ts';
import { createReader, type MessageReader, type ReaderFeed } from './messages.ts';
import { isClosable, NORMAL, trimReason } from './close-codes.ts';
import { isHoldfastError } from './errors.ts';
import { prepareRequest, type Provider } from './request.ts';
import { viewOf, type Binary, type Data } from './bytes.ts';
import { withAccessors } from './accessors.ts';
import type { CloseInfo } from './adapter.ts';
import type { DropReason, SendOptions, SendResult } from './fates.ts';
import type { EndReason, State } from './states.ts';
import type { Leftovers, ProgressEvent, SessionEvent, SessionHost } from './session-layer.ts';

/**
 * Where a client is:
 * - `idle`: made with `autoConnect: false` and not yet asked to connect
 * - `connecting`: its first dials, none of which has opened yet
 * - `open`: messages go out at once
 * - `reconnecting`: waiting for the next dial, or dialling again
 * - `suspended`: the host has hidden the app and cut its network; dials would fail, so none is made
 * - `closing`: `close()` was called and is not done
 * - `closed`: ended; `connect()` begins a new life
 */
export type Status = 'idle' | 'connecting' | 'open' | 'reconnecting' | 'suspended' | 'closing' | 'closed';

/** One attempt is over. */
export interface CloseEvent extends CloseInfo {
  /** It was ours: `close()`, `reconnect()` or the signal. */
  readonly asked: boolean;
  /** It had been open; false for an attempt that failed. */
  readonly opened: boolean;
  /** Whether there is a further dial. */
  readonly willReconnect: boolean;
  /** Milliseconds until then; `undefined` if there is none, or if the host has suspended us. */
  readonly delay: number | undefined;
  /**
   * How many of the messages handed to this socket may not have arrived: an upper bound, the last n since the last
   * proof. `undefined` if this server has never proven anything.
   */
  readonly unconfirmed: number | undefined;
}

/** A message will not arrive, and this is why. */
export interface DropEvent<Out> {
  /** What was given to `send`. (A host's late verdict brings the frame instead, where there is a codec.) */
  readonly data: Out;
  readonly reason: DropReason;
  /** What the platform said, for `rejected`. */
  readonly cause: unknown;
}

/**
 * A session is over, and these messages with it. `inDoubt` were written to a socket and never acknowledged: they may or
 * may not have arrived. `unsent` have not. A new session begins by itself, without them.
 */
export interface LostEvent<Out> {
  /**
   * What ended it: `expired`, `unknown`, `overflow`, `regressed`, `unauthorized`, `ended`, as the server says;
   * `taken` by another holder of the same token; `protocol`, `poison`, `downgrade`, as we found.
   */
  readonly reason: string;
  readonly inDoubt: readonly Out[];
  readonly unsent: readonly Out[];
}

export interface ClientEvents<In, Out> {
  /** A socket is open, and what was queued is on its way. `reconnected` is false only for the first of a life. */
  open: (event: { readonly protocol: string; readonly reconnected: boolean }) => void;
  message: (data: In) => void;
  /** Once for each attempt that is over, opened or not. */
  close: (event: CloseEvent) => void;
  status: (status: Status) => void;
  drop: (event: DropEvent<Out>) => void;
  /** A heartbeat was answered; milliseconds there and back. */
  pong: (roundTrip: number) => void;
  /** The queue has room again, after a send was refused as `full` or held back by a slow network. */
  writable: () => void;
  /** With the option `session`: one stands, for this socket and the next ones. */
  session: (event: SessionEvent) => void;
  /** With the option `session`: one is lost, once each. */
  lost: (event: LostEvent<Out>) => void;
  /** With the option `session`: how far a long replay is. */
  progress: (event: ProgressEvent) => void;
  /** Something went wrong that nobody's call or promise tells. Without a listener: `console.error`, once per code. */
  error: (error: HoldfastError) => void;
  /** The life is over, also after the caller's own `close()`. Once per life. */
  end: (event: { readonly reason: EndReason; readonly lastClose: CloseInfo | undefined }) => void;
}

/** Keeps a WebSocket alive. `In` is what `message` gives, `Out` what `send` takes; the codec says which. */
export interface Client<In = Data, Out = string | Binary> {
  readonly status: Status;
  /** The last round trip of a heartbeat in milliseconds; `undefined` before the first. */
  readonly latency: number | undefined;
  /** Messages that are held: those that wait for a socket, and those that are held until their receipt is proven. */
  readonly queued: number;
  /** Bytes that the platform has taken and not yet sent, where it can tell; else 0. */
  readonly bufferedAmount: number;
  /** Begins a life: dials now. Nothing to do while one goes on; while `closing`, ends the old one here and now. */
  connect(): void;
  /** Drops the socket, if there is one, and dials now. Nothing to do while dialling already, or after the end. */
  reconnect(): void;
  /**
   * Ends the life: hands over what is queued if a socket is open, then does the closing handshake, both within
   * `closeTimeout`. Resolves when it is over, also on a dead link. From here on `send` is refused.
   * @param code 1000 or 3000–4999; 1000 if not given
   * @param reason cut to the 123 bytes of UTF-8 that fit into a close frame (RFC 6455 §5.5)
   * @throws `INVALID_OPTION` for another code
   */
  close(code?: number, reason?: string): Promise<void>;
  /**
   * Sends, or queues, or refuses; a refusal is also told by `drop`, with its reason.
   * @throws `INVALID_DATA` for what is neither string nor binary, `ENCODE_FAILED` where the codec throws
   */
  send(data: Out, options?: SendOptions): SendResult;
  /**
   * Resolves at once when open, else at the next open. Rejects with `ENDED` when the life ends before that. Add listeners
   * before waiting for it: what the server says together with its yes is told before a promise is.
   */
  opened(): Promise<void>;
  /**
   * Resolves once everything sent so far has reached the next WebSocket endpoint, proven by the reply to a ping behind
   * it. What was dropped meanwhile was told. Rejects with `NO_PROOF` when no reply comes within `heartbeat.timeout`,
   * `UNCONFIRMED` when the link breaks first, `ENDED` when the life ends first. At least once it waits for the next
   * socket instead of `UNCONFIRMED`, and rejects `NO_PROOF` only where nothing was proven before; in a session it waits
   * for the server to have committed everything.
   */
  flush(): Promise<void>;
  /**
   * The messages from now on. At most 1 000 wait to be read, then it rejects with `MESSAGES_OVERFLOW`; ends with the
   * client.
   */
  messages(): MessageReader<In>;
  on<E extends keyof ClientEvents<In, Out>>(event: E, listener: ClientEvents<In, Out>[E]): this;
  once<E extends keyof ClientEvents<In, Out>>(event: E, listener: ClientEvents<In, Out>[E]): this;
  /** Without a listener: all of that event. */
  off<E extends keyof ClientEvents<In, Out>>(event: E, listener?: ClientEvents<In, Out>[E]): this;
}

/**
 * Makes a client and, unless `autoConnect` is false, dials. Listeners added in the same turn miss nothing.
 * @throws `INVALID_URL`, `INVALID_OPTION`, `HEADERS_UNSUPPORTED` or `NO_ADAPTER`, naming the option and the value
 */
export function createClient<In = Data, Out = string | Binary>(
  url: Provider<string>,
  options: ClientOptions<In, Out> = {},
): Client<In, Out> {
  const listeners = createListeners();
  const settings = readOptions(url, options as ClientOptions<never, never>, (cause) =>
    connection.tell(() =>
      listeners.report(
        new HoldfastError('LISTENER_THREW', `a function of the options failed: ${String(cause)}`, { cause }),
      ),
    ),
  );
  const adapter = options.adapter!;
  const { codec, signal } = options;
  const source = { url, protocols: options.protocols ?? [], headers: options.headers };
  const { interval, timeout } = settings.policy.heartbeat;
  const told: (data: Data) => void = codec ? decodeAndTell : (data) => void listeners.emit('message', data);
  const layer = options.session?.attach(sessionHost());

  let latency: number | undefined;
  let toldStatus: Status = 'idle';
  let openers: { resolve(): void; reject(error: HoldfastError): void }[] = [];
  let closers: (() => void)[] = [];
  let readers: ReaderFeed<In>[] = [];

  const handler: ConnectionHandler = {
    message: layer ? (data) => layer.received(data, false) : told,
    lateMessage: (data) => layer?.received(data, true),
    socketOpened: () => delivery.socketOpened(),
    socketEnded(opened, close, asked) {
      const unconfirmed = opened ? delivery.socketEnded(asked) : 0;
      layer?.socketEnded(close, asked || connection.state.name === 'suspended');
      return unconfirmed;
    },
    rejected: (data, cause) => delivery.rejected(data, cause),
    pingWritten: () => delivery.pingWritten(),
    proven: (mark) => delivery.proven(mark),
    drain: () => delivery.drain(),
    wakeAt: layer ? () => Math.min(delivery.wakeAt(), layer.wakeAt()) : () => delivery.wakeAt(),
    due(now) {
      delivery.due(now);
      layer?.due(now);
    },
    ended(reason, lastClose) {
      signal?.removeEventListener('abort', abort);
      layer?.ended();
      delivery.ended(reason);
      const [opening, closing, reading] = [openers, closers, readers]; // of this life: a listener may begin the next
      [openers, closers, readers] = [[], [], []];
      return () => {
        opening.forEach(({ reject }) => reject(endedBy(reason, lastClose)));
        reading.forEach((reader) => reader.end());
        listeners.emit('end', { reason, lastClose });
        closing.forEach((resolve) => resolve());
      };
    },
    tellStatus(state) {
      const status = statusOf(state);
      if (status === toldStatus) return;
      toldStatus = status;
      listeners.emit('status', status);
    },
    tellOpen(info) {
      const waiting = openers;
      openers = [];
      waiting.forEach(({ resolve }) => resolve());
      listeners.emit('open', info);
    },
    tellClose({ close, asked, opened, redial }, unconfirmed) {
      const willReconnect = redial !== undefined;
      listeners.emit('close', { ...close, asked, opened, willReconnect, delay: redial?.delay, unconfirmed });
    },
    tellPong(roundTrip) {
      latency = roundTrip;
      listeners.emit('pong', roundTrip);
    },
    tellWarning: (code) => listeners.report(warning(code)),
  };

  const connection = createConnection({
    adapter,
    policy: settings.policy,
    handshake: layer ? layer.shakeHands : options.handshake,
    isSpoken: () => layer !== undefined && layer.isSpeaking,
    pingMessage: () => (layer?.isSpeaking ? layer.ping() : settings.pingMessage),
    isReply: layer ? (data) => !layer.isSpeaking && settings.isReply(data) : settings.isReply,
    prepare(context) {
      layer?.load();
      return prepareRequest(source, context, adapter);
    },
    offer: layer?.offer,
    handler,
  });

  const delivery = createDelivery({
    connection,
    queue: settings.queue,
    holds: options.delivery === 'at-least-once',
    layer,
    proofTimeout: interval === Infinity ? undefined : timeout,
    now: () => adapter.now(),
    dropped: (data, reason, cause) => connection.tell(() => listeners.emit('drop', { data, reason, cause })),
    writable: () => connection.tell(() => listeners.emit('writable')),
  });

  /** What the session layer may ask of us. */
  function sessionHost(): SessionHost {
    return {
      get queue() {
        return delivery.sessionQueue;
      },
      handshake: options.handshake,
      maxBytes: settings.queue.maxBytes,
      now: () => adapter.now(),
      random: () => adapter.random(),
      deliver: told,
      write(frame) {
        try {
          connection.drainSocket?.send(frame);
        } catch {
          // a platform that throws here has lost the socket, and says so by `closed`
        }
      },
      replied: () => connection.replied(),
      fail: (code, cause) => connection.broken(code, cause),
      tell: (event, value) => connection.tell(() => tellOfSession(event, value)),
      report: (error) => connection.tell(() => listeners.report(error)),
      rearm: () => connection.rearm(),
    };
  }

  function tellOfSession(event: 'session' | 'lost' | 'progress', value: object): void {
    if (event !== 'lost') return void listeners.emit(event, value);
    const { reason, inDoubt, unsent } = value as Leftovers & { reason: string };
    const lost = { reason, inDoubt: inDoubt.map(valueOf), unsent: unsent.map(valueOf) };
    if (listeners.emit(event, lost) || inDoubt.length + unsent.length === 0) return;
    const words = `${inDoubt.length} messages are in doubt and ${unsent.length} were not sent, and nobody listens`;
    listeners.report(new HoldfastError('SESSION_LOST', `${reason}: ${words}`, { value: lost }));
  }

  function decodeAndTell(data: Data): void {
    let value: In;
    try {
      value = codec!.decode(data);
    } catch (cause) {
      return listeners.report(new HoldfastError('DECODE_FAILED', String(cause), { cause, value: data }));
    }
    listeners.emit('message', value);
  }

  function encode(value: Out): Data {
    let encoded: Data;
    try {
      encoded = codec!.encode(value);
    } catch (cause) {
      if (isHoldfastError(cause)) throw cause;
      throw new HoldfastError('ENCODE_FAILED', `the codec failed: ${String(cause)}`, { cause, value });
    }
    return typeof encoded === 'string' ? encoded : toView(encoded);
  }

  function abort(): void {
    connection.feed({ type: 'close', code: NORMAL, reason: '', why: 'aborted' });
  }

  function connect(): void {
    if (signal?.aborted) return abort(); // ends a life that never began; one that has ended stays so
    connection.feed({ type: 'connect' });
    if (connection.state.name !== 'closed') signal?.addEventListener('abort', abort); // it may have ended already
  }

  const client: Client<In, Out> = withAccessors({
    get status() {
      return statusOf(connection.state);
    },
    get latency() {
      return latency;
    },
    get queued() {
      return delivery.queued;
    },
    get bufferedAmount() {
      return connection.drainSocket?.bufferedAmount ?? 0;
    },
    connect,
    reconnect() {
      const { name } = connection.state;
      if (name === 'idle' || name === 'closing') connect();
      else connection.feed({ type: 'reconnect' });
    },
    close(code = NORMAL, reason = '') {
      if (!isClosable(code)) {
        throw new HoldfastError('INVALID_OPTION', `the close code must be 1000 or 3000 to 4999, got ${show(code)}`);
      }
      return new Promise((resolve) => {
        if (connection.state.name === 'closed') return connection.tell(resolve);
        closers.push(resolve);
        connection.feed({ type: 'close', code, reason: trimReason(reason), why: 'caller' });
      });
    },
    send(value, sendOptions) {
      if (sendOptions !== undefined) checkMaxAge(sendOptions.maxAge);
      const data = codec ? encode(value) : typeof value === 'string' ? value : toView(value);
      return delivery.send(data, value, sendOptions);
    },
    opened() {
      if (connection.isInHandshake) return inHandshake('opened');
      return new Promise((resolve, reject) => {
        const { state } = connection;
        if (state.name === 'open') resolve();
        else if (state.name === 'closed') reject(endedBy(state.why, state.last));
        else openers.push({ resolve, reject });
      });
    },
    flush: () => (connection.isInHandshake ? inHandshake('flush') : delivery.flush()),
    messages() {
      const feed: ReaderFeed<In> = createReader<In>(() => {
        listeners.off('message', feed.push);
        readers = readers.filter((other) => other !== feed);
      });
      if (connection.state.name === 'closed') feed.end();
      else {
        readers.push(feed);
        listeners.on('message', feed.push);
      }
      return feed.reader;
    },
    on(event, listener) {
      listeners.on(event, listener);
      return client;
    },
    once(event, listener) {
      listeners.once(event, listener);
      return client;
    },
    off(event, listener) {
      listeners.off(event, listener);
      // all of them are gone, but whoever reads messages() is no listener of the caller's
      if (event === 'message' && !listener) readers.forEach(({ push }) => listeners.on('message', push));
      return client;
    },
  });

  if (options.autoConnect ?? true) connect();
  return client;
}

/** Few public statuses over exact private states. */
function statusOf(state: State): Status {
  switch (state.name) {
    case 'connecting':
      return state.attempt > 0 || state.memory.hasBeenOpen ? 'reconnecting' : 'connecting';
    case 'waiting':
      return 'reconnecting';
    default:
      return state.name;
  }
}

function toView(value: unknown): Uint8Array {
  const view = viewOf(value);
  if (view) return view;
  throw new HoldfastError('INVALID_DATA', `data must be a string, an ArrayBuffer or a view, got ${show(value)}`, {
    value,
  });
}

function endedBy(reason: EndReason, lastClose: CloseInfo | undefined): HoldfastError {
  const said = lastClose ? `, last close ${lastClose.code}${lastClose.reason && ` ${show(lastClose.reason)}`}` : '';
  return new HoldfastError('ENDED', `the client has ended: ${reason}${said}`, {
    closeCode: lastClose?.code,
    cause: lastClose?.cause,
  });
}

const valueOf = ({ value }: { readonly value: unknown }): unknown => value;

function inHandshake(what: string): Promise<never> {
  return Promise.reject(new HoldfastError('IN_HANDSHAKE', `${what}() inside the handshake would wait for itself`));
}

function warning(code: ErrorCode): HoldfastError {
  return code === 'HEARTBEAT_REFUSED'
    ? new HoldfastError(
        code,
        'the server closed two sockets upon their first ping; none is sent any more but for proofs',
      )
    : new HoldfastError(
        code,
        'two sockets fell silent without a single reply; silence no longer counts until one comes',
      );
}
