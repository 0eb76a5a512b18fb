import { describe, expect, test } from 'vitest';
import { checkHistory, type HistoryEvent, type SettingsEvent } from './support/checker.ts';

type Moment = HistoryEvent extends infer Event
  ? Event extends unknown
    ? Omit<Event, 'at'> & { at?: number }
    : never
  : never;

const SETTINGS: SettingsEvent = {
  type: 'settings',
  ttl: 1_000,
  takeoverTimeout: 500,
  maxMessages: 2,
  maxBytes: 100,
};

/** One millisecond apart, unless they say when. */
function judge(moments: readonly Moment[], settings: Partial<SettingsEvent> = {}) {
  let at = 0;
  const events = [{ ...SETTINGS, ...settings }, ...moments].map((moment) => {
    at = 'at' in moment && moment.at !== undefined ? moment.at : at + 1;
    return { ...moment, at } as HistoryEvent;
  });
  return checkHistory(events);
}

const client = 'c';
const sid = 's';
const node = 'n';
const begins: Moment = { type: 'session', client, resumed: false };
const accepted = (message: number): Moment => ({ type: 'accepted', client, message });
const handling = (seq: number, message = seq, by = node): Moment => ({ type: 'handling', node: by, sid, seq, message });
const handled = (seq: number, by = node): Moment => ({ type: 'handled', node: by, sid, seq });
const sending = (message: number): Moment => ({ type: 'sending', node, sid, message, bytes: 1 });
const appended = (message: number): Moment => ({ type: 'appended', sid, message });
const delivered = (message: number): Moment => ({ type: 'delivered', client, sid, message });
const lost = (reason: string, inDoubt: number[] = [], unsent: number[] = []): Moment => ({
  type: 'lost',
  client,
  reason,
  inDoubt,
  unsent,
});
const settled: Moment = { type: 'settled', held: [] };
const position = { type: 'position', sid, attempt: 2, conn: 2, committed: 2, acknowledged: 2, stored: 2 } as const;

test('a history in which all went well breaks nothing, and is counted', () => {
  expect(judge([begins, accepted(1), handling(1), handled(1), sending(7), appended(7), delivered(7), settled])).toEqual(
    {
      violations: [],
      lost: 0,
      duplicated: 0,
      outOfOrder: 0,
      inDoubtTold: 0,
      handledAgain: 0,
      messages: 2,
    },
  );
});

