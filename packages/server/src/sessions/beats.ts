// How do the sessions of a node stay alive in the store, and which of them have waited for too long?

import { storeFailed, type ServerError } from '../errors.ts';
import { whenAnswered } from './awaitable.ts';
import type { SessionFace } from './face.ts';
import type { SessionPlatform } from './platform.ts';
import type { EndReason, Entry, SessionStore } from './store.ts';
import type { Tenure } from './tenure.ts';

/** A session that this node knows: served, about to be left, or waiting for its client. */
export interface Held<Identity> {
  readonly face: SessionFace<Identity>;
  /** The newest that this node had. */
  readonly tenure: Tenure<Identity>;
  /** When nobody can come back to it any more; undefined while somebody is there. */
  expiresAt: number | undefined;
}

/** Whose sessions they are. */
export interface BeatsHome<Identity> {
  readonly settings: { readonly ttl: number };
  readonly store: SessionStore;
  readonly platform: SessionPlatform;
  /** How long the store keeps a session after a touch. */
  readonly storedFor: number;
  readonly held: ReadonlyMap<string, Held<Identity>>;
  failed(error: ServerError): void;
  fenced(tenure: Tenure<Identity>): void;
  ended(tenure: Tenure<Identity>, reason: EndReason, undelivered: readonly Entry[]): void;
}

/** Touches come at least four times in a `ttl`. */
const TOUCHES_PER_TTL = 4;

/** Leases that one `touch` names. */
const TOUCHED_AT_ONCE = 256;

/** Milliseconds from one touch to the next. */
export const beatOf = (ttl: number, heartbeat: number): number => Math.min(heartbeat, ttl / TOUCHES_PER_TTL);

/** One timer for all, and none while there is no session. */
export class Beats<Identity> {
  private cancel: (() => void) | undefined;
  /** A store that takes longer than a beat is not asked by the next one too. */
  private isTouching = false;

  constructor(
    private readonly home: BeatsHome<Identity>,
    private readonly length: number,
  ) {}

  /** There is a session. */
  start(): void {
    const { platform, held } = this.home;
    this.cancel ??= platform.wake(platform.now() + this.length, () => {
      this.cancel = undefined;
      this.beat();
      if (held.size > 0) this.start();
    });
  }

  stop(): void {
    this.cancel?.();
  }

  private beat(): void {
    const now = this.home.platform.now();
    const served: Tenure<Identity>[] = [];
    for (const held of this.home.held.values()) {
      if (held.expiresAt !== undefined && held.expiresAt <= now) this.expire(held);
      if (held.tenure.isKept) served.push(held.tenure);
    }
    if (!this.isTouching) this.touch(served, 0);
  }

  /**
   * Some at a time, and the next when the store has answered, so that a message never waits behind all of them. A store that
   * does not answer is no reason to close sockets here: all would come back at once. Those that have something to say find
   * out by themselves.
   */
  private touch(served: readonly Tenure<Identity>[], from: number): void {
    const { store, storedFor, held } = this.home;
    this.isTouching = from < served.length && held.size > 0;
    if (!this.isTouching) return;
    const to = from + TOUCHED_AT_ONCE;
    const tenures = served.slice(from, to).filter((tenure) => tenure.isKept);
    const leases = tenures.map(({ lease }) => lease);
    whenAnswered(
      () => store.touch(leases, storedFor),
      (standings) => {
        for (const [i, tenure] of tenures.entries()) {
          tenure.stands(standings[i] ?? 'ok');
          tenure.check();
        }
        this.touch(served, to);
      },
      (cause) => {
        this.home.failed(storeFailed(cause));
        this.touch(served, to);
      },
    );
  }

  private expire(held: Held<Identity>): void {
    const { home } = this;
    const { tenure } = held;
    held.expiresAt = Infinity;
    whenAnswered(
      () => home.store.end(tenure.lease, 'expired', home.settings.ttl),
      ({ standing, undelivered }) => {
        if (standing === 'fenced') home.fenced(tenure);
        else home.ended(tenure, standing === 'ok' ? 'expired' : 'unknown', undelivered);
      },
      (cause) => {
        held.expiresAt = home.platform.now(); // with the next beat
        home.failed(storeFailed(cause));
      },
    );
  }
}
