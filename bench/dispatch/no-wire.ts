// What must any WebSocket do per message, if there is no wire beneath it?
//
// The same class lies under every contender. Out: look at the state and at the type, count the bytes, keep
// `bufferedAmount`. In: look at the state, make the event, call the listeners. Nothing is encoded, masked or written, so
// that what is left is the cost of the client above.

export type Wire = string | ArrayBuffer | ArrayBufferView;

type Listener = (event: NoWireEvent) => void;
type ListenerOptions = boolean | { readonly once?: boolean; readonly signal?: AbortSignal };

const OPEN = 1;
const CLOSED = 3;

export class NoWireEvent {
  // what a copy is made of, where a client copies events
  readonly origin = '';
  readonly code = 1000;
  readonly reason = '';
  readonly wasClean = true;
  constructor(
    readonly type: string,
    readonly data: unknown,
    readonly target: NoWireSocket,
  ) {}
}

/** The part of the W3C's WebSocket that clients use, open one turn after it was made. */
export class NoWireSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = OPEN;
  static readonly CLOSING = 2;
  static readonly CLOSED = CLOSED;
  /** The one that was made last: clients that take a constructor do not say what they made with it. */
  static latest: NoWireSocket | undefined;

  readonly CONNECTING = 0;
  readonly OPEN = OPEN;
  readonly CLOSING = 2;
  readonly CLOSED = CLOSED;
  readonly protocol = '';
  readonly extensions = '';
  readyState = 0;
  bufferedAmount = 0;
  binaryType = 'arraybuffer';
  /** Bytes that the wire has taken, over the whole life: proves that no send was optimised away. */
  taken = 0;

  private readonly messageListeners: Listener[] = [];
  private readonly otherListeners: { readonly type: string; readonly listener: Listener }[] = [];

  constructor(readonly url: string) {
    NoWireSocket.latest = this;
    setImmediate(() => {
      if (this.readyState !== 0) return;
      this.readyState = OPEN;
      this.tell('open');
    });
  }

  send(data: Wire): void {
    if (this.readyState !== OPEN) {
      if (this.readyState === 0) throw new Error('still connecting');
      return;
    }
    if (typeof data === 'string') this.bufferedAmount += utf8Length(data);
    else if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) this.bufferedAmount += data.byteLength;
    else throw new TypeError('neither text nor binary');
  }

  /** The wire takes what was sent so far. */
  drain(): void {
    this.taken += this.bufferedAmount;
    this.bufferedAmount = 0;
  }

  /** A message has come. */
  arrive(data: string | ArrayBuffer): void {
    if (this.readyState !== OPEN) return;
    const event = new NoWireEvent('message', data, this);
    const listeners = this.messageListeners;
    for (let i = 0; i < listeners.length; i++) listeners[i]!(event);
  }

  close(): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    setImmediate(() => this.tell('close'));
  }

  addEventListener(type: string, listener: Listener, options?: ListenerOptions): void {
    const { once, signal }: Exclude<ListenerOptions, boolean> = typeof options === 'object' ? options : {};
    if (type === 'message') this.messageListeners.push(listener);
    else {
      const entry = { type, listener };
      if (once) {
        entry.listener = (event) => {
          this.removeEventListener(type, entry.listener);
          listener(event);
        };
      }
      this.otherListeners.push(entry);
    }
    signal?.addEventListener('abort', () => this.removeEventListener(type, listener));
  }

  removeEventListener(type: string, listener: Listener): void {
    const message = type === 'message' ? this.messageListeners.indexOf(listener) : -1;
    if (message >= 0) this.messageListeners.splice(message, 1);
    const other = this.otherListeners.findIndex((entry) => entry.type === type && entry.listener === listener);
    if (other >= 0) this.otherListeners.splice(other, 1);
  }

  private tell(type: string): void {
    const event = new NoWireEvent(type, undefined, this);
    for (const entry of [...this.otherListeners]) if (entry.type === type) entry.listener(event);
  }
}

/**
 * By a loop and not by `Buffer.byteLength`: that is a call out of JavaScript, which V8 makes by a short way or by one
 * that takes twice as long, depending on where it was inlined, and the comparison would be about that.
 */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1; // each half of a pair is two
  }
  return bytes;
}
