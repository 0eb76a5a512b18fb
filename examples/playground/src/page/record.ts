// What has happened so far? Everything that the client tells, with its time.

import type { Client, CloseEvent, Status } from '@holdfast/browser';

export interface Span {
  readonly status: Status;
  /** Milliseconds of `performance.now()`. */
  readonly from: number;
}

export interface Mark {
  readonly at: number;
  readonly what: string;
}

/** A value at a time; `null` where there is none, so that a line breaks. */
export interface Sample {
  readonly at: number;
  readonly value: number | null;
}

export interface Line {
  readonly kind: 'you' | 'good' | 'bad' | 'note';
  readonly text: string;
}

export interface Record {
  /** Oldest first; the last one goes on. */
  readonly spans: readonly Span[];
  /** What was done by hand. */
  readonly marks: readonly Mark[];
  readonly roundTrips: readonly Sample[];
  readonly depths: readonly Sample[];
  readonly counts: Readonly<Counts>;
  /** When the next dial is due, while one is waited for. */
  readonly nextDial: number | undefined;
  /** Something was done by hand. */
  mark(what: string): void;
  /** A message was given to `send`. */
  sent(): void;
  /** How deep the queue is now. */
  sample(): void;
}

interface Counts {
  sent: number;
  echoed: number;
  unconfirmed: number;
  dropped: number;
}

/** Milliseconds: nothing on the page looks further back. */
const MEMORY = 65_000;

export function createRecord(client: Client, tell: (line: Line) => void): Record {
  const now = (): number => performance.now();
  const spans: Span[] = [{ status: client.status, from: now() }];
  const marks: Mark[] = [];
  const roundTrips: Sample[] = [];
  const depths: Sample[] = [];
  const counts: Counts = { sent: 0, echoed: 0, unconfirmed: 0, dropped: 0 };
  let nextDial: number | undefined;
  let isFull = false;

  client.on('status', (status) => {
    if (status !== spans.at(-1)!.status) spans.push({ status, from: now() });
    if (status !== 'reconnecting') nextDial = undefined;
    if (status === 'suspended') tell({ kind: 'note', text: 'Suspended: no dial would come through, so none is made' });
  });
  client.on('open', ({ reconnected }) => {
    nextDial = undefined;
    tell({ kind: 'good', text: reconnected ? 'Open again' : 'Open' });
  });
  client.on('close', (close) => {
    nextDial = close.delay === undefined ? undefined : now() + close.delay;
    counts.unconfirmed += close.unconfirmed ?? 0;
    roundTrips.push({ at: now(), value: null });
    tell({ kind: close.asked ? 'note' : 'bad', text: closeText(close) });
  });
  client.on('end', ({ reason }) => tell({ kind: 'note', text: `Ended: ${reason}` }));
  client.on('error', ({ code, message }) => tell({ kind: 'bad', text: `${code}: ${message}` }));
  client.on('message', () => {
    counts.echoed++;
  });
  client.on('pong', (roundTrip) => {
    roundTrips.push({ at: now(), value: roundTrip });
  });
  client.on('drop', ({ reason }) => {
    counts.dropped++;
    if (isFull && reason === 'full') return; // one line for all of them
    isFull = reason === 'full';
    tell({ kind: 'bad', text: isFull ? 'The queue is full: what is sent now is refused' : `Dropped: ${reason}` });
  });
  client.on('writable', () => {
    isFull = false;
    tell({ kind: 'note', text: 'The queue has room again' });
  });

  return {
    spans,
    marks,
    roundTrips,
    depths,
    counts,
    get nextDial() {
      return nextDial;
    },
    mark(what) {
      marks.push({ at: now(), what });
      tell({ kind: 'you', text: what });
    },
    sent() {
      counts.sent++;
    },
    sample() {
      depths.push({ at: now(), value: client.queued });
      const since = now() - MEMORY;
      for (const list of [roundTrips, depths, marks]) {
        const kept = list.findIndex(({ at }) => at >= since);
        list.splice(0, kept < 0 ? list.length : kept);
      }
      while (spans[1] && spans[1].from < since) spans.shift(); // a span ends where the next begins
    },
  };
}

function closeText({ code, reason, opened, asked, delay, unconfirmed, willReconnect }: CloseEvent): string {
  const what = asked ? 'Closed' : opened ? 'Lost' : 'Dial failed';
  const said = reason ? `${code} “${reason}”` : `${code}`;
  const rest = unconfirmed ? `, ${unconfirmed} unconfirmed` : '';
  if (!willReconnect) return `${what}: ${said}${rest}`;
  return `${what}: ${said}${rest}; next dial ${delay === undefined ? 'when shown again' : inSeconds(delay)}`;
}

function inSeconds(ms: number): string {
  return ms < 20 ? 'now' : `in ${(ms / 1_000).toFixed(1)} s`;
}
