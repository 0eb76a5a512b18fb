// Which sessions does this node know, and who serves them?

import type { IncomingMessage } from 'node:http';
import type { Binary, Data } from '@holdfast/core';
import type { SessionSettings } from './options.ts';
import type { SessionOwner, SessionPlatform, SessionVisitor, Transport } from './platform.ts';
import type { Session, SessionSendOptions } from './session.ts';

export type { SessionInfo, SessionOwner, SessionPlatform, SessionVisitor, Transport } from './platform.ts';

/** One socket's part in it. */
export interface SessionLink {
  /** A frame has come. */
  received(data: Data): void;
  /** The socket is gone, for whatever reason. */
  closed(): void;
}

/** The server's half of the session layer, on one node. */
export interface SessionHalf<Identity, Request = IncomingMessage> {
  /** Takes a socket that has offered a session and is open, and greets it. */
  accept(transport: Transport, visitor: SessionVisitor<Identity, Request>): SessionLink;
  /** Sends to a session wherever it is served; see {@link Session.send}. */
  send(sid: string, data: string | Binary, options?: SessionSendOptions): Promise<boolean>;
  /** Ends a session wherever it is served; false if there is none. */
  end(sid: string): Promise<boolean>;
  /** A session that this node knows. */
  get(sid: string): Session<Identity> | undefined;
  /**
   * Begins no message more and refuses who comes; resolves when no handler is in flight, after `timeout` milliseconds at
   * the latest. The sockets stay as they are.
   * @default takeoverTimeout
   */
  rest(timeout?: number): Promise<void>;
  /** Rests, closes what sockets are left with 1012, gives every lease back and stops listening to the store. May be called twice. */
  close(): Promise<void>;
}

export function createSessionHalf<Identity, Request = IncomingMessage>(
  _settings: SessionSettings<Identity, Request>,
  _platform: SessionPlatform,
  _owner: SessionOwner<Identity>,
): SessionHalf<Identity, Request> {
  throw new Error('being built');
}
