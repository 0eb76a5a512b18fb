// What does a host say of the app and of the network, and what comes of it?

import { describe, expect, it, vi } from 'vitest';
import { connect, fakeHost, pass, replyToPings, uniapp } from './support/stage.ts';
import type { Hint } from '@holdfast/core';

/** A mini-program of WeChat's, with uni-app or without. */
function miniProgram(host = fakeHost()) {
  vi.stubGlobal('wx', host.api);
  return host;
}

function watched(): { hints: Hint[]; stop: () => void } {
  const hints: Hint[] = [];
  const stop = uniapp().uniappAdapter().watch!((hint) => hints.push(hint));
  return { hints, stop };
}

describe('what is told', () => {
  it('U35: a mini-program is suspended when it is hidden, and resumed when it is shown', () => {
    const host = miniProgram();
    const { hints } = watched();
    host.hide();
    host.show();
    host.changeNetwork(false);
    host.changeNetwork(true);
    expect(hints).toEqual(['suspend', 'resume', 'offline', 'online']);
  });

  it('U35: whoever starts to watch a hidden mini-program is told so at once', () => {
    const host = miniProgram();
    watched();
    host.hide();
    expect(watched().hints).toEqual(['suspend']);
    host.show();
    expect(watched().hints).toEqual([]);
  });

  it('an App is not suspended: it is told that it is visible', () => {
    const host = fakeHost();
    vi.stubGlobal('uni', host.api);
    const { hints } = watched();
    host.hide();
    host.show();
    expect(hints).toEqual(['visible']);
    expect(watched().hints).toEqual([]);
  });

  it('U37: a page listens to its window, where uni-app would say connected when it is not', () => {
    const host = fakeHost();
    const page = new EventTarget();
    vi.stubGlobal('uni', host.api);
    vi.stubGlobal('document', {});
    vi.stubGlobal('window', page);
    const { hints } = watched();
    host.changeNetwork(true);
    page.dispatchEvent(new Event('offline'));
    page.dispatchEvent(new Event('online'));
    host.hide();
    host.show();
    expect(hints).toEqual(['offline', 'online', 'visible']);
  });

  it('on a page headers are not claimed, and a relative URL is resolved', () => {
    vi.stubGlobal('document', {});
    vi.stubGlobal('location', { href: 'https://example.com/app/#/index' });
    const adapter = uniapp().uniappAdapter();
    expect(adapter.capabilities.headers).toBe(false);
    expect(adapter.resolveUrl!('/live')).toBe('wss://example.com/live');
    vi.unstubAllGlobals();
    expect(uniapp().uniappAdapter().capabilities.headers).toBe(true);
  });
});

describe('one subscription', () => {
  it('U38: for all clients and for ever, where off takes nothing off', () => {
    const host = miniProgram(fakeHost(['off-is-noop']));
    for (let i = 0; i < 10; i++) watched().stop();
    const [a, b] = [watched(), watched()];
    host.hide();
    expect([a.hints, b.hints]).toEqual([['suspend'], ['suspend']]);
    expect(host.listeners).toBe(3);
    a.stop();
    a.stop();
    host.show();
    expect([a.hints, b.hints]).toEqual([['suspend'], ['suspend', 'resume']]);
  });

  it('U38: a watcher that stops another while being told is heeded', () => {
    const host = miniProgram();
    const heard: string[] = [];
    const { watch } = uniapp().uniappAdapter();
    watch!(() => {
      heard.push('first');
      stopSecond();
    });
    const stopSecond = watch!(() => heard.push('second'));
    host.changeNetwork(true);
    expect(heard).toEqual(['first']);
  });

  it('U39: events that a host lacks, or that throw, are a hint less', () => {
    const throwing = (): never => {
      throw new Error('not supported');
    };
    const host = fakeHost();
    vi.stubGlobal('wx', { onAppShow: throwing, onNetworkStatusChange: host.api.onNetworkStatusChange });
    const { hints } = watched();
    host.changeNetwork(true);
    expect(hints).toEqual(['online']);
  });

  it('U39: without any host there is nothing to watch', () => {
    const { hints, stop } = watched();
    stop();
    expect(hints).toEqual([]);
  });
});

