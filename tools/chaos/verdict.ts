// Was anything lost, did anything come twice, was anything out of order? And how much had to be endured for the answer?

import { checkHistory, type HistoryEvent } from '../../packages/session/test/support/checker.ts';
import { historyOf } from './history.ts';
import type { MishapName } from './plan.ts';
import type { Records } from './records.ts';

export interface ChaosVerdict {
  readonly isGood: boolean;
  readonly figures: Figures;
  readonly violations: readonly string[];
  readonly history: readonly HistoryEvent[];
}

export interface Figures {
  readonly toServers: number;
  readonly toClients: number;
  readonly sessions: number;
  readonly resumes: number;
  /** Sessions that were lost, and told so, by reason. */
  readonly lostSessions: Readonly<Record<string, number>>;
  /** Messages that were told as in doubt, and as never sent. */
  readonly inDoubt: number;
  readonly unsent: number;
  /** Messages that a server handled again, with the same sid and seq: a node had died, or a takeover had waited enough. */
  readonly handledAgain: number;
  /** Effects in Redis that came again, and were known by their sid and seq. */
  readonly effectsAgain: number;
  readonly toldAgain: number;
  readonly diedUnsaved: number;
  readonly mishaps: Readonly<Partial<Record<MishapName, number>>>;
  readonly closes: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<string, number>>;
  readonly lost: number;
  readonly duplicated: number;
  readonly outOfOrder: number;
}

/** The servers' options, as far as promises hang on them. */
const SETTINGS = { ttl: 120_000, takeoverTimeout: 2_000, maxMessages: 1_000, maxBytes: 1_048_576 };

export function judge(records: Records, mishaps: Figures['mishaps']): ChaosVerdict {
  const { events, toldAgain, diedUnsaved } = historyOf(records, SETTINGS);
  const verdict = checkHistory(events);
  const isSettled = records.unsettled.length === 0;
  const { violations: ofEffects, again: effectsAgain } = checkEffects(records);
  // while messages are still being handled, diaries and lists are of different moments
  const violations = [
    ...verdict.violations,
    ...(isSettled ? ofEffects : [`L1: ${records.unsettled.join(', ')} not done`]),
  ];
  const { lost, duplicated, outOfOrder, handledAgain } = verdict;
  const ofType = <Type extends HistoryEvent['type']>(type: Type) =>
    events.filter((event): event is HistoryEvent & { readonly type: Type } => event.type === type);
  const notes = [...records.clients, ...records.servers].flatMap((one): readonly Record<string, unknown>[] => [
    ...one.notes,
  ]);

  return {
    isGood: violations.length === 0 && lost + duplicated + outOfOrder === 0,
    violations,
    history: events,
    figures: {
      toServers: ofType('accepted').length,
      toClients: ofType('sending').length,
      sessions: ofType('session').filter(({ resumed }) => !resumed).length,
      resumes: ofType('session').filter(({ resumed }) => resumed).length,
      lostSessions: countBy(ofType('lost'), ({ reason }) => reason),
      inDoubt: ofType('lost').reduce((sum, { inDoubt }) => sum + inDoubt.length, 0),
      unsent: ofType('lost').reduce((sum, { unsent }) => sum + unsent.length, 0),
      handledAgain,
      effectsAgain,
      toldAgain,
      diedUnsaved,
      mishaps,
      closes: countBy(ofType('closed'), ({ code }) => String(code)),
      errors: countBy(
        notes.filter(({ what }) => what === 'error'),
        ({ code }) => String(code),
      ),
      lost,
      duplicated,
      outOfOrder,
    },
  };
}

/**
 * What handlers did has to be there too: once it is told apart by sid and seq, each session's effects are 1, 2, 3, …, and are
 * those of what was handled.
 */
function checkEffects({ effects, servers }: Records): {
  readonly violations: readonly string[];
  readonly again: number;
} {
  const violations: string[] = [];
  let again = 0;
  const handled = new Map<string, number>();
  for (const { notes } of servers) {
    for (const note of notes) if (note.what === 'handling') handled.set(`${note.sid} ${note.seq}`, note.n);
  }
  const done = new Map<string, number>();
  for (const [sid, all] of effects) {
    let last = 0;
    for (const { seq, n } of all) {
      const name = `${sid} ${seq}`;
      const before = done.get(name);
      if (before !== undefined) again++;
      else if (seq !== last + 1) violations.push(`effects: ${sid}: ${seq} came after ${last}`);
      if ((before ?? n) !== n || handled.get(name) !== n)
        violations.push(`effects: ${sid}: ${seq} was ${n}, and is not`);
      done.set(name, n);
      last = Math.max(last, seq);
    }
  }
  for (const { notes } of servers) {
    for (const note of notes) {
      if (note.what !== 'handled' || done.has(`${note.sid} ${note.seq}`)) continue;
      violations.push(`effects: ${note.sid}: ${note.seq} was handled, and its effect is gone`);
    }
  }
  return { violations, again };
}

/** The last line says what it was all for. */
export function describe({ figures, violations }: ChaosVerdict): readonly string[] {
  const { toServers, toClients, sessions, resumes, lostSessions, inDoubt, unsent, mishaps } = figures;
  const { lost, duplicated, outOfOrder, handledAgain, effectsAgain, toldAgain, diedUnsaved } = figures;
  const lostCount = Object.values(lostSessions).reduce((sum, count) => sum + count, 0);
  return [
    ...violations.map((words) => `BROKEN  ${words}`),
    `mishaps        ${listOf(mishaps)}`,
    `closes         ${listOf(figures.closes)}`,
    `errors         ${listOf(figures.errors) || 'none'}`,
    `messages       ${toServers} to servers, ${toClients} to clients`,
    `sessions       ${sessions} opened, ${resumes} resumed, ${lostCount} lost and told so${lostCount > 0 ? `: ${listOf(lostSessions)}` : ''}`,
    `told           ${inDoubt} in doubt, ${unsent} unsent`,
    `handled again  ${handledAgain} (${effectsAgain} effects known by sid and seq), since a server died before its commit`,
    `killed clients ${toldAgain} messages told again, ${diedUnsaved} gone before they were saved`,
    `${lost} lost, ${duplicated} duplicated, ${outOfOrder} out of order`,
  ];
}

function countBy<T>(all: readonly T[], nameOf: (one: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of all) counts[nameOf(one)] = (counts[nameOf(one)] ?? 0) + 1;
  return counts;
}

const listOf = (counts: Readonly<Record<string, number | undefined>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count ?? 0}`)
    .join(', ');
