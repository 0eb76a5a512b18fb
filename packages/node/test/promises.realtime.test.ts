// The main promises, on real sockets: a server that is killed, a server that freezes, a link that falls silent, a crowd.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { connect, type Client, type CloseEvent, type ConnectOptions } from '@holdfast/node';
import { createFaultProxy, createFaultServer } from '@holdfast/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SERVER = fileURLToPath(new URL('./children/numbered-server.mjs', import.meta.url));
let folder: string;
let book: string;
const children: ChildProcess[] = [];
const clients: Client[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
  book = join(folder, 'received');
  writeFileSync(book, '');
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  for (const child of children.splice(0)) await kill(child);
  rmSync(folder, { recursive: true });
});

async function startServer(port = 0): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(SERVER, [String(port), book]);
  children.push(child);
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return { child, port: message.port };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function ask<T>(child: ChildProcess, order: string): Promise<T> {
  const answer = once(child, 'message');
  child.send(order);
  return ((await answer) as [T])[0];
}

const received = (): readonly number[] => readFileSync(book, 'utf8').trim().split('\n').filter(Boolean).map(Number);

function open(url: string, options: ConnectOptions = {}): { client: Client; closes: CloseEvent[]; dropped: unknown[] } {
  const client = connect(url, options);
  clients.push(client);
  const closes: CloseEvent[] = [];
  const dropped: unknown[] = [];
  client.on('close', (close) => closes.push(close)).on('drop', ({ data }) => dropped.push(data));
  return { client, closes, dropped };
}

describe('a server that dies', () => {
  it('T31: killed and restarted while 100 messages are sent, it lacks only what the client told, once and in order', async () => {
    const first = await startServer();
    const { client, closes, dropped } = open(`ws://127.0.0.1:${first.port}`, { reconnect: { initialDelay: 500 } });
    await client.opened();
    const sentAt: { result: string | false; at: number }[] = [];
    const send = (from: number, to: number): void => {
      for (let n = from; n < to; n++) sentAt[n] = { result: client.send(String(n)), at: performance.now() };
    };

    send(0, 30);
    await client.flush(); // all of these are proven
    const lost = new Promise((resolve) => client.once('close', resolve));
    const killedAt = performance.now();
    first.child.kill('SIGKILL');
    send(30, 60); // into a socket that does not know yet
    await lost;
    const closedAt = performance.now();
    send(60, 90);
    await wait(3_000); // the outage is the point of the story, not a way to wait for something
    await startServer(first.port);
    send(90, 100);
    await client.opened();
    await client.flush();

    const arrived = received();
    expect(arrived).toEqual([...arrived].sort((a, b) => a - b));
    expect(new Set(arrived).size).toBe(arrived.length);
    const missing = sentAt.flatMap((_, n) => (arrived.includes(n) ? [] : [n]));
    for (const n of missing) {
      const { result, at } = sentAt[n]!;
      expect(result === 'sent' && at >= killedAt && at <= closedAt, `message ${n}`).toBe(true);
    }
    const unconfirmed = closes.reduce((sum, close) => sum + (close.unconfirmed ?? Infinity), 0);
    expect(missing.length).toBeLessThanOrEqual(unconfirmed + dropped.length);
    expect(unconfirmed).toBeLessThanOrEqual(30);
  }, 20_000);

  it('T31: 100 messages into a frozen server that then dies are told as unconfirmed, and hardly more', async () => {
    const { child, port } = await startServer();
    const { client } = open(`ws://127.0.0.1:${port}`);
    await client.opened();
    for (let n = 0; n < 50; n++) client.send(String(n));
    await client.flush();
    child.kill('SIGSTOP');
    for (let n = 50; n < 150; n++) expect(client.send(String(n))).toBe('sent');
    const closed = new Promise<CloseEvent>((resolve) => client.once('close', resolve));
    await kill(child);
    const { unconfirmed } = await closed;
    expect(unconfirmed).toBeGreaterThanOrEqual(100);
    expect(unconfirmed).toBeLessThanOrEqual(105);
  }, 20_000);
});

describe('a link that falls silent', () => {
  it('T1: the next dial starts within 450 ms, while the old socket has not yet told its close', async () => {
    const server = await createFaultServer();
    const proxy = await createFaultProxy({ port: server.port });
    try {
      const { client, closes } = open(proxy.url('/echo'), {
        heartbeat: { interval: 200, timeout: 200 },
        reconnect: { stableAfter: 300 },
      });
      await new Promise((resolve) => client.once('open', resolve));
      for (let pongs = 0; pongs < 3; pongs++) await new Promise((resolve) => client.once('pong', resolve));
      proxy.blackhole();
      const silentAt = performance.now();
      await proxy.connected(2);
      const took = performance.now() - silentAt;
      expect(took).toBeLessThanOrEqual(450);
      expect(closes).toMatchObject([{ code: 1006, wasClean: false, delay: 0, opened: true }]);
      expect(server.connections.size).toBe(1); // the server has heard nothing of an end either
      proxy.pass();
    } finally {
      await proxy.close();
      await server.close();
    }
  }, 20_000);
});

describe('a crowd', () => {
  it('T19: 500 clients cut at once come back spread out: at most 50 in any 100 ms, the median under 1.5 s', async () => {
    const { child, port } = await startServer();
    const crowd = Array.from({ length: 500 }, () => open(`ws://127.0.0.1:${port}`).client);
    await Promise.all(crowd.map((client) => client.opened()));
    const lost = crowd.map((client) => new Promise((resolve) => client.once('close', resolve)));
    const { cutAt } = await ask<{ cutAt: number }>(child, 'cut');
    await Promise.all(lost);
    await Promise.all(crowd.map((client) => client.opened()));
    const { arrivals } = await ask<{ arrivals: readonly number[] }>(child, 'arrivals');
    const after = arrivals.map((at) => at - cutAt).sort((a, b) => a - b);
    expect(after.length).toBe(500);
    const busiest = Math.max(...after.map((start) => after.filter((at) => at >= start && at < start + 100).length));
    expect(busiest).toBeLessThanOrEqual(50);
    expect(after[250]!).toBeLessThan(1_500);
  }, 60_000);
});