describe('each promise, broken, is noticed', () => {
  const broken: [rule: string, what: string, moments: readonly Moment[], settings?: Partial<SettingsEvent>][] = [
    ['I1', 'handled and never sent', [begins, handling(1), settled]],
    ['I1', 'one in the middle is missing', [begins, accepted(1), accepted(2), handling(2, 2), settled]],
    [
      'I1',
      'a later one comes first',
      [begins, accepted(1), accepted(2), handling(1, 2), handled(1), handling(2, 1), handled(2), settled],
    ],
    [
      'I1',
      'one number names two messages',
      [begins, accepted(1), accepted(2), handling(1, 1), handled(1), handling(1, 2), settled],
    ],
    ['I1', 'it was sent plainly as well', [accepted(1), { type: 'plain', client, message: 1 }, begins, handling(1)]],
    [
      'I1',
      'an effect comes twice',
      [begins, accepted(1), handling(1), { type: 'effect', sid, seq: 1 }, { type: 'effect', sid, seq: 1 }],
      { effects: true },
    ],
    ['I2', 'nobody sent it', [begins, delivered(7)]],
    ['I2', 'it comes twice', [begins, sending(7), appended(7), delivered(7), delivered(7)]],
    ['I2', 'a later one comes first', [begins, sending(7), sending(8), delivered(8), delivered(7)]],
    ['I2', 'one is skipped', [begins, sending(7), appended(7), sending(8), appended(8), delivered(8)]],
    ['I2', 'it was turned away', [begins, sending(7), { type: 'turned-away', sid, message: 7 }, delivered(7)]],
    [
      'I3',
      'an acknowledgement runs ahead',
      [begins, accepted(1), handling(1), { type: 'committed', sid, to: 1 }, { type: 'acked', sid, seq: 2 }],
    ],
    ['I3', 'a commit runs ahead of its handler', [begins, accepted(1), { type: 'committed', sid, to: 1 }]],
    ['I4', 'more is kept than may be', [{ type: 'level', whose: 'c', level: 3, bound: 2 }]],
    ['I5', 'a message vanishes', [begins, accepted(1), settled]],
    [
      'I5',
      'a message is told of twice',
      [begins, accepted(1), lost('x', [1]), { type: 'dropped', client, message: 1, reason: 'closed' }],
    ],
    [
      'I5',
      'told as not sent, and handled',
      [begins, accepted(1), handling(1), { type: 'dropped', client, message: 1, reason: 'expired' }, settled],
    ],
    ['I6', 'expired too early', [begins, { ...lost('expired'), at: 900 }]],
    ['I6', 'unknown, and nothing was forgotten', [begins, lost('unknown')]],
    ['I6', 'regressed, and nothing went back', [begins, lost('regressed')]],
    ['I6', 'overflow, and there was room', [begins, sending(7), appended(7), delivered(7), lost('overflow')]],
    ['I6', 'unauthorized, and it was not', [begins, lost('unauthorized')]],
    ['I6', 'ended, and nobody did', [begins, sending(7), appended(7), delivered(7), lost('ended')]],
    ['I6', 'taken, and nobody else was there', [begins, lost('taken')]],
    ['I6', 'protocol, and all kept it', [begins, lost('protocol')]],
    ['I6', 'poison, and nothing died of it', [begins, lost('poison')]],
    ['I6', 'downgrade, and there are no plain servers', [begins, lost('downgrade')]],
    ['I6', 'a reason that does not exist', [begins, lost('whim')]],
    ['I7', 'an old lease writes', [{ type: 'stale', what: 'write', sid, changed: true }]],
    ['I8', 'an old attempt counts', [{ type: 'stale', what: 'attempt', sid, changed: true }]],
    ['I9', 'the store goes back', [position, { ...position, conn: 1 }]],
    ['I9', 'an attempt has no new number', [1, 1].map((attempt): Moment => ({ type: 'attempt', client, attempt }))],
    [
      'I9',
      'a client forgets',
      [1, 2].map((attempt): Moment => ({ type: 'attempt', client, attempt, sid, received: 3 - attempt })),
    ],
    ['I10', 'two at a time', [begins, accepted(1), accepted(2), handling(1), handling(2)]],
    ['I10', 'again, without a reason', [begins, accepted(1), handling(1), handled(1), handling(1, 1, 'other')]],
    ['I11', 'as those on the wire saw', [{ type: 'breach', rule: 'I11', words: 'said O before H' }]],
    ['I12', 'as those on the wire saw', [{ type: 'breach', rule: 'I12', words: 'd to a plain server' }]],
    ['I13', 'as those on the wire saw', [{ type: 'breach', rule: 'I13', words: '2 000 messages wait' }]],
    [
      'I10',
      'again at once, and the store had gone back long before',
      [begins, accepted(1), { type: 'rolled-back' }, { ...handling(1), at: 10_000 }, handled(1), handling(1)],
    ],
    [
      'I10',
      'again at once, by one who was ousted long before',
      [
        begins,
        accepted(1),
        { type: 'forced', sid, from: node },
        { ...handling(1), at: 10_000 },
        handled(1),
        handling(1),
      ],
    ],
    ['I14', 'lost twice', [begins, accepted(1), { type: 'rolled-back' }, lost('regressed', [1]), lost('regressed')]],
    ['I14', 'replaced without a word', [begins, begins]],
    ['I14', 'resumed after it was lost', [{ type: 'session', client, resumed: true }]],
    ['I14', 'a server tells an end twice', [1, 2].map((): Moment => ({ type: 'ended', node, sid, reason: 'expired' }))],
    ['I15', 'told of somebody else', [begins, { type: 'closed', client, code: 4802 }]],
    ['L1', 'a message of the client never arrives', [begins, accepted(1), { type: 'settled', held: [1] }]],
    ['L1', 'a message to the client never arrives', [begins, sending(7), appended(7), { type: 'stands', client, sid }]],
    [
      'L2',
      'it dials for ever',
      [
        { type: 'quiet' },
        ...Array.from({ length: 12 }, (_, i): Moment => ({ type: 'attempt', client, attempt: i + 1 })),
      ],
    ],
    ['L3', 'nobody says that there is room', [{ type: 'refused', client }, settled]],
  ];

  test.each(broken)('%s: %s', (rule, _what, moments, settings) => {
    expect(judge(moments, settings).violations.map((words) => words.split(':')[0])).toContain(rule);
  });

  test('the table has a line for each promise', () => {
    const rules = new Set(broken.map(([rule]) => rule));
    const all = [...Array.from({ length: 15 }, (_, i) => `I${i + 1}`), 'L1', 'L2', 'L3'];
    expect(all.filter((rule) => !rules.has(rule))).toEqual([]);
  });
});

