// When is the client's half written down, and what if that fails?

import { HoldfastError, type SessionHost } from '@holdfast/core';
import { readSnapshot, writeSnapshot, type Snapshot } from './snapshot.ts';
import type { SnapshotStore } from './storage.ts';

export interface Keeper {
  /** Once there is nothing more to be loaded. Never rejects. */
  readonly loaded: Promise<void>;
  /** Reads what was kept, the first time. */
  load(): void;
  /** Something has changed: written down at the end of this turn. */
  changed(): void;
  saveNow(): void;
  remove(): void;
}

/** What of a snapshot the layer knows; the queue knows the rest. */
export interface Kept {
  read(): Bearings;
  restore(bearings: Bearings): void;
}

type Bearings = Omit<Snapshot, 'proven' | 'held'>;

export function createKeeper(
  store: SnapshotStore,
  host: Pick<SessionHost, 'queue' | 'report' | 'tell'>,
  kept: Kept,
): Keeper {
  /** `removed`: the life is over, and what is late must not bring it back. */
  let state: 'new' | 'loading' | 'ready' | 'removed' = 'new';
  let isDue = false;
  let isLoaded: () => void;
  const loaded = new Promise<void>((resolve) => (isLoaded = resolve));

  function failed(cause: unknown): void {
    host.report(new HoldfastError('STORAGE_FAILED', `the session's storage failed: ${String(cause)}`, { cause }));
  }

  /** At once where the storage answers at once; never throws. */
  function ask<T>(question: () => T | PromiseLike<T>, use: (answer: T) => void, finish: () => void): void {
    try {
      const answer = question();
      if (isThenable(answer)) return void answer.then(use).then(undefined, failed).then(finish);
      use(answer);
    } catch (cause) {
      failed(cause);
    }
    finish();
  }

  function snapshot(): string {
    const { written, proven } = host.queue;
    const held = host.queue.all().map(({ data }, i) => ({ data, written: i < written - proven }));
    return writeSnapshot(Object.assign({ proven, held }, kept.read()));
  }

  function restore(text: string): void {
    const read = readSnapshot(text);
    kept.restore(read);
    host.queue.restore(read.proven, read.held);
  }

  /** The life ended before the storage had answered: what an earlier process held is lost with it, and told. */
  function leftBehind(text: string): void {
    const { held } = readSnapshot(text);
    const those = (written: boolean) =>
      held.filter((each) => each.written === written).map(({ data }) => ({ value: data }));
    host.tell('lost', { reason: 'ended', inDoubt: those(true), unsent: those(false) });
  }

  function saveNow(): void {
    isDue = false;
    if (state === 'ready') ask(() => store.save(snapshot()), ignore, ignore);
  }

  function changed(): void {
    if (isDue) return;
    isDue = true;
    void Promise.resolve().then(() => isDue && saveNow());
  }

  return {
    loaded,
    load() {
      if (state === 'removed') state = 'ready';
      if (state !== 'new') return;
      state = 'loading';
      ask(
        () => store.load(),
        (text) => text && (state === 'loading' ? restore : leftBehind)(text),
        () => {
          if (state === 'loading') state = 'ready';
          isLoaded();
          if (host.queue.all().length > 0) changed(); // sent before
        },
      );
    },
    changed,
    saveNow,
    remove() {
      if (state !== 'ready' && state !== 'loading') return;
      state = 'removed';
      ask(() => store.remove(), ignore, ignore);
    },
  };
}

function ignore(): void {}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof Object(value).then === 'function';
}
