// How does a library that reconnects by itself get a better WebSocket?
//
// One face is one socket, which is never redialled: two layers that both redial fight each other. What is added are
// bounds: for opening, for silence and for closing.

import { CLOSED, CLOSING, CONNECTING, Face, OPEN, closeArguments, later, named, toFrame } from './face.ts';
import { HoldfastError, isHoldfastError, show } from './errors.ts';
import { createClient, type Client, type CloseEvent } from './client.ts';
import { createOutbox, sizeOf, type BlobLike, type Outbox } from './outbox.ts';
import { DEFAULTS, readOptions, type ClientOptions } from './options.ts';
import { resolveUrl } from './url.ts';
import { toProtocols } from './request.ts';
import type { Adapter, Socket } from './adapter.ts';
import type { Binary } from './bytes.ts';
import type { ReadyState, WebSocketFace } from './face.ts';

/** What all sockets of one class share. Durations are milliseconds. */
export interface WebSocketClassOptions extends Pick<ClientOptions, 'connectTimeout' | 'closeTimeout' | 'headers'> {
  /**
   * Pings find out that a link is dead, by ping frames (RFC 6455 §5.5.2) where the runtime has them. Elsewhere there are
   * none unless `message` is given: a library's server would not know what to make of ours. `false` for none at all.
   * @default ping frames every 30_000, given up after 10_000
   */
  readonly heartbeat?: ClientOptions['heartbeat'];
}

/** A WebSocket constructor, by the names of the standard. */
export interface WebSocketClass {
  /**
   * @param url absolute, or relative where the runtime has an address; a `URL` will do
   * @throws `INVALID_URL` and, for `protocols`, `INVALID_OPTION`, both named `SyntaxError`; `TypeError` without a url
   */
  new (url: string | { readonly href: string }, protocols?: string | readonly string[]): WebSocketFace;
  readonly prototype: WebSocketFace;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
}

const OPTIONS: readonly string[] = ['connectTimeout', 'closeTimeout', 'headers', 'heartbeat'];

/**
 * Makes a WebSocket class for libraries that take one. It tells an attempt that does not open, a peer that has fallen
 * silent, and a closing handshake that is not answered as what they are, a close with 1006, within a bounded time.
 * @throws `INVALID_OPTION` naming the option and the value, `HEADERS_UNSUPPORTED`, `NO_ADAPTER`
 */
export function createWebSocketClass(adapter: Adapter, options: WebSocketClassOptions = {}): WebSocketClass {
  const shared = sharedOptions(adapter, options);
  const closeTimeout = options.closeTimeout ?? DEFAULTS.closeTimeout;

  class WebSocket extends Face {
    readonly url: string;
    private readonly client: Client;
    private readonly outbox: Outbox;
    private state: ReadyState = CONNECTING;
    private chosen = '';
    private socket: Socket | undefined;
    /** Bytes given to `send` when it was too late; by the standard they are never forgotten. */
    private discarded = 0;
    private stopWaiting = (): void => {};

    constructor(url: string | { readonly href: string }, protocols?: string | readonly string[]) {
      super();
      if (arguments.length === 0) throw new TypeError('a WebSocket needs a url');
      const request = syntaxChecked(() => ({
        url: resolveUrl(String(url), adapter),
        protocols: protocols === undefined ? [] : toProtocols(toStrings(protocols)),
      }));
      this.url = request.url;
      const openSocket: Adapter['openSocket'] = (wanted, events) => (this.socket = adapter.openSocket(wanted, events));
      this.client = createClient(request.url, {
        ...shared,
        protocols: request.protocols,
        adapter: Object.create(adapter, { openSocket: { value: openSocket } }) as Adapter,
      });
      this.outbox = createOutbox(
        (frame) => void this.client.send(frame),
        (cause) => this.tellError(cause),
      );
      this.client
        .on('open', ({ protocol }) => this.opened(protocol))
        .on('message', (data) => this.state === OPEN && this.tellMessage(data))
        .on('drop', ({ reason, cause }) => reason === 'rejected' && later(() => this.tellError(cause)))
        .on('close', (close) => later(() => this.ended(close)));
    }

    get readyState(): ReadyState {
      return this.state;
    }

    get protocol(): string {
      return this.chosen;
    }

    get bufferedAmount(): number {
      return (this.socket?.bufferedAmount ?? 0) + this.outbox.bytes + this.discarded;
    }

    send(_data: string | Binary | BlobLike): void {
      const frame = toFrame(arguments);
      if (this.state === CONNECTING) {
        throw named('InvalidStateError', new HoldfastError('NOT_OPEN', 'send() before the socket is open'));
      }
      if (this.state === OPEN) this.outbox.put(frame);
      else this.discarded += sizeOf(frame);
    }

    close(code?: number, reason?: string): void {
      const wanted = closeArguments(code, reason);
      if (this.state === CLOSING || this.state === CLOSED) return;
      this.state = CLOSING;
      const close = (): void => void this.client.close(wanted.code, wanted.reason);
      this.stopWaiting = adapter.wake(adapter.now() + closeTimeout, close); // no Blob holds it up for longer
      this.outbox.after(() => {
        this.stopWaiting();
        close();
      });
    }

    private opened(protocol: string): void {
      this.state = OPEN;
      this.chosen = protocol;
      this.tellOpen();
    }

    private ended(close: CloseEvent): void {
      this.stopWaiting();
      this.state = CLOSED;
      // as in browsers: a socket that had been open and that we close ends without an error, however it ends
      if (!close.wasClean && !(close.asked && close.opened)) this.tellError(close.cause);
      this.tellClose(close, false, close.unconfirmed);
    }
  }

  return WebSocket;
}

/** What `createClient` is given for every socket, checked once and for all. */
function sharedOptions(adapter: Adapter, options: WebSocketClassOptions): ClientOptions {
  Object.keys(options).forEach((name) => {
    if (OPTIONS.indexOf(name) >= 0) return;
    const value = (options as Record<string, unknown>)[name];
    throw new HoldfastError('INVALID_OPTION', `${name} is not an option; there are ${OPTIONS.join(', ')}`, { value });
  });
  const { connectTimeout, closeTimeout, headers, heartbeat } = options;
  const given = { connectTimeout, closeTimeout, headers, heartbeat };
  readOptions('ws://localhost/', { ...given, adapter }, () => {});
  const pings = adapter.capabilities.pingFrames || (heartbeat && heartbeat.message !== undefined);
  return {
    ...given,
    heartbeat: pings ? heartbeat : false,
    reconnect: false,
    // nothing waits with us: what the standard calls bufferedAmount is the platform's, and only the platform's
    queue: { maxMessages: 0, highWaterMark: Infinity },
  };
}

function toStrings(protocols: unknown): readonly string[] {
  return Array.isArray(protocols) ? protocols.map(String) : [String(protocols)];
}

function syntaxChecked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw isHoldfastError(error) ? named('SyntaxError', error) : new TypeError(show(error));
  }
}
