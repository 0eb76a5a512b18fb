// A socket has ended and nobody here asked for it: is there another dial, and when?

import { backoffDelay, longestDelay, type Backoff } from './backoff.ts';
import { meaningOf, retryAfterOf } from './close-codes.ts';
import type { CloseInfo } from './adapter.ts';

export interface RetryPolicy extends Backoff {
  /** How many redials in a row may fail to bring a stable connection. */
  readonly maxAttempts: number;
  /** A provider or a handshake may come with fresh credentials next time. */
  readonly canHeal: boolean;
  /** The caller's last word; `undefined` leaves it to the rules. Never throws. */
  readonly shouldReconnect?: ((close: CloseInfo, attempt: number) => boolean | number | undefined) | undefined;
}

/** What is known about a loss. */
export interface Loss {
  readonly close: CloseInfo;
  /** The number that the next redial would have, from 1. */
  readonly attempt: number;
  /** Found by the heartbeat on a stable socket: such verdicts are spread over clients already, so no wait is needed. */
  readonly atOnce: boolean;
  /** It looks like a dislike of our ping text, so that its code says nothing about the client. */
  readonly forgiven: boolean;
  /** The one attempt with fresh credentials was made already, and no stable connection since. */
  readonly healed: boolean;
}

export type Verdict =
  | {
      readonly name: 'redial';
      readonly delay: number;
      readonly askedByServer: boolean;
      readonly healed: boolean;
    }
  | { readonly name: 'end'; readonly why: 'refused' | 'exhausted' };

/** The rules of docs/reconnecting.md. */
export function verdictOn(loss: Loss, policy: RetryPolicy, random: number): Verdict {
  const { close, attempt } = loss;
  const meaning = loss.forgiven ? 'retry' : meaningOf(close);
  const heals = meaning === 'unauthorized' && policy.canHeal && !loss.healed;
  const refused = meaning === 'refused' || (meaning === 'unauthorized' && !heals);
  const lastWord = policy.shouldReconnect?.(close, attempt);

  if (lastWord === false || (refused && lastWord === undefined)) return { name: 'end', why: 'refused' };
  if (attempt > policy.maxAttempts) return { name: 'end', why: 'exhausted' };

  const asked = retryAfterOf(close, random);
  const askedByServer = asked !== undefined && typeof lastWord !== 'number';
  const healed = loss.healed || heals;
  return { name: 'redial', delay: delay(), askedByServer, healed };

  function delay(): number {
    if (typeof lastWord === 'number') return lastWord;
    if (asked !== undefined) return asked;
    if (loss.atOnce) return 0;
    return meaning === 'retry-late' ? longestDelay(policy, random) : backoffDelay(policy, attempt - 1, random);
  }
}
