// Does a client keep its promises in this browser?

import { browserAdapter, connect, type Client, type CloseEvent } from '@holdfast/browser';
import { afterEach, describe, expect, it } from 'vitest';
import { addresses, nothingOpen, openAtServer } from './support.ts';
import { startWorker } from './worker-client.ts';

let client: Client;
afterEach(async () => {
  await client.close();
  await nothingOpen();
});

const { url } = addresses;
const soon = { initialDelay: 10, maxDelay: 20 };

/** Dials one path after the other, and the last for ever. */
function dialling(...paths: string[]): () => string {
  return () => url((paths.length > 1 ? paths.shift() : paths[0])!);
}

const nextClose = () => new Promise<CloseEvent>((resolve) => client.once('close', resolve));
const nextMessage = () => new Promise<unknown>((resolve) => client.once('message', resolve));

async function echo(text: string): Promise<unknown> {
  const back = nextMessage();
  client.send(text);
  return back;
}

describe('a client in a page', () => {
  it('sends what was queued before it was open, in order', async () => {
    client = connect(url('/echo'));
    const sent = ['a', Uint8Array.of(1, 2, 3), 'b'];
    const seen: unknown[] = [];
    const all = new Promise<void>((resolve) => {
      client.on('message', (data) => {
        if (seen.push(data) === sent.length) resolve();
      });
    });
    expect(sent.map((data) => client.send(data))).toEqual(['queued', 'queued', 'queued']);
    await all;
    expect(seen).toEqual(sent);
  });

  it('T14: a greeting in one segment with the upgrade is told, after open', async () => {
    client = connect(url('/greet'));
    const told: string[] = [];
    client.on('open', () => told.push('open'));
    await new Promise<void>((resolve) => {
      client.on('message', (data) => {
        told.push(String(data));
        resolve();
      });
    });
    expect(told).toEqual(['open', 'greeting']);
  });

  it('dials again by itself when the server is gone without a word', async () => {
    client = connect(dialling('/terminate', '/echo'), { reconnect: soon });
    await client.opened();
    const closed = nextClose();
    client.send('go');
    expect(await closed).toMatchObject({ code: 1006, wasClean: false, asked: false, willReconnect: true });
    await client.opened();
    expect(await echo('back')).toBe('back');
  });

  it.each(['/drop', '/status/503', '/wrong-accept'])('a dial that fails is tried again (%s)', async (path) => {
    client = connect(dialling(path, path, '/echo'), { reconnect: soon });
    const closes: CloseEvent[] = [];
    client.on('close', (close) => closes.push(close));
    await client.opened();
    expect(closes.map(({ code, opened }) => [code, opened])).toEqual([
      [1006, false],
      [1006, false],
    ]);
  });

  it('T10: a dial that is never answered is given up at the connect timeout', async () => {
    client = connect(dialling('/hang', '/echo'), { connectTimeout: 200, reconnect: soon });
    const close = await nextClose();
    expect(close).toMatchObject({ code: 1006, opened: false, willReconnect: true });
    await client.opened();
    expect(await echo('there')).toBe('there');
  });

  it("T1, T27: a dead link is given up and dialled anew without waiting for the browser's close", async () => {
    client = connect(dialling('/frozen?for=1500', '/echo'), {
      heartbeat: { interval: 200, timeout: 200, expectReply: true },
      reconnect: soon,
    });
    await client.opened();
    const began = performance.now();
    const close = await nextClose();
    expect(close).toMatchObject({ code: 1006, wasClean: false, opened: true });
    await client.opened();
    expect(performance.now() - began).toBeLessThan(1_200); // the old socket is answered only after 1 500
    expect(await echo('alive')).toBe('alive');
  });

  it('T26: the code and reason of the server are told, and a terminal code ends the client', async () => {
    client = connect(url('/close/4403?reason=no'), { reconnect: soon });
    const ended = new Promise((resolve) => client.once('end', resolve));
    const closed = nextClose();
    expect(await closed).toMatchObject({ code: 4403, reason: 'no', wasClean: true, willReconnect: false });
    expect(await ended).toMatchObject({ reason: 'refused' });
  });

  it('T24, T27: close() on a link that is dead is over within closeTimeout', async () => {
    client = connect(url('/frozen?for=1000'), { closeTimeout: 200 });
    await client.opened();
    const began = performance.now();
    await client.close();
    expect(performance.now() - began).toBeLessThan(900);
  });

  it('T15: reconnect() ten times leaves one socket', async () => {
    client = connect(url('/echo'));
    await client.opened();
    for (let i = 0; i < 10; i++) client.reconnect();
    await client.opened();
    expect(await echo('one')).toBe('one');
    await expect.poll(openAtServer).toBe(1);
  });

  it('flush() is the proof that everything sent has arrived', async () => {
    client = connect(url('/echo'), { heartbeat: { reply: 'ping' } }); // an echo's answer to a ping
    for (let i = 0; i < 100; i++) client.send(`${i}`);
    await client.opened();
    await client.flush();
    await client.close();
    expect(client.queued).toBe(0);
  });

  it('a heartbeat measures the round trip and is no message', async () => {
    client = connect(url('/echo'), { heartbeat: { interval: 50, reply: 'ping' } });
    const messages: unknown[] = [];
    client.on('message', (data) => messages.push(data));
    const roundTrip = await new Promise<number>((resolve) => client.once('pong', resolve));
    expect(roundTrip).toBeGreaterThanOrEqual(0);
    expect(client.latency).toBe(roundTrip);
    expect(messages).toEqual([]);
  });

  it('T48: an offline event does not end a link that works, and asks for a sign of life', async () => {
    client = connect(url('/echo'), { heartbeat: { reply: 'ping' } });
    await client.opened();
    const answered = new Promise((resolve) => client.once('pong', resolve));
    dispatchEvent(new Event('offline'));
    await answered;
    expect(client.status).toBe('open');
    expect(await openAtServer()).toBe(1);
  });

  it('T48: an online event dials at once, however long the wait was', async () => {
    client = connect(dialling('/terminate', '/echo'), {
      reconnect: { initialDelay: 30_000, maxDelay: 30_000, jitter: 'none' },
    });
    await client.opened();
    const closed = nextClose();
    client.send('go');
    expect((await closed).delay).toBe(30_000);
    dispatchEvent(new Event('online'));
    await client.opened();
    expect(await echo('back')).toBe('back');
  });

  it('T13: a URL that no browser dials is an error of ours, at the call', () => {
    client = connect(url('/echo'), { autoConnect: false });
    expect(() => connect('mailto:somebody@example.com')).toThrow(/mailto/);
  });

  it('URLs are relative to the page', () => {
    client = connect(url('/echo'), { autoConnect: false });
    expect(browserAdapter().resolveUrl?.('/live?x=1')).toBe(`ws://${location.host}/live?x=1`);
  });

  it('two clients on one page do not disturb each other', async () => {
    client = connect(url('/echo'));
    const other = connect(url('/echo'));
    await Promise.all([client.opened(), other.opened()]);
    await other.close();
    expect(await echo('still here')).toBe('still here');
  });
});

describe('a client in a module worker', () => {
  it('loses its socket, and dials again by itself', async () => {
    client = connect(url('/echo'), { autoConnect: false });
    const worker = startWorker();
    try {
      expect(await worker.run('lose and redial')).toBe('1006, then from the worker');
    } finally {
      worker.terminate();
    }
  });
});
