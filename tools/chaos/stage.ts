// What stands in a chaos run, and how is it broken and mended? Redis, servers, a proxy before each, clients in processes and in
// pages.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { createFaultProxy, type FaultProxy } from '@holdfast/testing';
import { startRedis } from '../../packages/redis/test/support/redis-server.ts';
import { createRandom } from '../../packages/testing/src/random.ts';
import { buildPrograms, startChild, type Child } from './child.ts';
import type { Clients, ClientsHow } from './client-process.ts';
import { readDiary, sharedNow, type ClientNote, type ServerNote } from './diary.ts';
import { KEYS, readEffect, type Effect } from './effects.ts';
import { startPages, type ChaosPage } from './pages.ts';
import type { Mishap } from './plan.ts';
import { sidOf, type Records, type Trouble } from './records.ts';
import type { ServerFunctions, ServerHow } from './server-process.ts';

export interface StageOptions {
  /** In Node. */
  readonly clients: number;
  readonly pages: number;
  /** Messages a second, of each client and to each session. */
  readonly rate: number;
}

export interface Stage {
  /**
   * Does it and undoes it, and resolves then. `undefined` if what it concerns is still suffering from an earlier one; then
   * nothing is done.
   */
  perform(mishap: Mishap): Promise<void> | undefined;
  /** Waits until everything stands and everything has arrived, and hands over what was written down. */
  settle(): Promise<Records>;
  close(): Promise<void>;
}

const SERVERS = ['a', 'b'];
export const SERVER_COUNT = SERVERS.length;

/** A process has as many clients as can be chatty at once without making each other late. */
const CLIENTS_PER_PROCESS = 25;
/** Of all clients, so many have their sessions in files, and are killed. */
const MORTAL_SHARE = 0.2;

/** After this long whatever has not arrived will not; on a machine that does little else it takes a few seconds. */
const PATIENCE = 120_000;
const LOOK_AGAIN = 100;
const LAST_WORDS = 1_500;

interface Slot {
  readonly name: string;
  readonly proxy: FaultProxy;
  port: number;
  lives: number;
  child: Child<ServerFunctions>;
}