describe('what is excused', () => {
  test('a handler that runs again after its node died', () => {
    const { violations, handledAgain } = judge([
      begins,
      accepted(1),
      handling(1),
      { type: 'crashed', node },
      handling(1, 1, 'other'),
      handled(1, 'other'),
      settled,
    ]);
    expect(violations).toEqual([]);
    expect(handledAgain).toBe(1);
  });

  test('a handler that runs again after a takeover that waited long enough, or was seen to', () => {
    expect(judge([begins, accepted(1), handling(1), { ...handling(1, 1, 'other'), at: 600 }]).violations).toEqual([]);
    expect(
      judge([begins, accepted(1), handling(1), { type: 'forced', sid, from: node }, handling(1)]).violations,
    ).toEqual([]);
  });

  test('a session that ends for a true reason', () => {
    const ends: readonly (readonly Moment[])[] = [
      [{ ...lost('expired'), at: 1_010 }],
      [{ type: 'rolled-back' }, lost('regressed')],
      [{ type: 'copied', client: 'd', from: client }, lost('taken')],
      [{ type: 'unauthorized', client }, lost('unauthorized')],
      [delivered(7), { type: 'ending', sid }, lost('ended')],
      [{ type: 'plain-servers' }, lost('downgrade')],
      [{ type: 'corrupted', client }, lost('protocol')],
      [...[1009, 1009, 1009].map((code): Moment => ({ type: 'closed', client, code })), lost('poison')],
      [{ type: 'closing', client }, lost('ended')],
    ];
    for (const end of ends) expect(judge([begins, sending(7), ...end]).violations).toEqual([]);
  });

  test('a message that two holders of one token have may come twice', () => {
    const copy: Moment = { type: 'copied', client: 'd', from: client };
    expect(judge([begins, accepted(1), copy, handling(1), handled(1), lost('taken', [1]), settled]).violations).toEqual(
      [],
    );
  });

  test('a message that went with its process, was told in doubt, or may have been dropped too late', () => {
    expect(judge([begins, accepted(1), { type: 'gone', client }, settled]).violations).toEqual([]);
    const unconfirmed: Moment = { type: 'dropped', client, message: 1, reason: 'unconfirmed' };
    expect(judge([begins, accepted(1), handling(1), unconfirmed, settled]).violations).toEqual([]);
    const doubt = judge([begins, accepted(1), { type: 'rolled-back' }, lost('regressed', [1]), settled]);
    expect(doubt).toMatchObject({ violations: [], lost: 0, inDoubtTold: 1 });
  });

  test('a message to a client that the store has forgotten', () => {
    const forgotten = [begins, sending(7), appended(7), { type: 'rolled-back' } as const, sending(8), appended(8)];
    expect(judge([...forgotten, delivered(8), { type: 'stands', client, sid }]).violations).toEqual([]);
  });
});
