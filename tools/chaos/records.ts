// What is there to judge when a chaos run is over?

import type { ClientNote, Noted, ServerNote } from './diary.ts';
import type { Effect } from './effects.ts';

/** What went wrong on purpose, as far as it excuses anything; by the clock that all share. */
export type Trouble = { readonly at: number } & (
  { readonly what: 'crashed'; readonly writer: string } | { readonly what: 'store failed' }
);

/** Everything that was written down. */
export interface Records {
  readonly clients: readonly {
    readonly name: string;
    readonly place: 'process' | 'page';
    readonly notes: readonly Noted<ClientNote>[];
  }[];
  readonly servers: readonly { readonly writer: string; readonly notes: readonly Noted<ServerNote>[] }[];
  readonly troubles: readonly Trouble[];
  /** By session. */
  readonly effects: ReadonlyMap<string, readonly Effect[]>;
  /** When nothing went wrong any more, and when everything had arrived. */
  readonly quietAt: number;
  readonly settledAt: number;
  /** Clients that still held messages then: none, if all is well. */
  readonly unsettled: readonly string[];
}

/** Of the session that a client has; nothing if it has none, or got nothing of it. */
export function sidOf(notes: readonly Noted<ClientNote>[]): string | undefined {
  for (const note of notes.toReversed()) {
    if (note.what === 'got') return note.sid;
    if (note.what === 'lost' || (note.what === 'session' && !note.resumed)) return undefined;
  }
  return undefined;
}
