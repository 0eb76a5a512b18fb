// What have the two W3C faces in common?
//
// Everything that people see of a WebSocket (WHATWG WebSockets §3): constants, `on…`, listeners, `binaryType`, the shape
// of the events and the checks of the arguments. Whose socket it is, and when it opens and closes, is each face's own.

import { HoldfastError, show } from './errors.ts';
import { NORMAL, isClosable, trimReason } from './close-codes.ts';
import { createEventTarget, type AnyEvent, type EventListener, type ListenOptions } from './event-target.ts';
import { viewOf, type Binary, type Data } from './bytes.ts';
import { isBlob, type BlobLike } from './outbox.ts';
import type { CloseInfo } from './adapter.ts';

declare const Blob: (new (parts: readonly Uint8Array[]) => BlobLike) | undefined;

/** An event is a plain object with these members, and no methods: there may be no `Event` to inherit from. */
export interface FaceEvent extends AnyEvent {
  /** The face that tells it. */
  readonly target: unknown;
  readonly currentTarget: unknown;
}

export interface FaceMessageEvent extends FaceEvent {
  /** A string; for binary what `binaryType` says. */
  readonly data: unknown;
}

export interface FaceErrorEvent extends FaceEvent {
  /** Beyond the standard: what went wrong, if anything is known. For logs, never for decisions. */
  readonly error?: unknown;
  /** Beyond the standard: the same in words; empty if nothing is known. */
  readonly message?: string;
}

export interface FaceCloseEvent extends FaceEvent {
  /** RFC 6455 §7.1.5, as the platform or the peer said it. */
  readonly code: number;
  /** RFC 6455 §7.1.6. */
  readonly reason: string;
  /** The closing handshake was completed. */
  readonly wasClean: boolean;
  /** Beyond the standard: whether another socket follows. Always false where one face is one socket. */
  readonly willReconnect?: boolean;
  /** Beyond the standard: how many of the last messages sent may not have arrived; `undefined` if nothing is known. */
  readonly unconfirmed?: number | undefined;
}

export interface FaceEvents {
  open: FaceEvent;
  message: FaceMessageEvent;
  error: FaceErrorEvent;
  close: FaceCloseEvent;
}

export type ReadyState = 0 | 1 | 2 | 3;

type Handler<E> = ((event: E) => unknown) | null;

/** What people see of a WebSocket, by the names of the standard. */
export interface WebSocketFace {
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
  readonly readyState: ReadyState;
  readonly url: string;
  /** The subprotocol that the server chose, or empty. */
  readonly protocol: string;
  /** Always empty: adapters do not tell which extensions were agreed on. */
  readonly extensions: string;
  /** Bytes that `send` was given and that have not left, in UTF-8 or binary, where the runtime can tell. */
  readonly bufferedAmount: number;
  /**
   * As what binary messages come: `'arraybuffer'`, or `'blob'` where there is a Blob. Another value is ignored.
   * @default 'blob' where there is a Blob, as in the standard, else 'arraybuffer'
   */
  binaryType: 'arraybuffer' | 'blob';
  onopen: Handler<FaceEvent>;
  onmessage: Handler<FaceMessageEvent>;
  onerror: Handler<FaceErrorEvent>;
  onclose: Handler<FaceCloseEvent>;
  /**
   * Strings, binary and Blobs; another value is sent as its string, as in the standard. A Blob is read first, and what is
   * sent meanwhile waits behind it.
   */
  send(data: string | Binary | BlobLike): void;
  /**
   * @param code 1000 or 3000–4999; 1000 if not given
   * @param reason at most 123 bytes of UTF-8
   * @throws `INVALID_OPTION`, named `InvalidAccessError` for the code and `SyntaxError` for the reason
   */
  close(code?: number, reason?: string): void;
  addEventListener<T extends keyof FaceEvents>(
    type: T,
    listener: EventListener<FaceEvents[T]> | null,
    options?: boolean | ListenOptions,
  ): void;
  addEventListener(type: string, listener: EventListener<FaceEvent> | null, options?: boolean | ListenOptions): void;
  removeEventListener<T extends keyof FaceEvents>(
    type: T,
    listener: EventListener<FaceEvents[T]> | null,
    options?: boolean | ListenOptions,
  ): void;
  removeEventListener(type: string, listener: EventListener<FaceEvent> | null, options?: boolean | ListenOptions): void;
  /** Tells the listeners an event of the caller's, as it is. Returns true: nothing can be prevented. */
  dispatchEvent(event: AnyEvent): boolean;
}

const STATES = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 } as const;
export const { CONNECTING, OPEN, CLOSING, CLOSED } = STATES;

const canBlob = (): boolean => typeof Blob === 'function';

export abstract class Face implements WebSocketFace {
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  declare static readonly CLOSING: 2;
  declare static readonly CLOSED: 3;
  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSING: 2;
  declare readonly CLOSED: 3;

  abstract readonly readyState: ReadyState;
  abstract readonly url: string;
  abstract readonly protocol: string;
  abstract readonly bufferedAmount: number;

