// How do the diaries of many become the one history that can be judged?

import type { HistoryEvent } from '../../packages/session/test/support/history.ts';
import type { ClientNote, Noted } from './diary.ts';
import { sidOf, type Records } from './records.ts';

export interface HistoryOptions {
  readonly ttl: number;
  readonly takeoverTimeout: number;
  readonly maxMessages: number;
  readonly maxBytes: number;
}

export interface ChaosHistory {
  readonly events: readonly HistoryEvent[];
  /** Messages that a client was told again after a kill, which came before it had written down that it had them. */
  readonly toldAgain: number;
  /** Messages that were in no snapshot when a client was killed, and that nobody has seen since. */
  readonly diedUnsaved: number;
}

/** The history's numbers are unique over all clients; a client's own grow. */
const CLIENTS = 1_000;

/** The clock of a page is taken for another's, and may be off by as much, in milliseconds. */
const NEXT = 0.000_1;

export function historyOf(records: Records, options: HistoryOptions): ChaosHistory {
  const { clients, servers, troubles, quietAt, settledAt, unsettled } = records;
  const indexOf = new Map(clients.map(({ name }, i) => [name, i]));
  const numberOf = (client: string, n: number): number => n * CLIENTS + (indexOf.get(client) ?? CLIENTS - 1);
  const sentNumbers = createNumbers();
  const events: HistoryEvent[] = [];

  // ---- servers
  const firstHandled = new Map<number, number>();
  const sentAt = new Map<number, number>();
  const crashes = new Set(troubles.flatMap((trouble) => (trouble.what === 'crashed' ? [trouble.writer] : [])));
  for (const { writer, notes } of servers) {
    let unfinished = 0;
    for (const note of notes) {
      const { at } = note;
      switch (note.what) {
        case 'session':
          events.push({ at, type: 'touched', sid: note.sid });
          break;
        case 'handling': {
          const message = numberOf(note.client, note.n);
          unfinished++;
          firstHandled.set(message, Math.min(at, firstHandled.get(message) ?? Infinity));
          events.push({ at, type: 'handling', node: writer, sid: note.sid, seq: note.seq, message });
          break;
        }
        case 'handled':
          unfinished--;
          events.push({ at, type: 'handled', node: writer, sid: note.sid, seq: note.seq });
          break;
        case 'sending': {
          const message = sentNumbers(note.sid, writer, note.k);
          sentAt.set(message, at);
          events.push({ at, type: 'sending', node: writer, sid: note.sid, message, bytes: note.bytes });
          break;
        }
        case 'stored':
          events.push({ at, type: 'appended', sid: note.sid, message: sentNumbers(note.sid, writer, note.k) });
          break;
        case 'refused':
          events.push({ at, type: 'turned-away', sid: note.sid, message: sentNumbers(note.sid, writer, note.k) });
          break;
        case 'ended':
          events.push({ at, type: 'ended', node: writer, sid: note.sid, reason: note.reason });
          break;
        case 'unknown':
        case 'error':
          break;
      }
    }
    // one that went in order, but before its handlers were done
    if (unfinished > 0 && !crashes.has(writer)) events.push({ at: notes.at(-1)!.at, type: 'crashed', node: writer });
  }

  // ---- clients
  let toldAgain = 0;
  let diedUnsaved = 0;
  for (const { name: client, place, notes } of clients) {
    const slack = place === 'page' ? NEXT : 0;
    const saves = notes.some(({ what }) => what === 'saved');
    /** Since the last snapshot: what was accepted, and what was told. */
    let accepted: { readonly n: number; readonly at: number }[] = [];
    let told: number[] = [];
    const mayComeAgain = new Set<number>();
    let sendingAt = 0;
    /** What was told of later was accepted: its snapshot was on the disk, and the kill came before the note of it. */
    const toldOf = new Set(
      notes.flatMap((note) =>
        note.what === 'lost' ? [...note.inDoubt, ...note.unsent] : note.what === 'dropped' ? [note.n] : [],
      ),
    );

    const accept = ({ n, at }: { readonly n: number; readonly at: number }): void => {
      const message = numberOf(client, n);
      const handledAt = firstHandled.get(message) ?? Infinity;
      events.push({ at: slack > 0 ? Math.min(at, handledAt - slack) : at, type: 'accepted', client, message });
    };

    for (const note of notes) {
      const { at } = note;
      switch (note.what) {
        case 'born':
          if (note === notes[0]) break;
          for (const one of accepted) {
            if (firstHandled.has(numberOf(client, one.n)) || toldOf.has(one.n)) accept(one);
            else diedUnsaved++;
          }
          for (const message of told) mayComeAgain.add(message);
          accepted = [];
          told = [];
          events.push({ at, type: 'reloaded', client });
          break;
        case 'sending':
          sendingAt = at;
          // whether it was accepted is told by the next note, unless it dies first
          if (saves) accepted.push({ n: note.n, at });
          break;
        case 'accepted':
          if (!saves) accept({ n: note.n, at: sendingAt });
          break;
        case 'refused':
          accepted = accepted.filter(({ n }) => n !== note.n);
          events.push({ at, type: 'refused', client });
          break;
        case 'saved':
          accepted.forEach(accept);
          accepted = [];
          told = [];
          break;
        case 'writable':
          events.push({ at, type: 'writable', client });
          break;
        case 'got': {
          const message = sentNumbers(note.sid, note.writer, note.k);
          if (mayComeAgain.delete(message)) {
            toldAgain++;
            break;
          }
          told.push(message);
          const earliest = slack > 0 ? (sentAt.get(message) ?? at) + slack : at;
          events.push({ at: Math.max(at, earliest), type: 'delivered', client, sid: note.sid, message });
          break;
        }
        case 'session':
          events.push({ at, type: 'session', client, resumed: note.resumed });
          break;
        case 'lost':
          events.push({
            at,
            type: 'lost',
            client,
            reason: note.reason,
            inDoubt: note.inDoubt.map((n) => numberOf(client, n)),
            unsent: note.unsent.map((n) => numberOf(client, n)),
          });
          break;
        case 'dropped':
          events.push({ at, type: 'dropped', client, message: numberOf(client, note.n), reason: note.reason });
          break;
        case 'closed':
          events.push({ at, type: 'closed', client, code: note.code });
          break;
        case 'damaged':
          events.push({ at, type: 'breach', rule: 'I2', words: `${client} got what nobody has sent: ${note.text}` });
          break;
        case 'error':
          break;
      }
    }
    accepted.forEach(accept); // it lives, so a snapshot would still come
    const sid = sidOf(notes);
    if (sid !== undefined) events.push({ at: settledAt, type: 'stands', client, sid });
  }

  for (const trouble of troubles) {
    const { at } = trouble;
    if (trouble.what === 'crashed') events.push({ at, type: 'crashed', node: trouble.writer });
    else events.push({ at, type: 'store-failed' });
  }
  events.push({ at: quietAt, type: 'quiet' });
  events.sort((a, b) => a.at - b.at);
  const began = events[0]?.at ?? 0;
  const shifted = events.map((event) => ({ ...event, at: Math.round((event.at - began) * 1_000) / 1_000 }));
  return {
    events: [
      { at: 0, type: 'settings', ...options },
      ...shifted,
      { at: settledAt - began, type: 'settled', held: heldBy(unsettled, clients, numberOf) },
    ],
    toldAgain,
    diedUnsaved,
  };
}

/** A client that is not done does not say what it holds: all that it ever sent, since what was handled is known. */
function heldBy(
  unsettled: readonly string[],
  clients: Records['clients'],
  numberOf: (client: string, n: number) => number,
): number[] {
  return clients
    .filter(({ name }) => unsettled.includes(name))
    .flatMap(({ name, notes }) => acceptedBy(notes).map((n) => numberOf(name, n)));
}

const acceptedBy = (notes: readonly Noted<ClientNote>[]): readonly number[] =>
  notes.flatMap((note) => (note.what === 'accepted' ? [note.n] : []));

/** A number for each message to a client. */
function createNumbers(): (sid: string, writer: string, k: number) => number {
  const numbers = new Map<string, number>();
  return (sid, writer, k) => {
    const name = `${sid} ${writer} ${k}`;
    let number = numbers.get(name);
    if (number === undefined) numbers.set(name, (number = numbers.size + 1));
    return number;
  };
}
