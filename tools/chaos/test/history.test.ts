// Do diaries that tell of a loss, a double or a wrong order come out as that?

import { expect, it } from 'vitest';
import type { ClientNote, Noted, ServerNote } from '../diary.ts';
import type { Effect } from '../effects.ts';
import type { Records } from '../records.ts';
import { judge } from '../verdict.ts';

type Note<T> = T extends unknown ? Omit<T, 'at'> : never;

/** Two messages each way, as it should be; `change` makes something else of it. */
function recordsOf(change: { client?: ClientNote[]; server?: ServerNote[]; effects?: Effect[] } = {}): Records {
  const client: ClientNote[] = change.client ?? [
    { what: 'born' },
    { what: 'session', resumed: false },
    ...sent(1),
    ...sent(2),
    ...got(1, 2),
  ];
  const server: ServerNote[] = change.server ?? [
    { what: 'session', sid: 's', client: 'node-1', resumed: false },
    ...handled(1, 1),
    ...handled(2, 2),
    ...stored(1),
    ...stored(2),
  ];
  const effects = change.effects ?? [1, 2].map((seq) => ({ seq, n: seq, writer: 'a1' }));
  return {
    clients: [{ name: 'node-1', place: 'process', notes: timed(client, 0) }],
    servers: [{ writer: 'a1', notes: timed(server, 50) }],
    troubles: [],
    effects: new Map([['s', effects]]),
    quietAt: 900,
    settledAt: 1_000,
    unsettled: [],
  };
}

const sent = (n: number): ClientNote[] => [
  { what: 'sending', n },
  { what: 'accepted', n },
];
const got = (...ks: number[]): ClientNote[] => ks.map((k) => ({ what: 'got', sid: 's', writer: 'a1', k }));
const handled = (seq: number, n: number): ServerNote[] => [
  { what: 'handling', sid: 's', seq, client: 'node-1', n },
  { what: 'handled', sid: 's', seq },
];
const stored = (k: number): ServerNote[] => [
  { what: 'sending', sid: 's', k, bytes: 10 },
  { what: 'stored', sid: 's', k },
];
/** What a client gets, and hears of a loss, is a while after it was sent. */
const timed = <T extends Note<ClientNote> | Note<ServerNote>>(notes: readonly T[], from: number): Noted<T>[] =>
  notes.map((note, i) => ({ ...note, at: from + i + (note.what === 'got' || note.what === 'lost' ? 200 : 0) }));

const born: ClientNote[] = [{ what: 'born' }, { what: 'session', resumed: false }];

it('what is as it should be is good', () => {
  const { isGood, violations, figures } = judge(recordsOf(), {});
  expect(violations).toEqual([]);
  expect(isGood).toBe(true);
  expect(figures).toMatchObject({ toServers: 2, toClients: 2, sessions: 1, lost: 0, duplicated: 0, outOfOrder: 0 });
});

it('a message that no server has handled is lost', () => {
  const verdict = judge(recordsOf({ client: [...born, ...sent(1), ...sent(2), ...sent(3), ...got(1, 2)] }), {});
  expect(verdict).toMatchObject({ isGood: false, figures: { lost: 1 } });
});

it('a message that the client did not get is lost', () => {
  const verdict = judge(recordsOf({ client: [...born, ...sent(1), ...sent(2), ...got(1)] }), {});
  expect(verdict).toMatchObject({ isGood: false, figures: { lost: 1 } });
});

it('a message that was told as in doubt is not lost', () => {
  const lost: ClientNote = { what: 'lost', reason: 'expired', inDoubt: [3], unsent: [] };
  const { figures } = judge(
    recordsOf({ client: [...born, ...sent(1), ...sent(2), ...sent(3), ...got(1, 2), lost] }),
    {},
  );
  expect(figures).toMatchObject({ lost: 0, inDoubt: 1, lostSessions: { expired: 1 } });
});

it('a message that the client got twice, or too early, is told', () => {
  const twice = judge(recordsOf({ client: [...born, ...sent(1), ...sent(2), ...got(1, 2, 2)] }), {});
  expect(twice).toMatchObject({ isGood: false, figures: { duplicated: 1 } });
  const early = judge(recordsOf({ client: [...born, ...sent(1), ...sent(2), ...got(2, 1)] }), {});
  expect(early.isGood).toBe(false);
});

it('a message that was handled again by a server that lives is doubled', () => {
  const server: ServerNote[] = [...handled(1, 1), ...handled(2, 2), ...handled(2, 2), ...stored(1), ...stored(2)];
  expect(judge(recordsOf({ server }), {})).toMatchObject({ isGood: false, figures: { duplicated: 1 } });
});

it('effects that come again are known by their sid and seq; one that is gone, or not the one that was handled, is told', () => {
  const effect = (seq: number, n = seq): Effect => ({ seq, n, writer: 'a1' });
  const again = judge(recordsOf({ effects: [effect(1), effect(1), effect(2)] }), {});
  expect(again).toMatchObject({ isGood: true, figures: { effectsAgain: 1 } });
  for (const effects of [[effect(1)], [effect(2), effect(1)], [effect(1), effect(2, 9)]]) {
    expect(judge(recordsOf({ effects }), {}).isGood).toBe(false);
  }
});

it('what a killed client had in no snapshot is neither lost nor doubled, and is counted', () => {
  const saved: ClientNote = { what: 'saved' };
  const client: ClientNote[] = [
    ...born,
    ...sent(1),
    ...sent(2),
    saved,
    ...got(1),
    ...sent(3),
    { what: 'born' },
    { what: 'session', resumed: true },
    ...got(1, 2),
    saved,
  ];
  const { figures, violations } = judge(recordsOf({ client }), {});
  expect(violations).toEqual([]);
  expect(figures).toMatchObject({ toldAgain: 1, diedUnsaved: 1, lost: 0, duplicated: 0 });

  const lost: ClientNote = { what: 'lost', reason: 'expired', inDoubt: [3], unsent: [] };
  const told = judge(recordsOf({ client: [...client, lost] }), {});
  expect(told.violations.filter((words) => !words.startsWith('I6'))).toEqual([]);
  expect(told.figures).toMatchObject({ diedUnsaved: 0, inDoubt: 1, lost: 0 });
});

it('a client that is not done is not good', () => {
  expect(judge({ ...recordsOf(), unsettled: ['node-1'] }, {}).isGood).toBe(false);
});
