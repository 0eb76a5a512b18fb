// What does everybody write down while things break? Notes, one JSON a line, on the disk before the next step: a kill -9
// leaves them.

import { existsSync, openSync, readFileSync, writeSync } from 'node:fs';

/** `at` is in milliseconds, by a clock that all processes share. */
export type Noted<Note> = Note & { readonly at: number };

/** A client's. Its messages are numbered from 1 over its whole life, kills included. */
export type ClientNote =
  /** It lives, for the first time or again. */
  | { readonly what: 'born' }
  | { readonly what: 'sending'; readonly n: number }
  /** `send` has taken it, or has not. */
  | { readonly what: 'accepted' | 'refused'; readonly n: number }
  | { readonly what: 'writable' }
  /** The `k`-th of that writer to that session. */
  | { readonly what: 'got'; readonly writer: string; readonly k: number; readonly sid: string }
  | { readonly what: 'damaged'; readonly text: string }
  | { readonly what: 'session'; readonly resumed: boolean }
  | {
      readonly what: 'lost';
      readonly reason: string;
      readonly inDoubt: readonly number[];
      readonly unsent: readonly number[];
    }
  | { readonly what: 'dropped'; readonly n: number; readonly reason: string }
  | { readonly what: 'closed'; readonly code: number }
  | { readonly what: 'error'; readonly code: string; readonly message: string }
  /** What stands above is in the snapshot on the disk, and outlives a kill. */
  | { readonly what: 'saved' };

/** A server's. Each life of a server is a writer of its own, and numbers its messages to each session from 1. */
export type ServerNote =
  | { readonly what: 'session'; readonly sid: string; readonly client: string; readonly resumed: boolean }
  | {
      readonly what: 'handling';
      readonly sid: string;
      readonly seq: number;
      /** As the message itself says. */
      readonly client: string;
      readonly n: number;
    }
  | { readonly what: 'handled'; readonly sid: string; readonly seq: number }
  | { readonly what: 'sending'; readonly sid: string; readonly k: number; readonly bytes: number }
  /** `send` has resolved: true, false, or it has rejected, so that nobody knows. */
  | { readonly what: 'stored' | 'refused' | 'unknown'; readonly sid: string; readonly k: number }
  | { readonly what: 'ended'; readonly sid: string; readonly reason: string }
  | { readonly what: 'error'; readonly code: string; readonly message: string };

/** Appends to a file. */
export function createDiary<Note extends object>(path: string): (note: Note) => void {
  const file = openSync(path, 'a');
  return (note) => void writeSync(file, `${JSON.stringify({ at: sharedNow(), ...note })}\n`);
}

/** A line that a kill has cut in two is none. */
export function readDiary<Note>(path: string): readonly Noted<Note>[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Noted<Note>);
}

/** Milliseconds that all processes of this machine count alike. */
export const sharedNow = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;
