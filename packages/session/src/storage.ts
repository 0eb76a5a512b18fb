// Where is the client's half kept while nobody runs?

import type { SessionHost } from '@holdfast/core';
import { createKeeper, type Keeper, type Kept } from './keeper.ts';

/** For the option `storage`; made by the functions below. Whoever uses none does not load what it takes. */
export interface SessionStorage {
  keep(host: SessionHost, kept: Kept): Keeper;
}

/**
 * Keeps one text. Each may answer at once or by a promise; one that throws or rejects is told by `error` as
 * `STORAGE_FAILED`, and the session goes on without it.
 */
export interface SnapshotStore {
  /** What was saved last, or nothing. Asked once, before the first dial. */
  load(): MaybePromise<string | null | undefined>;
  /**
   * Replaces what was saved before. May be called again before it has answered; calls take effect in their order. What is
   * not yet written when the process dies costs the next one the session (`taken` or `regressed`), so answer at once if you can.
   */
  save(text: string): MaybePromise<void>;
  remove(): MaybePromise<void>;
}

type MaybePromise<T> = T | PromiseLike<T>;

/** A storage of your own. */
export function storedBy(store: SnapshotStore): SessionStorage {
  return { keep: (host, kept) => createKeeper(store, host, kept) };
}

/** `localStorage` and `sessionStorage`, as far as they are used. */
export interface WebStorageLike {
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
  removeItem(key: string): void;
}

/**
 * For pages. `sessionStorage` is one tab's own, and survives a reload; a tab that was duplicated begins with a copy, and one
 * of the two loses the session as `taken`. With `localStorage` give each tab another key.
 */
export function webStorage(storage: WebStorageLike, key = 'holdfast.session'): SessionStorage {
  return storedBy({
    load: () => storage.getItem(key),
    save: (text) => storage.setItem(key, text),
    remove: () => storage.removeItem(key),
  });
}

/** `uni`, `wx`, `tt` and their kin, as far as they are used. (Alipay's `my` has another form; `uni` hides that.) */
export interface HostStorageLike {
  getStorageSync(key: string): unknown;
  setStorageSync(key: string, text: string): void;
  removeStorageSync(key: string): void;
}

/** For uni-app and mini-programs: `hostStorage(uni)`. */
export function hostStorage(host: HostStorageLike, key = 'holdfast.session'): SessionStorage {
  return storedBy({
    load() {
      const text = host.getStorageSync(key); // '' where there is none
      return typeof text === 'string' && text !== '' ? text : undefined;
    },
    save: (text) => host.setStorageSync(key, text),
    remove: () => host.removeStorageSync(key),
  });
}
