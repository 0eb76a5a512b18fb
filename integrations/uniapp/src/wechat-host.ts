// What is `wx`, as far as a socket's life goes, and how strict can it be?
//
// The documented contract, each rule of it enforced: a call that a phone would refuse, or take in silence and do
// something else with, is a complaint, and a complaint fails the run. Events come in a fixed order: `success`, then
// open; error, then close.

import { createDialler, type Line } from './dialler.ts';
import type { Host } from './host.ts';
import type { Realm } from './realm.ts';

type Callback = (result: unknown) => void;
type Options = Readonly<Record<string, unknown>>;

/** How the host takes a hidden app's sockets away after 5 s. */
export type Interruption = 'told as 1000' | 'silent';

export const MAX_SOCKETS = 5;
const MAX_REASON_BYTES = 123;
const HIDDEN_FOR = 5000;

export interface WechatHost extends Host {
  /** Goes into the realm as `wx`. */
  readonly api: Record<string, unknown>;
}

/** @param realm asked for when it is first needed: the host's functions are among its globals */
export function createWechatHost(realm: () => Realm, interruption: Interruption): WechatHost {
  const dialler = createDialler();
  const complaints: string[] = [];
  const calls: Options[] = [];
  const listeners = { show: new Set<Callback>(), hide: new Set<Callback>(), network: new Set<Callback>() };
  const interrupts = new Set<() => void>();
  let phase: 'shown' | 'hidden' | 'interrupted' = 'shown';
  let cancel = (): void => {};
  let lastId = 0;

  const complain = (text: string): void => void complaints.push(text);

  function connectSocket(options: Options): unknown {
    calls.push(options);
    const id = (lastId += 1);
    const settle = settler('connectSocket', options, complain);
    const { url, protocols = [], header = {} } = options;
    for (const [key, value] of Object.entries(options)) {
      if (value === undefined) complain(`connectSocket was given ${key}: undefined`);
    }
    if (typeof url !== 'string' || !/^wss?:\/\//.test(url)) return settle.fail(`invalid url "${String(url)}"`);
    if (!Array.isArray(protocols)) complain('protocols must be an array');
    if (phase === 'interrupted') return settle.fail('interrupted');
    if (dialler.live.size >= MAX_SOCKETS) return settle.fail(`wcwss taskID=${id} exceed max concurrent count`);

    const told: Record<'open' | 'message' | 'error' | 'close', Callback[]> = {
      open: [],
      message: [],
      error: [],
      close: [],
    };
    const tell = (event: keyof typeof told, result: unknown): void => told[event].forEach((call) => call(result));
    let state: 'dialling' | 'open' | 'over' = 'dialling';
    let line: Line;
    const end = (code: number, reason: string, failed?: string): void => {
      state = 'over';
      interrupts.delete(interrupt);
      if (failed !== undefined) tell('error', { errMsg: failed });
      tell('close', { code, reason });
    };
    const interrupt = (): void => {
      line.cut();
      interrupts.delete(interrupt);
      if (interruption === 'silent') state = 'over';
      else end(1000, 'interrupted');
    };
    try {
      line = dialler.dial(url, protocols as string[], header as Record<string, string>, {
        opened(headers) {
          state = 'open';
          tell('open', { header: headers, profile: {} });
        },
        message: (data) => tell('message', { data: typeof data === 'string' ? data : realm().toArrayBuffer(data) }),
        ended: ({ opened, code, reason, cause }) => end(code, reason, opened ? undefined : cause || 'failed'),
      });
    } catch (error) {
      return settle.fail(String(error));
    }
    interrupts.add(interrupt);
    settle.ok({ socketTaskId: id });

    const register = (event: keyof typeof told) => (call: unknown) => {
      if (typeof call !== 'function') complain(`${event} was given ${typeof call}`);
      else told[event].push(call as Callback);
      if (told[event].length > 1) complain(`a second listener for ${event}: not every host keeps the first`);
    };
    return {
      onOpen: register('open'),
      onMessage: register('message'),
      onError: register('error'),
      onClose: register('close'),
      send(sent: Options) {
        if (sent === undefined) throw new TypeError('SocketTask.send wants an object');
        const settleSend = settler('sendSocketMessage', sent, complain);
        const tag = Object.prototype.toString.call(sent['data']);
        if (tag !== '[object String]' && tag !== '[object ArrayBuffer]') {
          complain(`send was given ${tag}`);
          return settleSend.fail('data must be a string or an ArrayBuffer');
        }
        if (state === 'dialling') complain('send before open');
        if (state !== 'open') return settleSend.fail('taskID not exist');
        const { data } = sent;
        line.send(typeof data === 'string' ? data : Uint8Array.from(new Uint8Array(data as ArrayBuffer)));
        return settleSend.ok({});
      },
      close(closed: Options) {
        if (closed === undefined) throw new TypeError('SocketTask.close wants an object');
        const settleClose = settler('closeSocket', closed, complain);
        const { code = 1000, reason = '' } = closed as { code?: number; reason?: string };
        if (code !== 1000 && !(code >= 3000 && code <= 4999)) complain(`close was given the code ${code}`);
        if (Buffer.byteLength(reason) > MAX_REASON_BYTES) complain('close was given a reason that is too long');
        if (state === 'over') return settleClose.fail('wcwss taskID not exist');
        line.close(code, reason);
        return settleClose.ok({});
      },
    };
  }

  const listen = (set: Set<Callback>) => (call: Callback) => void set.add(call);
  const forget = (set: Set<Callback>) => (call: Callback) => {
    if (typeof call !== 'function') throw new TypeError('off without a function');
    set.delete(call);
  };

  return {
    complaints,
    calls,
    dialler,
    api: {
      connectSocket,
      onAppShow: listen(listeners.show),
      offAppShow: forget(listeners.show),
      onAppHide: listen(listeners.hide),
      offAppHide: forget(listeners.hide),
      onNetworkStatusChange: listen(listeners.network),
      offNetworkStatusChange: forget(listeners.network),
      getNetworkType: ({ success }: { success?: Callback }) => success?.({ networkType: 'wifi', errMsg: '' }),
      ...surroundings(),
    },
    hide() {
      phase = 'hidden';
      listeners.hide.forEach((call) => call({}));
      const timer = setTimeout(() => {
        phase = 'interrupted';
        [...interrupts].forEach((interrupt) => interrupt());
      }, HIDDEN_FOR);
      cancel = () => clearTimeout(timer);
    },
    show() {
      cancel();
      phase = 'shown';
      listeners.show.forEach((call) => call({ path: 'pages/index/index', query: {}, scene: 1001 }));
    },
    listening: () => listeners.show.size + listeners.hide.size + listeners.network.size,
  };
}

/** Calls `success` or `fail`, then `complete`; never inside the call that they answer. */
export function settler(api: string, options: Options, complain: (text: string) => void) {
  const callback = (name: string): Callback | undefined => {
    const call = options[name];
    if (call === undefined || typeof call === 'function') return call as Callback | undefined;
    complain(`${api} was given ${name}: ${typeof call}`);
    return undefined;
  };
  const [success, fail, complete] = [callback('success'), callback('fail'), callback('complete')];
  const later = (call: Callback | undefined, result: unknown): undefined => {
    queueMicrotask(() => {
      call?.(result);
      complete?.(result);
    });
    return undefined;
  };
  return {
    ok: (result: object): undefined => later(success, { ...result, errMsg: `${api}:ok` }),
    fail: (why: string): undefined => later(fail, { errMsg: `${api}:fail ${why}` }),
  };
}

/** What uni-app's own code asks a host for while it is loaded. */
export function surroundings(): Record<string, unknown> {
  const nothing = (): void => {};
  const system = { platform: 'android', brand: 'none', model: 'none', system: 'none', SDKVersion: '3.6.0' };
  const stored = new Map<string, unknown>();
  return {
    canIUse: () => true,
    getSystemInfoSync: () => ({ ...system, language: 'en', windowWidth: 390, windowHeight: 844, pixelRatio: 2 }),
    getSystemInfo: ({ success }: { success?: Callback }) => success?.(system),
    getAppBaseInfo: () => ({ ...system, language: 'en' }),
    getDeviceInfo: () => system,
    getWindowInfo: () => ({ windowWidth: 390, windowHeight: 844, pixelRatio: 2 }),
    getStorageSync: (key: string) => stored.get(key) ?? '',
    setStorageSync: (key: string, value: unknown) => void stored.set(key, value),
    setStorage: nothing,
    removeStorageSync: (key: string) => void stored.delete(key),
    getLaunchOptionsSync: () => ({ path: 'pages/index/index', query: {}, scene: 1001 }),
    getEnterOptionsSync: () => ({ path: 'pages/index/index', query: {}, scene: 1001 }),
    getAccountInfoSync: () => ({ miniProgram: { appId: 'touristappid' } }),
    nextTick: (call: () => void) => setTimeout(call, 0),
    onError: nothing,
    onUnhandledRejection: nothing,
    onPageNotFound: nothing,
    onThemeChange: nothing,
  };
}