describe('a client in a host', () => {
  it('U35, T47: hidden for five minutes, it makes no attempt, and shown it dials at once', async () => {
    const host = miniProgram();
    const { client, closes } = connect(host, { reconnect: { maxAttempts: 3 } });
    await pass(20);
    host.hide();
    host.last.close(1000, 'interrupted');
    await pass(300_000);
    expect([client.status, host.tasks.length, closes.length]).toEqual(['suspended', 1, 1]);
    host.show();
    await pass(20);
    expect([client.status, host.tasks.length]).toEqual(['open', 2]);
  });

  it('U35: hidden while it waits, it waits no longer, and begins anew when it is shown', async () => {
    const host = miniProgram();
    const { client } = connect(host, { reconnect: { jitter: 'none', initialDelay: 5_000 } });
    await pass(20);
    host.last.close(1006, '');
    await pass(1_000);
    host.hide();
    await pass(60_000);
    expect([client.status, host.tasks.length]).toEqual(['suspended', 1]);
    host.show();
    await pass(20);
    expect(client.status).toBe('open');
  });

  it('U35, T47: a socket that died in the background without a word is found out by a probe', async () => {
    const host = miniProgram();
    replyToPings(host);
    const { client, closes } = connect(host, { heartbeat: { interval: 1_000, timeout: 5_000 } });
    await pass(2_500); // it has replied
    host.hide();
    host.onMessage = undefined;
    await pass(300_000);
    expect([client.status, closes.length]).toEqual(['open', 0]);
    host.show();
    await pass(5_100);
    expect(closes).toMatchObject([{ code: 1006, cause: { code: 'HEARTBEAT_TIMEOUT' } }]);
    await pass(3_000);
    expect([client.status, host.tasks.length]).toEqual(['open', 2]);
  });

  it('U36: timers that stood still lead to one probe, not to a death and not to a burst of pings', async () => {
    const host = fakeHost();
    replyToPings(host);
    const { client, closes } = connect(host, { heartbeat: { interval: 10_000, timeout: 5_000 } });
    await pass(10_050);
    const before = host.last.sent.length;
    vi.setSystemTime(Date.now() + 3_600_000); // an hour of wall clock in which no timer ran
    await pass(10_000);
    expect(host.last.sent.length - before).toBe(1);
    await pass(20_000);
    expect([client.status, closes.length]).toEqual(['open', 0]);
  });

  it('U37: a network that is back makes a client dial now; one that is gone forbids nothing', async () => {
    const host = miniProgram(fakeHost(['error-only']));
    const { client } = connect(host, { reconnect: { jitter: 'none', initialDelay: 20_000, maxDelay: 20_000 } });
    await pass(1_500);
    host.changeNetwork(false);
    host.modes = [];
    await pass(1_000);
    host.changeNetwork(true);
    await pass(300);
    expect([client.status, host.calls.length]).toEqual(['open', 2]);

    host.last.close(1006, '');
    host.changeNetwork(false);
    await pass(21_000);
    expect(client.status).toBe('open');
  });

  it('U40: after its end there is no timer, no further event, and nobody that the host could tell', async () => {
    const host = miniProgram();
    replyToPings(host);
    const { client, closes, messages } = connect(host);
    await pass(31_000);
    const closed = client.close();
    await pass(20);
    await closed;
    const task = host.last;
    const before = [closes.length, messages.length, client.status];
    expect(vi.getTimerCount()).toBe(0);
    host.hide();
    host.show();
    host.changeNetwork(true);
    task.open();
    task.message('late');
    task.error('late');
    task.close(4000, 'late');
    await pass(60_000);
    expect([closes.length, messages.length, client.status]).toEqual(before);
    expect(vi.getTimerCount()).toBe(0);
    expect(host.tasks.length).toBe(1);
  });
});
