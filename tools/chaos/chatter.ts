// What does a client of the chaos run do? It sends numbers, and notes whatever becomes of them. The same in Node and in pages.

import type { Client, ClientOptions, Data } from '@holdfast/core';
import type { ClientNote } from './diary.ts';
import { readPayload, writePayload } from './payload.ts';

export interface ChatterOptions {
  readonly name: string;
  /** Dialled in turns. */
  readonly urls: readonly string[];
  /** Messages a second. */
  readonly rate: number;
  /** Where its numbers begin: 1, or after those of a life before this one. */
  readonly next: number;
}

export interface Chatter {
  readonly client: Client;
  /** Sends nothing more. */
  hush(): void;
  /** Resolves when the server has committed everything that was sent. */
  settled(): Promise<void>;
}

/** Impatient, so that two minutes are enough for many reconnects. */
export const PACE = {
  connectTimeout: 5_000,
  heartbeat: { interval: 1_000, timeout: 1_500 },
  reconnect: { initialDelay: 100, maxDelay: 1_000, stableAfter: 1_000 },
} satisfies ClientOptions;

export function createChatter(
  { name, urls, rate, next }: ChatterOptions,
  connect: (url: () => string) => Client,
  note: (note: ClientNote) => void,
): Chatter {
  note({ what: 'born' });
  let dials = Math.floor(Math.random() * urls.length);
  const client = connect(() => urls[dials++ % urls.length]!);
  let n = next;
  let timer: ReturnType<typeof setTimeout> | undefined;

  client
    .on('message', (data) => {
      const [sid, writer, k] = readPayload(data) ?? [];
      if (sid === undefined || writer === undefined) note({ what: 'damaged', text: String(data).slice(0, 100) });
      else note({ what: 'got', sid, writer, k: Number(k) });
    })
    .on('session', ({ resumed }) => note({ what: 'session', resumed }))
    .on('lost', ({ reason, inDoubt, unsent }) =>
      note({ what: 'lost', reason, inDoubt: inDoubt.map(numberOf), unsent: unsent.map(numberOf) }),
    )
    // what was refused at the call is noted there
    .on('drop', ({ data, reason }) => reason !== 'full' && note({ what: 'dropped', n: numberOf(data), reason }))
    .on('writable', () => note({ what: 'writable' }))
    .on('close', ({ code }) => note({ what: 'closed', code }))
    .on('error', ({ code, message }) => note({ what: 'error', code, message }))
    .on('end', ({ reason }) => reason !== 'caller' && note({ what: 'error', code: 'ENDED', message: reason }));

  function chat(): void {
    const own = n++;
    note({ what: 'sending', n: own });
    const result = client.send(writePayload([name, own], own));
    note({ what: result === false ? 'refused' : 'accepted', n: own });
    wait();
  }

  /** Now and then several at once. */
  function wait(): void {
    timer = setTimeout(chat, Math.random() < 0.2 ? 0 : (-Math.log(1 - Math.random()) * 1_250) / rate);
  }

  wait();
  return {
    client,
    hush: () => clearTimeout(timer),
    async settled() {
      // a session that is lost meanwhile has nothing left to wait for, and says so
      while (client.status !== 'closed') {
        const done = await client.flush().then(
          () => true,
          () => false,
        );
        if (done) return;
      }
    },
  };
}

const numberOf = (data: Data | ArrayBuffer | ArrayBufferView): number =>
  Number(readPayload(data as Data)?.[1] ?? Number.NaN);
