// How is the client's half written down, and read again?

import type { Data } from '@holdfast/core';

/** All that a client has to know to go on with its session. */
export interface Snapshot {
  /** The session; `undefined` if none was agreed on yet. */
  readonly session: { readonly sid: string; readonly token: string } | undefined;
  /** The number of the newest attempt. */
  readonly attempt: number;
  /** The last message from the server, and its tag. */
  readonly received: number;
  readonly tag: number;
  /** Of ours, the last that was acknowledged; then those that are held, oldest first. */
  readonly proven: number;
  readonly held: readonly { readonly data: Data; readonly written: boolean }[];
}

export function writeSnapshot({ session, attempt, received, tag, proven, held }: Snapshot): string {
  return JSON.stringify({
    v: 1,
    attempt,
    received,
    tag,
    proven,
    sid: session && session.sid,
    token: session && session.token,
    // binary as one character for each byte
    held: held.map(({ data, written }) => [
      +written,
      typeof data === 'string' ? data : Array.from(data, (byte) => String.fromCharCode(byte)).join(''),
      +(typeof data !== 'string'),
    ]),
  });
}

/** @throws when it is not of this form: it was written by somebody else */
export function readSnapshot(text: string): Snapshot {
  const { v, sid, token, attempt, received, tag, proven, held } = JSON.parse(text) as Record<string, unknown>;
  const numbers = [attempt, received, tag, proven];
  const hasSession = typeof sid === 'string' && typeof token === 'string';
  if (v !== 1 || !numbers.every(Number.isSafeInteger) || !Array.isArray(held)) throw new Error('not a snapshot');
  return {
    session: hasSession ? { sid, token } : undefined,
    attempt: attempt as number,
    received: received as number,
    tag: tag as number,
    proven: proven as number,
    held: held.map(([written, data, isBinary]: [number, string, number]) => ({
      data: isBinary ? Uint8Array.from(data, (unit) => unit.charCodeAt(0)) : data,
      written: written === 1,
    })),
  };
}
