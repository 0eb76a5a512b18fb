// Which clients live in this process? Some only break their connections; others are killed with the process, and go on from a
// file.

import { join } from 'node:path';
import { connect, fileStore } from '@holdfast/node';
import { session, storedBy, type SessionOptions } from '@holdfast/session';
import { PACE, createChatter, type Chatter } from './chatter.ts';
import { givenToChild, offer } from './in-child.ts';
import { createDiary, readDiary, type ClientNote } from './diary.ts';

export interface ClientsHow {
  readonly names: readonly string[];
  readonly urls: readonly string[];
  readonly rate: number;
  /** Where diaries and snapshots are. */
  readonly folder: string;
  /** Their sessions are kept in files. */
  readonly isMortal: boolean;
}

export interface Clients {
  names(): readonly string[];
  reconnect(name: string): void;
  /** Ends the chatter, and resolves when everything is committed. */
  settle(): Promise<void>;
  close(): Promise<void>;
  queued(): Record<string, number>;
}

const { names, urls, rate, folder, isMortal } = givenToChild<ClientsHow>();

function start(name: string): Chatter {
  const diary = join(folder, `client-${name}`);
  const next = 1 + readDiary<ClientNote>(diary).reduce((most, one) => (one.what === 'sending' ? one.n : most), 0);
  const note = createDiary<ClientNote>(diary);
  const options: SessionOptions = {
    auth: name,
    ...(isMortal && { storage: keptIn(join(folder, `${name}.json`), note) }),
  };
  return createChatter({ name, urls, rate, next }, (url) => connect(url, { ...PACE, session: session(options) }), note);
}

function keptIn(path: string, note: (note: ClientNote) => void) {
  const file = fileStore(path);
  return storedBy({
    ...file,
    save(text) {
      file.save(text);
      note({ what: 'saved' });
    },
  });
}

const chatters = new Map(names.map((name) => [name, start(name)]));
const all = [...chatters.values()];

offer({
  names: () => names,
  reconnect: (name) => chatters.get(name)?.client.reconnect(),
  async settle() {
    for (const chatter of all) chatter.hush();
    await Promise.all(all.map((chatter) => chatter.settled()));
  },
  async close() {
    await Promise.all(all.map(({ client }) => client.close()));
  },
  queued: () => Object.fromEntries([...chatters].map(([name, { client }]) => [name, client.queued])),
} satisfies Clients);
