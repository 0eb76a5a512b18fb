// When is the client's half written down, and what if that fails?

import { HoldfastError } from '@holdfast/core';
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

/** Whose half it is. */
export interface KeptBy {
  read(): Snapshot;
  restore(snapshot: Snapshot): void;
  report(error: HoldfastError): void;
}

export function createKeeper(store: SnapshotStore, kept: KeptBy): Keeper {
  /** `removed`: the life is over, and what is late must not bring it back. */
  let state: 'new' | 'loading' | 'ready' | 'removed' = 'new';
  let isDue = false;
  let isLoaded: () => void;
  const loaded = new Promise<void>((resolve) => (isLoaded = resolve));

  function failed(cause: unknown): void {
    kept.report(new HoldfastError('STORAGE_FAILED', `the session's storage failed: ${String(cause)}`, { cause }));
  }

  /** At once where the storage answers at once; never throws. */
  function ask<T>(question: () => T | PromiseLike<T>, use: (answer: T) => void, done: () => void): void {
    try {
      const answer = question();
      if (isThenable(answer)) return void answer.then(use).then(undefined, failed).then(done);
      use(answer);
    } catch (cause) {
      failed(cause);
    }
    done();
  }

  function saveNow(): void {
    isDue = false;
    if (state === 'ready') ask(() => store.save(writeSnapshot(kept.read())), ignore, ignore);
  }

  return {
    loaded,
    load() {
      if (state === 'removed') state = 'ready';
      if (state !== 'new') return;
      state = 'loading';
      ask(
        () => store.load(),
        (text) => text && kept.restore(readSnapshot(text)),
        () => {
          state = 'ready';
          isLoaded();
        },
      );
    },
    changed() {
      if (isDue) return;
      isDue = true;
      void Promise.resolve().then(() => isDue && saveNow());
    },
    saveNow,
    remove() {
      if (state !== 'ready') return;
      state = 'removed';
      ask(() => store.remove(), ignore, ignore);
    },
  };
}

function ignore(): void {}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof Object(value).then === 'function';
}
