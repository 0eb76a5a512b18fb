// What does the session layer need of the world around it, and what does it tell?

import type { Data } from '@holdfast/core';
import type { ServerError } from '../errors.ts';
import type { Session } from './session.ts';

/** One socket, once it is open. A peer is one; so is whatever a simulation makes up. */
export interface Transport {
  /** Nothing happens if the socket is closing or closed. */
  send(data: Data): void;
  /** The closing handshake, in the end followed by the link's `closed()`. May be called twice. */
  close(code: number, reason: string): void;
  /** Nothing more is read until `resume`; what was read already may still come. */
  pause(): void;
  resume(): void;
  /** Bytes handed over that the operating system has not taken yet. */
  readonly bufferedAmount: number;
}

/** Time, chance and a name: all that is not the same on every node. */
export interface SessionPlatform {
  /** Milliseconds that never decrease. */
  now(): number;
  /** Calls `fn` once, at or after `at`, never inside this call. Returns a cancel that may be called twice. */
  wake(at: number, fn: () => void): () => void;
  /** Unguessable. */
  randomBytes(count: number): Uint8Array;
  /** This node's name, which no other node of the store has, nor this one's earlier life. */
  readonly node: string;
}

/** Whoever makes a half hears of it. Neither function may throw. */
export interface SessionOwner<Identity> {
  /** A session is ready, and none of its messages was told yet: add its listeners here. */
  session(session: Session<Identity>, info: SessionInfo): void;
  /** With the session if it is about one. */
  failed(error: ServerError, session?: Session<Identity>): void;
}

export interface SessionInfo {
  /** False for a new session; true for one that has come back, to this node or from another. */
  readonly resumed: boolean;
}

/** Who is at the other end of a socket, as far as the upgrade told. */
export interface SessionVisitor<Identity, Request> {
  readonly request: Request;
  readonly identity: Identity;
}
