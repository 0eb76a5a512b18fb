// How does a client get its session back while a handler still has one of its messages?
//
// The store answers `busy` and tells the owner to stand back. Asked again now and then, the store gives the session as
// soon as that handler's message is committed, so that it is not handled twice; after `takeoverTimeout` it gives it anyway.

import { whenAnswered } from './awaitable.ts';
import type { SessionPlatform } from './platform.ts';
import type { Awaitable, ResumeOutcome } from './store.ts';

export interface Takeover {
  /** The handler may be done: the wait until the next question is over. */
  nudge(): void;
  /** Nobody wants it any more. An answer that is on its way is still told. */
  cancel(): void;
}

export interface TakeoverEvents {
  /** A handler is in flight. */
  busy(): void;
  /** Once; never `busy`. */
  done(outcome: Exclude<ResumeOutcome, { readonly name: 'busy' }>): void;
  failed(cause: unknown): void;
}

type State =
  { readonly name: 'asking' } | { readonly name: 'waiting'; readonly cancel: () => void } | { readonly name: 'over' };

/** The first wait, which doubles up to the longest: well within the time that an owner stands back. */
const WAITS = { first: 25, longest: 200 };

export function takeOver(
  ask: (force: boolean) => Awaitable<ResumeOutcome>,
  timeout: number,
  platform: SessionPlatform,
  events: TakeoverEvents,
): Takeover {
  const deadline = platform.now() + timeout;
  let wait = WAITS.first;
  let state: State = { name: 'asking' };

  function askStore(): void {
    state = { name: 'asking' };
    const force = platform.now() >= deadline;
    whenAnswered(
      () => ask(force),
      (outcome) => {
        if (outcome.name !== 'busy' || force) return finish(outcome);
        if (state.name === 'over') return;
        events.busy();
        const at = Math.min(platform.now() + wait, deadline);
        wait = Math.min(2 * wait, WAITS.longest);
        state = { name: 'waiting', cancel: platform.wake(at, askStore) };
      },
      (cause) => {
        state = { name: 'over' };
        events.failed(cause);
      },
    );
  }

  function finish(outcome: ResumeOutcome): void {
    state = { name: 'over' };
    if (outcome.name === 'busy')
      events.failed(new Error('the store does not give a session that was asked for by force'));
    else events.done(outcome);
  }

  askStore();
  return {
    nudge() {
      if (state.name !== 'waiting') return;
      state.cancel();
      askStore();
    },
    cancel() {
      if (state.name === 'waiting') state.cancel();
      state = { name: 'over' };
    },
  };
}
