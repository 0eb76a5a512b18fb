// Which frames are there, and what do they hold?

import type { Data } from '@holdfast/core';

/** The subprotocol by which a client offers a session, and a server says that it understood. */
export const SUBPROTOCOL = 'holdfast-session.v1';

/** The same offer in the query of the URL, for runtimes that can offer no subprotocol. */
export const QUERY = 'holdfast-session=1';

/** What `v` of the handshake's frames says. */
export const VERSION = 1;

/** The last number of a message: 48 bits, which a million messages a second take nine years to use up. */
export const MAX_SEQ = 0xffff_ffff_ffff;

/** Tags have 32 bits, and so have the names of holders. */
export const MAX_TAG = 0xffff_ffff;

/** Milliseconds that timers take, and bytes: from 1. */
export const MAX_AMOUNT = 0x7fff_ffff;

/** How many holders an `open` or a `resume` names at most. */
export const MAX_HOLDERS = 16;

/** An attempt that is not newer than the last one seen, or of a holder whose place another has taken. Nothing was touched. */
export const STALE = 4801;
/** A newer socket has taken the session over. */
export const SUPERSEDED = 4802;
/** The other end broke the rules; the session lives. */
export const PROTOCOL = 4803;
/** The store does not answer; the session lives, as far as anybody knows. */
export const STORE = 4804;
/** Neither `open` nor `resume` came in time. */
export const NOT_READY = 4805;

/** Close codes of the session layer; the rest of 4000–4999 stays the application's. */
export const CLOSE = {
  stale: STALE,
  superseded: SUPERSEDED,
  protocol: PROTOCOL,
  store: STORE,
  notReady: NOT_READY,
} as const;

/** `H`: the server's greeting, and the only proof that it knows sessions. */
export interface HelloFrame {
  readonly type: 'hello';
  /** The highest version that the server speaks. */
  readonly version: number;
  /** Milliseconds that a session lives after it was last touched. */
  readonly ttl: number;
  /** Bytes that one message may have, UTF-8 or binary. */
  readonly maxMessage: number;
  /** Milliseconds between two pings, at most. */
  readonly heartbeat: number;
  /** Bytes of unacknowledged messages that the sender of this frame keeps. */
  readonly window: number;
}

/** `O`: make a session. */
export interface OpenFrame {
  readonly type: 'open';
  /** The version that is spoken from here on. */
  readonly version: number;
  /** Grows with every `open` and `resume` that a client ever sends. */
  readonly attempt: number;
  /** Who asks, last; before it, oldest first, those in whose place it may have come since the last `ready`. */
  readonly holders: readonly number[];
  readonly window: number;
  /** Any JSON value, as it was parsed; `undefined` if there was none. */
  readonly auth: unknown;
}

/** `R`: continue a session. */
export interface ResumeFrame {
  readonly type: 'resume';
  readonly version: number;
  readonly attempt: number;
  readonly holders: readonly number[];
  readonly window: number;
  readonly sid: string;
  readonly token: string;
  /** The last message that the client has received, and that message's tag; 0 and 0 before the first. */
  readonly received: number;
  readonly tag: number;
  /** The last of the client's messages that was acknowledged to it. */
  readonly acked: number;
  /** The last of the client's messages that was ever written to a socket. */
  readonly sent: number;
  readonly auth: unknown;
}

/** `Y`: the session is there; both ends forget what the other has, and send the rest again. */
export interface ReadyFrame {
  readonly type: 'ready';
  readonly sid: string;
  /** What a resume has to show; only in answer to `open`. */
  readonly token: string | undefined;
  /** The last of the client's messages that is committed. */
  readonly received: number;
  /** The last message to the client that is stored, so that it knows how many it has to make up for. */
  readonly stored: number;
}

/** `L`: no session, and why. */
export interface LostFrame {
  readonly type: 'lost';
  /** One word. Those of today are in PROTOCOL.md, "Lost"; a server may know more. */
  readonly reason: string;
}

/** `d`: one message that is kept until it is acknowledged. */
export interface MessageFrame {
  readonly type: 'message';
  /** From 1, one more each. */
  readonly seq: number;
  /** 32 random bits of the server's; 0 from a client. */
  readonly tag: number;
  /** Binary lies in the frame's own memory. */
  readonly data: Data;
}

/** `v`: one message that nobody keeps. */
export interface VolatileFrame {
  readonly type: 'volatile';
  readonly data: Data;
}

/** `a`: everything up to here has arrived; at a server: is committed. */
export interface AckFrame {
  readonly type: 'ack';
  readonly received: number;
}

/** `p`: the client's heartbeat, and an acknowledgement. */
export interface PingFrame {
  readonly type: 'ping';
  readonly received: number;
}

/** `q`: the answer, and an acknowledgement. */
export interface PongFrame {
  readonly type: 'pong';
  readonly received: number;
}

/** `E`: the session ends here, in good order. */
export interface EndFrame {
  readonly type: 'end';
}

/** A capital letter that this version does not know: to be ignored. */
export interface UnknownFrame {
  readonly type: 'unknown';
}

/** No frame at all: the other end broke the rules. */
export interface InvalidFrame {
  readonly type: 'invalid';
  /** A few ASCII words, without anything that was received: they fit a close reason and a log. */
  readonly why: string;
}

/** What either end may say. */
export type FrameFromEither = MessageFrame | VolatileFrame | AckFrame | EndFrame | UnknownFrame | InvalidFrame;

/** What a client may hear. */
export type FrameFromServer = HelloFrame | ReadyFrame | LostFrame | PongFrame | FrameFromEither;

/** What a server may hear. */
export type FrameFromClient = OpenFrame | ResumeFrame | PingFrame | FrameFromEither;

export type Frame = FrameFromServer | FrameFromClient;
