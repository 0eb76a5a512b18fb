// What can the session layer be told, and what does it do when told nothing?

import type { IncomingMessage } from 'node:http';
import type { Awaitable, SessionStore } from './store.ts';
import type { Session, SessionMessage } from './session.ts';

/**
 * Sessions that outlive their sockets; see docs/server.md, "Sessions". Only for clients that offer them: all others are
 * plain peers as ever.
 */
export interface SessionOptions<Identity = undefined, Request = IncomingMessage> {
  /**
   * Where sessions live: `memoryStore()` for one process, a shared one for many. It is yours: `close()` of the server leaves
   * it open. One that throws or rejects is told by `STORE_FAILED`; the socket is closed with 4804 and the session lives on.
   */
  readonly store: SessionStore;
  /**
   * Who is it? Asked whenever a session is opened or resumed, since a resume token alone is no identity. Returns the
   * principal, a text: a session can be resumed only as the one that opened it. `false` refuses: an open is closed with
   * 4401, which a client without fresh credentials takes for an end; a resume is `lost`, `unauthorized`. A throw, or
   * no answer within the server's `admissionTimeout`, is our own trouble: the client is asked to come back later.
   */
  readonly authorize: SessionAuthorize<Identity, Request>;
  /**
   * Handles one message. A promise that it returns is waited for: messages of one session come strictly one at a time and
   * in order. When it is done the message is committed, then acknowledged, and the client forgets it. If this throws, that
   * is told by `HANDLER_FAILED` and the message still counts: it would throw again. If this process dies in between, the
   * message is handled again, with the same `sid` and `seq`; `message.commit()` is for those to whom that matters.
   */
  readonly handle: (message: SessionMessage, session: Session<Identity>) => unknown;
  /**
   * Milliseconds that a session lives without a socket.
   * @default 120_000
   */
  readonly ttl?: number | undefined;
  /**
   * Milliseconds that a client may take from our greeting to its `open` or `resume`; then it is closed with 4805.
   * @default 10_000
   */
  readonly readyTimeout?: number | undefined;
  /**
   * Bytes of the largest message, either way. Clients are told, and refuse larger ones at `send()`; one that sends one all
   * the same is closed with 1009. At least 64 below `maxPayload`, and at most `maxBytes`.
   * @default 65_536
   */
  readonly maxMessage?: number | undefined;
  /**
   * Messages to one client that may be stored until it acknowledges them. From the client as many may wait for `handle`
   * until its socket is not read for a while.
   * @default 1_000
   */
  readonly maxMessages?: number | undefined;
  /**
   * Bytes of them.
   * @default 1_048_576
   */
  readonly maxBytes?: number | undefined;
  /**
   * Milliseconds that a client which comes back waits while `handle` still has one of its messages; then it gets its
   * session, and that message is handled again. Also how long `close()` waits for handlers. It is counted for each socket, so
   * keep it below the `connectTimeout` of your clients: one that gives up sooner waits again each time.
   * @default 5_000
   */
  readonly takeoverTimeout?: number | undefined;
  /**
   * Sessions that this node keeps, those without a socket included. One more is refused as `limit`, to come back slowly.
   * @default 10_000
   */
  readonly maxSessions?: number | undefined;
  /**
   * Sessions of one principal, wherever they are. Each tab is one, and each reload leaves one behind for `ttl`.
   * @default 100
   */
  readonly maxSessionsPerPrincipal?: number | undefined;
}

/** What `authorize` is told. */
export interface SessionCredentials<Identity, Request = IncomingMessage> {
  /** The request that was upgraded. */
  readonly request: Request;
  /** What the server's own `authorize` said at the upgrade. */
  readonly identity: Identity;
  /** What the client's `auth` gave: any JSON value, from a stranger; `undefined` if it gave none. */
  readonly auth: unknown;
}

export type SessionAuthorize<Identity, Request = IncomingMessage> = (
  credentials: SessionCredentials<Identity, Request>,
) => Awaitable<string | false>;

type SessionNumber = {
  [Name in keyof SessionOptions]-?: NonNullable<SessionOptions[Name]> extends number ? Name : never;
}[keyof SessionOptions];

/** All defaults; see docs/important-defaults.md. */
export const SESSION_DEFAULTS: Readonly<Record<SessionNumber, number>> = Object.freeze({
  ttl: 120_000,
  readyTimeout: 10_000,
  maxMessage: 65_536,
  maxMessages: 1_000,
  maxBytes: 1_048_576,
  takeoverTimeout: 5_000,
  maxSessions: 10_000,
  maxSessionsPerPrincipal: 100,
});

/** Bytes that a frame may have beside its message. */
export const MAX_HEADER = 64;

/** The options, checked and complete, and what the server's own options come to here. */
export interface SessionSettings<Identity, Request = IncomingMessage> {
  readonly store: SessionStore;
  readonly authorize: SessionAuthorize<Identity, Request>;
  readonly handle: (message: SessionMessage, session: Session<Identity>) => unknown;
  readonly ttl: number;
  readonly readyTimeout: number;
  readonly maxMessage: number;
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly takeoverTimeout: number;
  readonly maxSessions: number;
  readonly maxSessionsPerPrincipal: number;
  /** Milliseconds between two heartbeats of a client, at most; touches of the store come at least as often. */
  readonly heartbeat: number;
  /** Milliseconds that `authorize` may take. */
  readonly admissionTimeout: number;
  /** Milliseconds that a client refused for want of room is asked to stay away. */
  readonly retryAfter: number;
  /** Bytes that may wait in one transport before messages wait in the store instead. */
  readonly highWaterMark: number;
}