export async function startStage({ clients, pages, rate }: StageOptions): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-chaos-'));
  await mkdir(join(folder, 'clients'));
  await mkdir(join(folder, 'servers'));
  const redis = await startRedis({ appendonly: true });
  // whoever fails here leaves no Redis behind: SIGKILL is sent before this returns
  process.once('exit', () => void redis.dispose());
  const programs = await buildPrograms(['server-process', 'client-process'], folder);
  const site = await startPages(pages);
  const slots: Slot[] = [];
  for (const name of SERVERS) slots.push(await openSlot(name));
  const urls = slots.map(({ proxy }) => proxy.url());

  const mortals = Math.round(clients * MORTAL_SHARE);
  const named = Array.from({ length: clients }, (_, i) => `${i < mortals ? 'file' : 'node'}-${i}`);
  const crews = [named.slice(0, mortals), ...chunks(named.slice(mortals), CLIENTS_PER_PROCESS)].filter(
    (names) => names.length > 0,
  );
  const processes = await Promise.all(crews.map(startClients));
  const opened: ChaosPage[] = [];
  for (let i = 0; i < pages; i++) opened.push(await site.open({ name: `page-${i}`, urls, rate }));

  const troubles: Trouble[] = [];
  const suffering = new Map<string, Promise<void>>();

  function serverHow(slot: Pick<Slot, 'name' | 'lives' | 'port'>): ServerHow {
    const writer = `${slot.name}${slot.lives}`;
    const diary = join(folder, 'servers', writer);
    return { port: slot.port, writer, redis: redis.url, diary, origin: site.origin, rate: rate / SERVERS.length };
  }

  async function openSlot(name: string): Promise<Slot> {
    const child = await startChild<ServerFunctions>(programs['server-process'], serverHow({ name, lives: 1, port: 0 }));
    const port = await child.ask.port();
    return { name, port, lives: 1, child, proxy: await createFaultProxy({ port }) };
  }

  async function restart(slot: Slot): Promise<void> {
    slot.lives++;
    slot.child = await startChild<ServerFunctions>(programs['server-process'], serverHow(slot));
  }

  function startClients(names: readonly string[]): Promise<Child<Clients>> {
    const how: ClientsHow = {
      names,
      urls,
      rate,
      folder: join(folder, 'clients'),
      isMortal: named.indexOf(names[0]!) < mortals,
    };
    return startChild<Clients>(programs['client-process'], how);
  }

  function storeFailed(): void {
    troubles.push({ at: sharedNow(), what: 'store failed' });
  }

  async function act(mishap: Mishap): Promise<void> {
    switch (mishap.name) {
      case 'kill server': {
        const slot = slots[mishap.server]!;
        await slot.child.kill();
        troubles.push({ at: sharedNow(), what: 'crashed', writer: `${slot.name}${slot.lives}` });
        await sleep(mishap.for);
        return restart(slot);
      }
      case 'drain server': {
        const slot = slots[mishap.server]!;
        await slot.child.ask.drain(mishap.over);
        await slot.child.end();
        await sleep(mishap.for);
        return restart(slot);
      }
      case 'freeze server': {
        const { child } = slots[mishap.server]!;
        child.freeze();
        await sleep(mishap.for);
        return child.thaw();
      }
      case 'kill redis':
        storeFailed();
        await redis.kill();
        await sleep(mishap.for);
        await redis.start();
        return storeFailed();
      case 'freeze redis':
        storeFailed();
        redis.freeze();
        await sleep(mishap.for);
        redis.thaw();
        return storeFailed();
      case 'cut links':
        return slots[mishap.server]!.proxy.cut();
      case 'silence links': {
        const { proxy } = slots[mishap.server]!;
        proxy.blackhole(mishap.way);
        await sleep(mishap.for);
        proxy.pass();
        if (mishap.late === undefined) return;
        await sleep(mishap.late);
        return proxy.release();
      }
      case 'slow links':
        return during(mishap, (proxy) => proxy.delay(mishap.delay));
      case 'thin links':
        return during(mishap, (proxy) => proxy.throttle(mishap.bytesPerSecond));
      case 'refuse links':
        return during(mishap, (proxy) => proxy.refuse());
      case 'reconnect clients': {
        const random = createRandom(mishap.lot);
        for (const child of processes)
          for (const name of await child.ask.names()) if (random() < mishap.chance) await child.ask.reconnect(name);
        for (const page of opened) if (random() < mishap.chance) await page.reconnect();
        return;
      }
      case 'reload page':
        return opened[mishap.page]!.reload();
      case 'kill clients':
        await processes[0]!.kill();
        await sleep(mishap.for);
        processes[0] = await startClients(crews[0]!);
    }
  }

  async function during(
    { server, for: length }: { readonly server: number; readonly for: number },
    begin: (proxy: FaultProxy) => void,
  ) {
    const { proxy } = slots[server]!;
    begin(proxy);
    await sleep(length);
    proxy.pass();
  }

  const readServers = (): Records['servers'] =>
    slots.flatMap(({ name, lives }) =>
      Array.from({ length: lives }, (_, i) => `${name}${i + 1}`).map((writer) => ({
        writer,
        notes: readDiary<ServerNote>(join(folder, 'servers', writer)),
      })),
    );

  const readClients = async (): Promise<Records['clients']> => [
    ...named.map((name) => ({
      name,
      place: 'process' as const,
      notes: readDiary<ClientNote>(join(folder, 'clients', `client-${name}`)),
    })),
    ...(await Promise.all(
      opened.map(async (page) => ({ name: page.name, place: 'page' as const, notes: await page.notes() })),
    )),
  ];

  return {
    perform(mishap) {
      const what = concernOf(mishap);
      if (suffering.has(what)) return undefined;
      const done = act(mishap).finally(() => suffering.delete(what));
      suffering.set(what, done);
      return done;
    },

    async settle() {
      await Promise.all(suffering.values());
      const quietAt = sharedNow();
      const over = sleep(PATIENCE, undefined, { ref: false });
      await sleep(LAST_WORDS); // so that each client gets something of the session that it has
      await Promise.all(slots.map(({ child }) => child.ask.hush()));
      await Promise.race([
        over,
        Promise.all([...processes.map(({ ask }) => ask.settle()), ...opened.map((page) => page.settle())]),
      ]);
      const client = createClient({ url: redis.url });
      await client.connect();
      const clientsAtLast = await readClients();
      const sids = clientsAtLast.flatMap(({ notes }) => sidOf(notes) ?? []);
      // what is stored for a client and not acknowledged is in this stream of the store's
      const isDrained = async () => {
        for (const sid of sids) if ((await client.xLen(`holdfast:o:{${sid}}`)) > 0) return false;
        return true;
      };
      while (!(await isDrained()) && sharedNow() - quietAt < PATIENCE) await sleep(LOOK_AGAIN);
      const effects = new Map<string, readonly Effect[]>();
      for (const sid of await client.sMembers(KEYS.sids)) {
        effects.set(sid, (await client.lRange(KEYS.effects(sid), 0, -1)).map(readEffect));
      }
      client.destroy();

      const queued: Record<string, number> = {};
      for (const { ask } of processes) Object.assign(queued, await ask.queued());
      for (const page of opened) queued[page.name] = await page.queued();
      const unsettled = Object.keys(queued).filter((name) => queued[name]! > 0);
      const settledAt = sharedNow();
      return { clients: await readClients(), servers: readServers(), troubles, effects, quietAt, settledAt, unsettled };
    },

    async close() {
      await Promise.all([...processes.map(({ ask }) => ask.close()), ...opened.map((page) => page.close())]);
      await Promise.all(slots.map(({ child }) => child.ask.close()));
      await Promise.all([...processes, ...slots.map(({ child }) => child)].map((child) => child.end()));
      await Promise.all(slots.map(({ proxy }) => proxy.close()));
      await site.close();
      await redis.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a mishap is about. */
function concernOf(mishap: Mishap): string {
  switch (mishap.name) {
    case 'kill server':
    case 'drain server':
    case 'freeze server':
      return `server ${mishap.server}`;
    case 'kill redis':
    case 'freeze redis':
      return 'redis';
    case 'cut links':
    case 'silence links':
    case 'slow links':
    case 'thin links':
    case 'refuse links':
      return `links ${mishap.server}`;
    case 'reload page':
      return `page ${mishap.page}`;
    case 'reconnect clients':
    case 'kill clients':
      return 'clients';
  }
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}
