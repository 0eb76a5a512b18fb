// What runs in a page of the chaos run: a client whose session and diary outlive reloads.

import { connect } from '@holdfast/browser';
import { session, webStorage } from '@holdfast/session';
import { PACE, createChatter, type Chatter, type ChatterOptions } from './chatter.ts';
import type { ClientNote, Noted } from './diary.ts';

export interface InChaosPage {
  start(options: Omit<ChatterOptions, 'next'>): void;
  reconnect(): void;
  /** Ends the chatter, and resolves when everything is committed. */
  settle(): Promise<void>;
  close(): Promise<void>;
  queued(): number;
  /** All notes of this tab. `at` is the machine's wall clock. */
  notes(): readonly Noted<ClientNote>[];
}

declare global {
  var inChaosPage: InChaosPage;
}

/** Notes are in the tab's storage, each under its number; and how many there are. */
const COUNT = 'notes';
let count = Number(sessionStorage.getItem(COUNT));

function note(one: ClientNote): void {
  const at = performance.timeOrigin + performance.now();
  sessionStorage.setItem(`note ${count++}`, JSON.stringify({ at, ...one }));
  sessionStorage.setItem(COUNT, String(count));
}

const notes = (): readonly Noted<ClientNote>[] =>
  Array.from({ length: count }, (_, i) => JSON.parse(sessionStorage.getItem(`note ${i}`)!) as Noted<ClientNote>);

let chatter: Chatter | undefined;

globalThis.inChaosPage = {
  start(options) {
    const next = 1 + notes().reduce((most, one) => (one.what === 'sending' ? one.n : most), 0);
    const storage = webStorage(sessionStorage);
    chatter = createChatter(
      { ...options, next },
      (url) => connect(url, { ...PACE, session: session({ auth: options.name, storage }) }),
      note,
    );
  },
  reconnect: () => chatter?.client.reconnect(),
  async settle() {
    chatter?.hush();
    await chatter?.settled();
  },
  close: async () => chatter?.client.close(),
  queued: () => chatter?.client.queued ?? 0,
  notes,
};
