// When may the next task be made?
//
// Two things that clients of one process have in common, because the host has them in common. An App names a task by
// the millisecond, so two that are made in one millisecond get each other's events. And mini-programs have five
// sockets at a time, of which one that is closing still takes a place until the host says that it is closed.

import { hostClock } from './host.ts';
import type { Clock } from '@holdfast/core';

/** A place among the host's sockets, from the wish to dial until the task is over. */
export interface Place {
  /** The task was told to close, and its last event is awaited: the place is taken until `leave`, or for a bounded time. */
  abandon(): void;
  /** The task is over, or nobody wants one any more. May be called twice. */
  leave(): void;
}

export interface DialGate {
  /** Calls `dial` once when a task may be made, never inside this call. `owner` is the adapter. */
  enter(owner: object, dial: () => void): Place;
}

/** More than one, for timers may ring a millisecond early. */
const SPACING = 2;
/** WeChat, QQ, Alipay, Douyin and the services of HarmonyOS have as many. */
const LIMIT = 5;
/** With one dial under way that makes two tasks, however fast a client reconnects. */
const ABANDONED_EACH = 1;
/** Some hosts never tell the end of a task that was closed (an App, iOS); after this many milliseconds it counts as over. */
const PATIENCE = 3_000;

type Stage =
  | { readonly name: 'waiting'; readonly dial: () => void }
  | { readonly name: 'dialled' }
  | { readonly name: 'abandoned'; readonly until: number };

/** One who has entered, until he leaves. */
interface Guest {
  readonly owner: object;
  stage: Stage;
}
type WaitingGuest = Guest & { readonly stage: { readonly name: 'waiting' } };

export function createDialGate(clock: Clock): DialGate {
  const guests = new Set<Guest>(); // in the order in which they came
  let dialledAt = -Infinity;
  let cancelWake = (): void => {};

  function enter(owner: object, dial: () => void): Place {
    const guest: Guest = { owner, stage: { name: 'waiting', dial } };
    guests.add(guest);
    arm();
    return {
      abandon() {
        if (guest.stage.name === 'waiting') guests.delete(guest);
        else if (guest.stage.name === 'dialled') guest.stage = { name: 'abandoned', until: clock.now() + PATIENCE };
        arm();
      },
      leave() {
        if (guests.delete(guest)) arm();
      },
    };
  }

  /** One timer, and only while somebody waits. */
  function arm(): void {
    cancelWake();
    const all = counted();
    if (!all.some(isWaiting)) return;
    const at = firstOf(all) ? dialledAt + SPACING : Math.min(...all.map(untilOf));
    cancelWake = clock.wake(at, pass);
  }

  function pass(): void {
    const guest = firstOf(counted());
    if (guest) {
      const { dial } = guest.stage;
      (guest as Guest).stage = { name: 'dialled' };
      dialledAt = clock.now();
      dial();
    }
    arm();
  }

  /** Whoever was waited for long enough does not count any more. */
  function counted(): readonly Guest[] {
    const now = clock.now();
    guests.forEach((guest) => {
      if (untilOf(guest) <= now) guests.delete(guest);
    });
    return Array.from(guests);
  }

  return { enter };
}

/** Who may dial next. */
function firstOf(all: readonly Guest[]): WaitingGuest | undefined {
  return all.filter(isWaiting).filter(({ owner }) => mayDial(owner, all))[0];
}

/**
 * Only what is going away anyway is waited for. Five tasks that are all in use do not keep a sixth from being tried: an
 * App and a page have more than five, and a host that has not says so.
 */
function mayDial(owner: object, all: readonly Guest[]): boolean {
  const abandoned = all.filter(({ stage }) => stage.name === 'abandoned');
  const taken = all.filter((guest) => !isWaiting(guest));
  return (
    abandoned.filter((guest) => guest.owner === owner).length <= ABANDONED_EACH &&
    (abandoned.length === 0 || taken.length < LIMIT)
  );
}

function isWaiting(guest: Guest): guest is WaitingGuest {
  return guest.stage.name === 'waiting';
}

function untilOf({ stage }: Guest): number {
  return stage.name === 'abandoned' ? stage.until : Infinity;
}

/** The one of this process. */
export const dialGate: DialGate = createDialGate(hostClock());
