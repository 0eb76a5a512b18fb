// How is the client's half written down, and read again?

import type { Data } from '@holdfast/core';
import { MAX_SEQ, MAX_TAG } from './frames.ts';

/** All that a client has to know to go on with its session. */
export interface Snapshot {
  /** The session; `undefined` if none was agreed on yet. */
  readonly session: { readonly sid: string; readonly token: string } | undefined;
  /** The number of the newest attempt. */
  readonly attempt: number;
  /** Who has made attempts since the server last said that it is ready, oldest first. */
  readonly holders: number[];
  /** Milliseconds that a session lives untouched, as the server said last; 0 if it never did. */
  readonly ttl: number;
  /** The last message from the server, and its tag. */
  readonly received: number;
  readonly tag: number;
  /** Of ours, the last that was acknowledged; then those that are held, oldest first. */
  readonly proven: number;
  readonly held: readonly { readonly data: Data; readonly written: boolean }[];
}

export function writeSnapshot(snapshot: Snapshot): string {
  // binary as one character for each byte
  const held = snapshot.held.map(({ data, written }) => [
    +written,
    typeof data === 'string' ? data : Array.from(data, (byte) => String.fromCharCode(byte)).join(''),
    +(typeof data !== 'string'),
  ]);
  return JSON.stringify(Object.assign({ v: 1 }, snapshot, { held }));
}

/** @throws when it is not of this form: it was written by somebody else */
export function readSnapshot(text: string): Snapshot {
  const fields = JSON.parse(text) as Record<string, unknown>;
  const { v, session, attempt, received, tag, ttl, proven, holders, held } = fields;
  const { sid, token } = Object(session) as Record<string, unknown>;
  const hasSession = typeof sid === 'string' && typeof token === 'string';
  const areInRange =
    [attempt, received, proven, ttl].every(isUpTo(MAX_SEQ)) && [tag].concat(holders).every(isUpTo(MAX_TAG));
  if (v !== 1 || !areInRange || !Array.isArray(holders) || !Array.isArray(held)) throw new Error('not a snapshot');
  return Object.assign(fields, {
    session: hasSession ? { sid, token } : undefined,
    held: held.map(([written, data, isBinary]: [number, string, number]) => ({
      data: isBinary ? Uint8Array.from(data, (unit) => unit.charCodeAt(0)) : data,
      written: written === 1,
    })),
  }) as unknown as Snapshot;
}

const isUpTo =
  (max: number) =>
  (value: unknown): boolean =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
