// Which states, inputs and effects make up the life of a connection?
//
// This is the vocabulary; the rules are in machine.ts.

import type { Beat, HeartbeatPolicy, Lessons } from './heartbeat.ts';
import type { CloseInfo, Hint } from './adapter.ts';
import type { ErrorCode } from './errors.ts';
import type { RetryPolicy } from './retry.ts';

/**
 * Each state holds its own data and nothing else. `generation` is the number of the socket, by which late events of one
 * that was left behind are told apart; `attempt` counts the redials since the last stable connection.
 */
export type State = Readonly<
  | { name: 'idle' }
  | Connecting
  | Open
  | Waiting
  | Suspended
  | Closing
  | { name: 'closed'; generation: number; why: EndReason; last: CloseInfo | undefined }
>;

/** `preparing` asks the providers, `dialling` waits for the socket, `handshaking` lets the caller speak first. */
export interface Connecting {
  readonly name: 'connecting';
  readonly phase: 'preparing' | 'dialling' | 'handshaking';
  readonly generation: number;
  readonly attempt: number;
  readonly deadline: number;
  readonly memory: Memory;
}

export interface Open {
  readonly name: 'open';
  readonly generation: number;
  readonly attempt: number;
  readonly openedAt: number;
  readonly beat: Beat;
  readonly memory: Memory;
}

export interface Waiting {
  readonly name: 'waiting';
  readonly generation: number;
  readonly attempt: number;
  readonly deadline: number;
  readonly askedByServer: boolean;
  readonly memory: Memory;
}

/** `notBefore` is the moment that the server asked for, or 0. */
export interface Suspended {
  readonly name: 'suspended';
  readonly generation: number;
  readonly attempt: number;
  readonly notBefore: number;
  readonly memory: Memory;
}

/** `draining` hands over what is queued, `shaking` waits for the peer's half of the closing handshake. */
export interface Closing {
  readonly name: 'closing';
  readonly phase: 'draining' | 'shaking';
  readonly generation: number;
  readonly opened: boolean;
  readonly code: number;
  readonly reason: string;
  readonly why: CallerReason;
  readonly deadline: number;
}

/** What one life remembers from socket to socket. */
export interface Memory {
  readonly lessons: Lessons;
  /** The attempt with fresh credentials after a refusal was made; a stable connection earns another. */
  readonly healed: boolean;
  /** A socket of this life has been open. */
  readonly hasBeenOpen: boolean;
  /** When good news last shortened a wait. */
  readonly newsAt: number;
}

export type CallerReason = 'caller' | 'aborted';
/** Why a life ended: the caller closed or aborted, the server refused, the attempts were used up, a provider said stop. */
export type EndReason = CallerReason | 'refused' | 'exhausted' | 'stopped';

export type Input =
  | { readonly type: 'connect' }
  | { readonly type: 'reconnect' }
  | {
      readonly type: 'close';
      readonly code: number;
      readonly reason: string;
      readonly why: CallerReason;
    }
  | { readonly type: 'deadline' }
  | { readonly type: 'hint'; readonly hint: Hint }
  | { readonly type: 'unproven' }
  | { readonly type: 'flush' }
  | { readonly type: 'overdue' }
  // of one socket; ignored once it was left behind
  | { readonly type: 'prepared'; readonly generation: number }
  | { readonly type: 'socketOpened'; readonly generation: number }
  | { readonly type: 'handshaken'; readonly generation: number; readonly mustReply: boolean }
  | { readonly type: 'failed'; readonly generation: number; readonly cause: unknown }
  | { readonly type: 'broken'; readonly generation: number; readonly code: number; readonly cause: unknown }
  | { readonly type: 'stopped'; readonly generation: number; readonly cause: unknown }
  | { readonly type: 'replied'; readonly generation: number }
  | { readonly type: 'drained'; readonly generation: number }
  | { readonly type: 'socketClosed'; readonly generation: number; readonly close: CloseInfo };

export type Effect =
  | { readonly type: 'prepare'; readonly generation: number; readonly attempt: number }
  | { readonly type: 'openSocket'; readonly generation: number }
  | { readonly type: 'shakeHands'; readonly generation: number; readonly reconnected: boolean }
  | { readonly type: 'ping' }
  | { readonly type: 'drain' }
  | { readonly type: 'closeSocket'; readonly code: number; readonly reason: string }
  | { readonly type: 'terminateSocket' }
  | { readonly type: 'tellOpen'; readonly reconnected: boolean }
  | TellClose
  | { readonly type: 'tellEnd'; readonly why: EndReason; readonly last: CloseInfo | undefined }
  | { readonly type: 'warn'; readonly code: ErrorCode };

/** One attempt is over. Without `redial` there is no further one; its delay is `undefined` while the host has suspended us. */
export interface TellClose {
  readonly type: 'tellClose';
  readonly close: CloseInfo;
  readonly asked: boolean;
  readonly opened: boolean;
  readonly redial: { readonly delay: number | undefined } | undefined;
}

/** Everything that may be known of the world at one moment. */
export interface Instant {
  readonly now: number;
  /** In [0, 1). */
  readonly random: number;
  /** Frames received on the current socket. */
  readonly received: number;
  /** The host has hidden us and cut our network. */
  readonly suspended: boolean;
}

export interface Policy {
  readonly connectTimeout: number;
  readonly closeTimeout: number;
  readonly stableAfter: number;
  readonly hasHandshake: boolean;
  readonly heartbeat: HeartbeatPolicy;
  readonly retry: RetryPolicy;
}

export type Step = readonly [State, readonly Effect[]];