  private readonly listeners = createEventTarget<FaceEvents>(this);
  private binary: 'arraybuffer' | 'blob' = canBlob() ? 'blob' : 'arraybuffer';

  abstract send(data: string | Binary | BlobLike): void;
  abstract close(code?: number, reason?: string): void;

  get extensions(): string {
    return '';
  }

  get binaryType(): 'arraybuffer' | 'blob' {
    return this.binary;
  }
  set binaryType(type) {
    if (type === 'arraybuffer' || (type === 'blob' && canBlob())) this.binary = type;
  }

  get onopen(): Handler<FaceEvent> {
    return this.listeners.handler('open');
  }
  set onopen(handler) {
    this.listeners.setHandler('open', handler);
  }
  get onmessage(): Handler<FaceMessageEvent> {
    return this.listeners.handler('message');
  }
  set onmessage(handler) {
    this.listeners.setHandler('message', handler);
  }
  get onerror(): Handler<FaceErrorEvent> {
    return this.listeners.handler('error');
  }
  set onerror(handler) {
    this.listeners.setHandler('error', handler);
  }
  get onclose(): Handler<FaceCloseEvent> {
    return this.listeners.handler('close');
  }
  set onclose(handler) {
    this.listeners.setHandler('close', handler);
  }

  addEventListener(type: string, listener: unknown, options?: boolean | ListenOptions): void {
    this.listeners.add(String(type), listener, options);
  }
  removeEventListener(type: string, listener: unknown, options?: boolean | ListenOptions): void {
    this.listeners.remove(String(type), listener, options);
  }
  dispatchEvent(event: AnyEvent): boolean {
    if (typeof event !== 'object' || event === null || typeof event.type !== 'string') {
      throw new TypeError(`an event must be an object with a type, got ${show(event)}`);
    }
    this.listeners.dispatch(event);
    return true;
  }

  // ---- what the faces tell

  /** @internal */
  protected tellOpen(): void {
    this.tell({ type: 'open', target: this, currentTarget: this });
  }

  /** @internal */
  protected tellMessage(data: Data): void {
    this.tell({ type: 'message', target: this, currentTarget: this, data: this.received(data) });
  }

  /** @internal */
  protected tellError(error: unknown): void {
    const message = error instanceof Error ? error.message : '';
    this.tell({ type: 'error', target: this, currentTarget: this, error, message });
  }

  /** @internal */
  protected tellClose(close: CloseInfo, willReconnect: boolean, unconfirmed: number | undefined): void {
    const { code, reason, wasClean } = close;
    this.tell({ type: 'close', target: this, currentTarget: this, code, reason, wasClean, willReconnect, unconfirmed });
  }

  private tell(event: FaceEvent | FaceMessageEvent | FaceErrorEvent | FaceCloseEvent): void {
    this.listeners.dispatch(event);
  }

  private received(data: Data): unknown {
    if (typeof data === 'string') return data;
    if (this.binary === 'blob') return new Blob!([data]);
    return data.byteLength === data.buffer.byteLength ? data.buffer : data.slice().buffer;
  }
}

// on both, since some libraries read them from the class and some from the socket
[Face, Face.prototype].forEach((holder) => {
  Object.keys(STATES).forEach((name) => {
    Object.defineProperty(holder, name, { value: STATES[name as keyof typeof STATES], enumerable: true });
  });
});

/**
 * Does it after what is running now: what a WebSocket tells never comes inside the call that caused it. Nothing overtakes,
 * for what a network does next is later still.
 */
export function later(act: () => void): void {
  void Promise.resolve().then(act);
}

// ---- the checks of the standard

/** An error of ours by the name that the standard gives it, so that code which asks for `name` finds what it expects. */
export function named(name: string, error: HoldfastError): HoldfastError {
  error.name = name;
  return error;
}

/** What `send` was given. */
export function toFrame(args: ArrayLike<unknown>): Data | BlobLike {
  if (args.length === 0) throw new TypeError('send needs one argument');
  const data = args[0];
  if (typeof data === 'string' || isBlob(data)) return data;
  return viewOf(data) ?? `${data as string}`; // a symbol throws its TypeError here
}

/** What `close` was asked for. */
export function closeArguments(code: unknown, reason: unknown): { readonly code: number; readonly reason: string } {
  const wanted = code === undefined ? NORMAL : Math.round(Number(code));
  if (!isClosable(wanted)) {
    const rule = `the close code must be 1000 or 3000 to 4999, got ${show(code)}`;
    throw named('InvalidAccessError', new HoldfastError('INVALID_OPTION', rule, { value: code }));
  }
  const text = reason === undefined ? '' : `${reason as string}`;
  if (trimReason(text) !== text) {
    const rule = `the close reason must fit into 123 bytes of UTF-8, got ${show(text)}`;
    throw named('SyntaxError', new HoldfastError('INVALID_OPTION', rule, { value: text }));
  }
  return { code: wanted, reason: text };
}
