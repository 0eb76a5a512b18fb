// What may speak between the client and its socket, so that a conversation outlives the sockets?
//
// The contract, types only; @holdfast/session keeps it. Core owns the socket, the queue and the one timer, and asks.

import type { CloseInfo, SocketRequest } from './adapter.ts';
import type { Data } from './bytes.ts';
import type { Handshake, HandshakeContext, Inbox } from './handshake.ts';
import type { HoldfastError } from './errors.ts';
import type { QueuedMessage } from './send-queue.ts';

/** What the option `session` takes; made by `session()` of @holdfast/session. */
export interface SessionOption {
  /** `require`: there is no plain mode. `prefer`: a server without sessions is spoken to plainly. */
  readonly mode: 'require' | 'prefer';
  /** Called once per client. */
  attach(host: SessionHost): SessionLayer;
}

export interface SessionLayer {
  /** The current socket speaks the session's frames; false: none is open, or it is plain. */
  readonly isSpeaking: boolean;
  /** Bytes that one message may have. */
  readonly maxMessage: number;
  /** An attempt begins: what was written down is read, before the first. */
  load(): void;
  /** What is dialled, with the session offered. */
  offer(request: SocketRequest): SocketRequest;
  /** Comes to terms on the raw socket: the session's own handshake, then, where it is plain, the caller's. */
  shakeHands(context: HandshakeContext & Pick<Inbox, 'peek'>): PromiseLike<void>;
  /** A message on its way to the socket, as its `seq`-th; the same again on the next socket. */
  frame(data: Data, seq: number): Data;
  /** A message that is not kept. */
  volatile(data: Data): Data;
  /** The heartbeat's ping. */
  ping(): Data;
  /** One frame of the current socket. Once the client is closing, messages for the application do not count any more. */
  received(data: Data, isClosing: boolean): void;
  /** What is held has changed. */
  heldChanged(): void;
  /** Everything is acknowledged and the client is closing: the last word on this socket. */
  leaving(): void;
  /** `wasOurs`: the caller asked for it, or the host has suspended us, so it says nothing of the peer. */
  socketEnded(close: CloseInfo, wasOurs: boolean): void;
  /** The life is over. */
  ended(): void;
  /** When `due` wants to be called; `Infinity` for never. */
  wakeAt(): number;
  due(now: number): void;
}

/** What became of the messages of a session that is lost: `inDoubt` may have arrived, `unsent` have not. */
export interface Leftovers {
  readonly inDoubt: readonly Pick<QueuedMessage, 'value'>[];
  readonly unsent: readonly Pick<QueuedMessage, 'value'>[];
}

/** The send queue as the layer sees it. */
export interface SessionQueue {
  /** How many messages were ever written to a socket, and how many of them, from the first, are proven received. */
  readonly written: number;
  readonly proven: number;
  /** All that is held, oldest first. */
  all(): readonly QueuedMessage[];
  /** Everything up to the `seq`-th is proven. */
  prove(seq: number): void;
  /** A new session: what is held is counted from 1 again. */
  begin(): void;
  /** Gives away what is held; with `keepUnsent` that stays. */
  giveUp(keepUnsent: boolean): Leftovers;
  /** Before anything was written: what an earlier process held, of which the first messages were written. */
  restore(proven: number, messages: readonly { readonly data: Data; readonly written: boolean }[]): void;
}

/** What the layer is given. */
export interface SessionHost {
  readonly queue: SessionQueue;
  /** The caller's own handshake, for plain sockets. */
  readonly handshake: Handshake | undefined;
  /** The queue's bytes: what may wait for its acknowledgement. */
  readonly maxBytes: number;
  now(): number;
  /** From 0 up to 1. */
  random(): number;
  /** A message for the application. */
  deliver(data: Data): void;
  /** Writes one frame if a socket is open. */
  write(frame: Data): void;
  /** A ping was answered. */
  replied(): void;
  /** Ends the current socket with this code, since its peer does not keep the protocol; the client dials again. */
  fail(code: number, cause: HoldfastError): void;
  /** Tells the application, after everything that is being told already. */
  tell(event: 'session', value: SessionEvent): void;
  tell(event: 'lost', value: Leftovers & { readonly reason: string }): void;
  tell(event: 'progress', value: ProgressEvent): void;
  report(error: HoldfastError): void;
  /** `wakeAt` has changed. */
  rearm(): void;
}

/** The session stands. `resumed`: it is the one from before, nothing is missing and nothing comes twice. */
export interface SessionEvent {
  readonly resumed: boolean;
}

/** How far a long replay is, after a resume. */
export interface ProgressEvent {
  /** `in`: messages from the server that are being made up for; `out`: ours. */
  readonly direction: 'in' | 'out';
  readonly done: number;
  readonly total: number;
}
