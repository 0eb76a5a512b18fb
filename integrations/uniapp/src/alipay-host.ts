// What is `my`, as far as a socket's life goes?
//
// Every event is wrapped once more, binary is base64 in both directions, a close has no code, and without `multiple`
// there is no task. A call that the documentation does not allow is a complaint, and a complaint fails the run.

import { createDialler, type Line } from './dialler.ts';
import { MAX_SOCKETS, settler, surroundings } from './wechat-host.ts';
import type { Host } from './host.ts';

type Callback = (result: unknown) => void;
type Options = Readonly<Record<string, unknown>>;

export interface AlipayHost extends Host {
  /** Goes into the realm as `my`. */
  readonly api: Record<string, unknown>;
}

const EVENTS = ['onOpen', 'onMessage', 'onError', 'onClose'] as const;
type EventName = (typeof EVENTS)[number];

export function createAlipayHost(): AlipayHost {
  const dialler = createDialler();
  const complaints: string[] = [];
  const calls: Options[] = [];
  const listeners = { show: new Set<Callback>(), hide: new Set<Callback>(), network: new Set<Callback>() };
  const interrupts = new Set<() => void>();
  let phase: 'shown' | 'interrupted' = 'shown';
  let cancel = (): void => {};
  let lastId = 0;

  const complain = (text: string): void => void complaints.push(text);

  function connectSocket(options: Options): unknown {
    calls.push(options);
    const socketTaskID = String((lastId += 1));
    const settle = settler('connectSocket', options, complain);
    const { url, header = {}, multiple } = options;
    if (multiple !== true) complain('connectSocket without multiple returns no task');
    if ('method' in options || 'protocols' in options) complain('Alipay knows neither method nor protocols');
    if (typeof url !== 'string' || !/^wss?:\/\//.test(url)) return settle.fail(`invalid url "${String(url)}"`);
    if (phase === 'interrupted') return settle.fail('network is not available');
    if (dialler.live.size >= MAX_SOCKETS) return settle.fail('exceed max concurrent count');

    const told: Record<EventName, Set<Callback>> = {
      onOpen: new Set(),
      onMessage: new Set(),
      onError: new Set(),
      onClose: new Set(),
    };
    const tell = (event: EventName, content: Options = {}, more: Options = {}): void =>
      told[event].forEach((call) => call({ data: { ...content, socketTaskID }, ...more }));
    let state: 'dialling' | 'open' | 'over' = 'dialling';
    let line: Line;
    const interrupt = (): void => {
      line.cut();
      end('interrupted');
    };
    const end = (failed?: string): void => {
      state = 'over';
      interrupts.delete(interrupt);
      if (failed !== undefined) tell('onError', {}, { error: 1, errorMessage: failed });
      tell('onClose');
    };
    try {
      line = dialler.dial(url, [], header as Record<string, string>, {
        opened() {
          state = 'open';
          tell('onOpen');
        },
        message: (data) =>
          tell(
            'onMessage',
            typeof data === 'string'
              ? { data, isBuffer: false }
              : { data: Buffer.from(data).toString('base64'), isBuffer: true },
          ),
        ended: ({ opened, cause }) => end(opened ? undefined : cause || 'failed'),
      });
    } catch (error) {
      return settle.fail(String(error));
    }
    interrupts.add(interrupt);
    settle.ok({ socketTaskID });

    const task: Record<string, unknown> = {
      send(sent: Options) {
        const settleSend = settler('sendSocketMessage', sent, complain);
        const { data, isBuffer } = sent;
        if (typeof data !== 'string') {
          complain(`send was given ${Object.prototype.toString.call(data)}; binary is base64 and isBuffer`);
          return settleSend.fail('data must be a string');
        }
        if (state === 'dialling') complain('send before open');
        if (state !== 'open') return settleSend.fail('taskID not exist');
        line.send(isBuffer === true ? Uint8Array.from(Buffer.from(data, 'base64')) : data);
        return settleSend.ok({});
      },
      close(closed: Options) {
        const settleClose = settler('closeSocket', closed, complain);
        const { code = 1000, reason = '' } = closed as { code?: number; reason?: string };
        if (code !== 1000 && !(code >= 3000 && code <= 4999)) complain(`close was given the code ${code}`);
        if (state === 'over') return settleClose.fail('taskID not exist');
        line.close(code, reason);
        return settleClose.ok({});
      },
    };
    for (const event of EVENTS) {
      task[event] = (call: Callback) => {
        told[event].add(call);
        if (told[event].size > 1) complain(`a second listener for ${event}`);
      };
      task[event.replace('on', 'off')] = (call: Callback) => void told[event].delete(call);
    }
    return multiple === true ? task : undefined;
  }

  const listen = (set: Set<Callback>) => (call: Callback) => void set.add(call);
  const forget = (set: Set<Callback>) => (call: Callback) => void set.delete(call);

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
      SDKVersion: '2.8.0',
      isIDE: false,
      ...surroundings(),
    },
    hide() {
      listeners.hide.forEach((call) => call({}));
      const timer = setTimeout(() => {
        phase = 'interrupted';
        [...interrupts].forEach((interrupt) => interrupt());
      }, 5000);
      cancel = () => clearTimeout(timer);
    },
    show() {
      cancel();
      phase = 'shown';
      listeners.show.forEach((call) => call({ path: 'pages/index/index', query: {}, scene: '1000' }));
    },
    listening: () => listeners.show.size + listeners.hide.size + listeners.network.size,
  };
}
