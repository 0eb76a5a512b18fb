// How does hand-written code that knows only WebSocket move over to a client?
//
// One face for the whole life of a client: it tells `open` and `close` for each socket, is CONNECTING in between, and
// takes messages at all times.

import { CLOSED, CLOSING, CONNECTING, Face, OPEN, closeArguments, later, toFrame } from './face.ts';
import { createOutbox, type BlobLike, type Outbox } from './outbox.ts';
import { lost } from './close-codes.ts';
import type { Binary } from './bytes.ts';
import type { Client, CloseEvent } from './client.ts';
import type { ReadyState, WebSocketFace } from './face.ts';

/** A WebSocket that comes back. */
export interface LastingWebSocket extends WebSocketFace {
  /** Redials since the last `open`. */
  readonly retryCount: number;
  /** Drops the socket, if there is one, and dials now; after the end it begins a new life. */
  reconnect(): void;
}

/**
 * Gives a client the face of a WebSocket. Make it in the same turn as the client, so that it misses nothing; what the
 * client itself tells and takes goes on beside it.
 */
export function toWebSocket(client: Client): LastingWebSocket {
  return new ClientFace(client);
}

class ClientFace extends Face implements LastingWebSocket {
  private readonly client: Client;
  private readonly outbox: Outbox;
  private chosen = '';
  private retries = 0;
  /** Whether the last close that was told said that another socket follows, or none was told yet. */
  private owesClose = true;

  constructor(client: Client) {
    super();
    this.outbox = createOutbox(
      (frame) => void client.send(frame),
      (cause) => this.tellError(cause),
    );
    this.client = client
      .on('open', ({ protocol }) => this.opened(protocol))
      .on('message', (data) => this.tellMessage(data))
      .on('close', (close) => this.closed(close))
      .on('end', () => this.ended());
  }

  get readyState(): ReadyState {
    switch (this.client.status) {
      case 'open':
        return OPEN;
      case 'closing':
        return CLOSING;
      case 'idle':
      case 'closed':
        return CLOSED;
      case 'connecting':
      case 'reconnecting':
      case 'suspended':
        return CONNECTING;
    }
  }

  /** Always empty: each dial may have a URL of its own. */
  get url(): string {
    return '';
  }

  get protocol(): string {
    return this.chosen;
  }

  get retryCount(): number {
    return this.retries;
  }

  get bufferedAmount(): number {
    return this.client.bufferedAmount + this.outbox.bytes;
  }

  /** Never throws for a socket that is not open: the message waits, or the client tells by `drop` why not. */
  send(_data: string | Binary | BlobLike): void {
    this.outbox.put(toFrame(arguments));
  }

  /** Waits for no Blob: one that is read after this is told by the client's `drop`. */
  close(code?: number, reason?: string): void {
    const wanted = closeArguments(code, reason);
    void this.client.close(wanted.code, wanted.reason);
  }

  reconnect(): void {
    const { status } = this.client;
    if (status === 'idle' || status === 'closed') this.client.connect();
    else this.client.reconnect();
  }

  private opened(protocol: string): void {
    this.chosen = protocol;
    this.retries = 0;
    this.tellOpen();
  }

  private closed(close: CloseEvent): void {
    this.owesClose = close.willReconnect;
    this.retries = close.willReconnect ? this.retries + 1 : 0;
    later(() => {
      if (!close.wasClean && !close.asked) this.tellError(close.cause);
      this.tellClose(close, close.willReconnect, close.unconfirmed);
    });
  }

  /** Whoever closes between two sockets is told so, once, as everybody else. */
  private ended(): void {
    if (this.owesClose) later(() => this.tellClose(lost(), false, 0));
  }
}
