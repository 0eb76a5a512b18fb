// Was every promise kept? Judges a history of events, whoever recorded it.
//
// The names I1 to I15 and L1 to L3 are those of the table below. What a history does not have is not judged: one recorded
// from outside, of real servers, knows nothing of a store's positions, and is judged by what applications saw.
//
// | name | promise                                                                                                     |
// | ---- | ----------------------------------------------------------------------------------------------------------- |
// | I1   | what a session's handlers get is what its client sent, in order, each once                                    |
// | I2   | what a client gets is what was sent to its session, in order, each once                                       |
// | I3   | nothing is acknowledged that is not committed                                                                 |
// | I4   | nobody keeps more than its bound                                                                              |
// | I5   | every message that was accepted is handled, told to the application, or still held                            |
// | I6   | no session ends without a reason that is true                                                                 |
// | I7   | a lease that is not the newest changes nothing                                                                |
// | I8   | an attempt that is not the newest changes nothing                                                             |
// | I9   | positions never go back                                                                                       |
// | I10  | handlers of one session never overlap, and none runs twice unless a node died or a takeover had waited enough |
// | I11  | nothing is said before the server has greeted                                                                 |
// | I12  | servers without sessions get no frame of a session's                                                          |
// | I13  | what a peer sends is bounded, too                                                                             |
// | I14  | a session that ends is told as lost once                                                                      |
// | I15  | a client that is alone is never told that somebody else has its session                                      |
// | L1   | when nothing goes wrong any more, everything arrives                                                          |
// | L2   | and nobody dials for ever                                                                                     |
// | L3   | and whoever was refused hears of room                                                                         |

import { createInboundBooks } from './checker-inbound.ts';
import { createOutboundBooks } from './checker-outbound.ts';
import { createSessionBooks } from './checker-sessions.ts';
import type { HistoryEvent, SettingsEvent } from './history.ts';

export type { HistoryEvent, SettingsEvent } from './history.ts';

export interface Verdict {
  /** What was promised and not kept, in words; empty is good. */
  readonly violations: readonly string[];
  /** Messages, both ways, that vanished without a word. */
  readonly lost: number;
  /** Messages, both ways, that came twice though nothing excused it. */
  readonly duplicated: number;
  /** Messages, both ways, that came before one that was sent earlier. */
  readonly outOfOrder: number;
  /** Messages of clients that `lost` told as in doubt. */
  readonly inDoubtTold: number;
  /** Handlers that ran again for a message because a node had died, or a takeover had waited long enough. */
  readonly handledAgain: number;
  /** Messages accepted, both ways. */
  readonly messages: number;
}

/** Books of one kind; each takes what concerns it. */
export interface Books {
  take(event: HistoryEvent): void;
}

/** What went wrong on purpose, as far as it excuses anything. */
export interface Excuses {
  readonly settings: SettingsEvent;
  readonly crashes: ReadonlySet<string>;
  readonly hasPlainServers: boolean;
  /** When it happened last. */
  readonly rolledBackAt: number;
  readonly storeFailedAt: number;
}

/** Where the books write what they find. */
export interface Findings {
  broken(rule: string, words: string): void;
  count(what: 'lost' | 'duplicated' | 'outOfOrder' | 'inDoubtTold' | 'handledAgain' | 'messages', times?: number): void;
}

/** More are never read. */
const MAX_WORDS = 20;

/** Judges a history, oldest event first. */
export function checkHistory(events: readonly HistoryEvent[]): Verdict {
  const violations: string[] = [];
  const counts = { lost: 0, duplicated: 0, outOfOrder: 0, inDoubtTold: 0, handledAgain: 0, messages: 0 };
  let at = 0;
  const findings: Findings = {
    broken(rule, words) {
      if (violations.length < MAX_WORDS) violations.push(`${rule}: ${words} (at ${at} ms)`);
    },
    count(what, times = 1) {
      counts[what] += times;
    },
  };
  const [settings] = events;
  if (settings?.type !== 'settings') throw new Error('a history begins with its settings');
  const excuses = {
    settings,
    crashes: new Set<string>(),
    hasPlainServers: false,
    rolledBackAt: -Infinity,
    storeFailedAt: -Infinity,
  };
  const books: readonly Books[] = [
    createInboundBooks(excuses, findings),
    createOutboundBooks(findings),
    createSessionBooks(excuses, findings),
  ];
  for (const event of events) {
    at = event.at;
    if (event.type === 'crashed') excuses.crashes.add(event.node);
    else if (event.type === 'rolled-back') excuses.rolledBackAt = at;
    else if (event.type === 'store-failed') excuses.storeFailedAt = at;
    else if (event.type === 'plain-servers') excuses.hasPlainServers = true;
    for (const book of books) book.take(event);
  }
  return { violations, ...counts };
}
