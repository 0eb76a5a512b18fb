// What does an application hold of a session?

import type { Binary, Data } from '@holdfast/core';
import type { Emitter } from '../emitter.ts';
import type { EndReason, Entry } from './store.ts';

/** What a session tells. */
export interface SessionEvents {
  /** There may be room again, after a `send` that was refused. */
  writable: [];
  /** A message that the client sent as volatile: neither tracked nor in order with the others. */
  volatile: [data: Data];
  /** Its socket is gone. The session lives on for `ttl`, and so does this object: the client may come back to it. */
  close: [];
  /** Once, and last: it has ended, and no client can come back to it. */
  ended: [ended: SessionEnded];
}

export interface SessionEnded {
  readonly reason: EndReason;
  /** What was stored and never acknowledged, oldest first, as far as this node could learn it. */
  readonly undelivered: readonly Entry[];
}

/** How one message is sent. */
export interface SessionSendOptions {
  /**
   * Not stored: handed to the socket if there is one and it has room, and forgotten.
   * @default false
   */
  readonly volatile?: boolean | undefined;
}

/**
 * One session on the node that knows it. A client that resumes on this node finds the same object again; on another node
 * a new one is made, and this one stays what it is: its `send` still works, from here as from anywhere.
 */
export interface Session<Identity = undefined> extends Emitter<SessionEvents> {
  /** Its name: unguessable, the same for its whole life, on every node. */
  readonly sid: string;
  /** What `sessions.authorize` said. */
  readonly principal: string;
  /** What the server's `authorize` said at the upgrade of the newest socket. */
  readonly identity: Identity;
  /** A socket of this node serves it. */
  readonly isConnected: boolean;
  /**
   * Sends one message. Resolves true when it is stored: from then on it is delivered, once and in order, or `ended` has it
   * among the undelivered. Resolves false, and stores nothing, if the session holds `maxMessages` or `maxBytes` that the
   * client has not acknowledged (`writable` tells when to try again), or has ended. A session that is full with no client
   * there to make room ends as `overflow`. With `volatile` resolves whether it was handed to a socket. Binary is copied.
   * @throws as rejections: INVALID_DATA for anything but text and binary, or more than `maxMessage` bytes; STORE_FAILED
   */
  send(data: string | Binary, options?: SessionSendOptions): Promise<boolean>;
  /**
   * Ends it, for good: the client is told, and `ended` tells what it had not acknowledged. May be called twice.
   * @throws STORE_FAILED, as a rejection
   */
  end(): Promise<void>;
}

/** One message from a client. */
export interface SessionMessage {
  /** Binary is a `Uint8Array` that the handler may keep. */
  readonly data: Data;
  /** From 1, one more each: with `sid` the name of this message, the same should it ever be handled again. */
  readonly seq: number;
  readonly sid: string;
  /**
   * Commits everything up to and including this message now, and not when its handler is done: in the application's own
   * transaction, where the store can. Rejects if the session is not this node's any more, so that the transaction rolls back
   * and the message's effects happen once. The client is told when the handler is done.
   * @throws SESSION_FENCED, SESSION_GONE, STORE_FAILED, COMMIT_LATE, as rejections
   */
  commit(transaction?: unknown): Promise<void>;
}
