// In which order do messages for one session reach Redis, and how many at once?

import type { AppendOutcome, SessionBounds } from '@holdfast/server';
import type { toFields } from './payload.ts';

export interface Waiting {
  readonly tag: number;
  readonly bytes: number;
  readonly fields: ReturnType<typeof toFields>;
  readonly bounds: SessionBounds;
}

/** A script holds all of Redis up while it runs, so it takes no more than this at once. */
const AT_ONCE = { messages: 100, bytes: 256 * 1024 };

/**
 * One script at a time for each session; what comes meanwhile goes with the next, together. So messages keep their order also
 * where the client sends one again (a script that Redis did not know yet, a slot of a cluster that has moved), and a burst
 * costs a few round trips.
 */
export function createAppends(store: (sid: string, messages: readonly Waiting[]) => Promise<readonly AppendOutcome[]>) {
  interface Asked extends Waiting {
    answer(outcome: AppendOutcome): void;
    fail(error: unknown): void;
  }
  const lines = new Map<string, Asked[]>();

  return (sid: string, message: Waiting): Promise<AppendOutcome> =>
    new Promise((answer, fail) => {
      const asked = { ...message, answer, fail };
      const line = lines.get(sid);
      if (line !== undefined) line.push(asked);
      else {
        lines.set(sid, [asked]);
        void serve(sid);
      }
    });

  async function serve(sid: string): Promise<void> {
    const line = lines.get(sid)!;
    while (line.length > 0) {
      const batch = line.splice(0, fitting(line));
      try {
        const outcomes = await store(sid, batch);
        batch.forEach(({ answer }, i) => answer(outcomes[i]!));
      } catch (error) {
        // nothing overtakes what was refused; and each would wait for a Redis that does not answer, one after the other
        for (const { fail } of [...batch, ...line.splice(0)]) fail(error);
      }
    }
    lines.delete(sid);
  }

  /** One script knows one set of bounds. */
  function fitting(line: readonly Asked[]): number {
    let bytes = 0;
    const end = line.findIndex((one, i) => {
      bytes += one.bytes;
      return i > 0 && (bytes > AT_ONCE.bytes || i >= AT_ONCE.messages || one.bounds !== line[0]!.bounds);
    });
    return end < 0 ? line.length : end;
  }
}
