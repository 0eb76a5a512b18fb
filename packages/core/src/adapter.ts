// What does a runtime have to provide so that a connection can live on it?
//
// An adapter translates and decides nothing: it has no policy, no queue and no retry. The laws below are tested for
// every adapter, over real sockets, by the conformance suite of @holdfast/testing.

/** One runtime. An adapter package exports a function that makes exactly one of these. */
export interface Adapter {
  /** For logs and errors: `'browser'`, `'node'`, `'uniapp'`. */
  readonly name: string;
  /** What this runtime can do, said up front instead of found out later. Law: a capability is true, or it is not claimed. */
  readonly capabilities: Capabilities;
  /** Where a page has an address: the absolute form of a URL, with http(s) turned into ws(s). May throw. */
  resolveUrl?(url: string): string;
  /**
   * Begins one attempt at one socket. Law: never throws; a bad start is told by `closed`. Law: nothing is told before
   * this call has returned. Law: listeners are attached in the same synchronous block as the platform's socket is made,
   * so that a greeting in the same segment as the upgrade's answer is not missed. Law: two sockets, of one client or of
   * two, do not disturb each other.
   */
  openSocket(request: SocketRequest, events: SocketEvents): Socket;
  /** Milliseconds elapsed since some fixed moment. Counts the device's sleep and never decreases; see `createClock`. */
  now(): number;
  /** Calls `wakeUp` once, at or after the moment `at`, never inside this call. Returns a cancel that may be called twice. */
  wake(at: number, wakeUp: () => void): () => void;
  /** In [0, 1). A part of the adapter so that a seed can replay a run. */
  random(): number;
  /**
   * Passes on what the platform says of network and visibility; a host that has us suspended already says so at once.
   * Returns a stop, which leaves nothing behind.
   */
  watch?(tell: (hint: Hint) => void): () => void;
}

export interface Capabilities {
  /** The handshake can carry headers of the caller's. */
  readonly headers: boolean;
  /** `Socket.bufferedAmount` is there and true. */
  readonly bufferedAmount: boolean;
  /** `Socket.ping` sends RFC 6455 §5.5.2 ping frames, and `SocketEvents.pong` tells their answers. */
  readonly pingFrames: boolean;
}

/** What to dial: everything that a handshake needs. */
export interface SocketRequest {
  /** Absolute, `ws:` or `wss:`, without a fragment; checked before it comes here. */
  readonly url: string;
  /** Subprotocols in order of preference; empty for none. */
  readonly protocols: readonly string[];
  /** Only where `capabilities.headers` is true. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * One WebSocket, from dialling to `closed`. Never reused. To wrap one, inherit from it (`Object.create(socket, …)`): a
 * spread would copy a getter as the value of that moment, and leave out what the socket inherits itself.
 */
export interface Socket {
  /**
   * Valid between `opened` and `closed`. Law: a view sends its own bytes, never its buffer's; an empty message is a
   * message; order is kept; what the caller does to the memory afterwards changes nothing. Throws when the platform
   * refuses this one message.
   */
  send(data: string | Uint8Array): void;
  /** Sends a ping frame; there only when `capabilities.pingFrames` says so. At most 125 bytes (RFC 6455 §5.5). */
  ping?(payload: Uint8Array): void;
  /** Begins the closing handshake. `closed` follows, or never does if the peer is gone. The reason fits 123 bytes. */
  close(code: number, reason: string): void;
  /**
   * Ends it now and releases everything. Law: silence afterwards, whatever the platform still delivers; `close` and
   * `ping` do nothing any more.
   */
  terminate(): void;
  /** Bytes handed over and not yet on their way, where `capabilities.bufferedAmount` is true. */
  readonly bufferedAmount?: number | undefined;
}

/**
 * What a socket tells. Law: `opened` at most once and first; `message` only between the two; `closed` exactly once and
 * last, also when the start failed, also when the platform fires error and close both, or only one of them.
 */
export interface SocketEvents {
  /** The handshake is done; `protocol` is the subprotocol that the server chose, or empty. */
  opened(info: { readonly protocol: string }): void;
  /** One message. Binary is always a `Uint8Array` over a buffer of its own, which the receiver may keep or transfer. */
  message(data: string | Uint8Array): void;
  /** The answer to a ping frame. */
  pong?(payload: Uint8Array): void;
  /** A sign of life that is no message: a ping frame was received. */
  alive?(): void;
  /** The host's late verdict that one message was not sent. */
  rejected?(data: string | Uint8Array, cause: unknown): void;
  closed(close: CloseInfo): void;
}

/** How a socket ended, as the platform or the peer said it. */
export interface CloseInfo {
  /**
   * RFC 6455 §7.1.5. What the platform or the peer said; 1005 only for a close event that carried no code; 1006 for
   * everything else.
   */
  readonly code: number;
  /** RFC 6455 §7.1.6. Empty when none was given. */
  readonly reason: string;
  /** The closing handshake was completed. */
  readonly wasClean: boolean;
  /** HTTP status of a refused upgrade, where the runtime can see it (Node). */
  readonly status?: number | undefined;
  /** `Retry-After` of a refused upgrade in whole seconds (RFC 9110 §10.2.3), where the runtime can see it (Node). */
  readonly retryAfter?: number | undefined;
  /** The platform's own error, if it had one to give. For logs, never for decisions. */
  readonly cause?: unknown;
}

/**
 * News from the platform: a doubt, not a verdict. `suspend` and `resume` are told only by hosts that cut the network of
 * a hidden app (mini-programs); a page that is shown again tells `visible`.
 */
export type Hint = 'online' | 'offline' | 'visible' | 'suspend' | 'resume';
