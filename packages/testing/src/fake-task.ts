// What would a host of mini-programs do to a SocketTask, if it did as it is told?
//
// The hosts of uni-app and of mini-programs do not agree on what they tell, in which order, and how often. Each way that
// was seen has a name here; a host does one of them or several at a time, and the test plays the server by hand.

/** What a host does differently from a well-behaved one. */
export type FakeTaskMode =
  // how `connectSocket` returns
  | 'returns-undefined'
  | 'returns-promise-of-task'
  /** As uni-app does when an interceptor loses the callbacks: the socket is open, and nobody can reach it. */
  | 'returns-promise-of-errMsg'
  | 'rejects'
  | 'throws'
  // what becomes of the dial
  /** `success` within the call, before there is a task in anybody's hands (H5). */
  | 'sync-success'
  | 'success-then-fail'
  | 'fail-only'
  /** An error, and never a close (App). */
  | 'error-only'
  | 'error-then-close'
  /** Nothing at all, unless the test says so by `open()`. */
  | 'late-open'
  | 'double-open'
  // how a task ends
  /** `close` before the opening fails, and the socket opens after all (uni-app x). */
  | 'close-noop-until-open'
  /** `close` is taken, and no close is ever told. */
  | 'close-never-answers'
  /** The app's background: nothing passes any more, and nobody is told. */
  | 'silent-death'
  /** How a host tells that it has cut the network: 1000, or 0, and `interrupted`. */
  | '1000-interrupted'
  | '0-interrupted'
  /** Closes are told without code and reason. */
  | 'code-missing'
  /** `close` does nothing, and messages go on arriving (Android after a change of network). */
  | 'revived-old-socket'
  // what becomes of a message sent
  | 'double-fail-send'
  | 'fail-then-success-send'
  | 'no-complete-send'
  // what events look like, and how they are registered
  /** Events are wrapped once more, binary is base64 with `isBuffer`, and a task comes only with `multiple: true`. */
  | 'alipay-envelope'
  | 'handlers-replace'
  | 'off-is-noop';

export interface FakeHostOptions {
  /** @default none: a well-behaved host */
  readonly modes?: readonly FakeTaskMode[];
  /** Milliseconds from `connectSocket` to the opening, or to its failure. @default 5 */
  readonly openAfter?: number;
  /** Milliseconds from `close` to the last event of its task, which takes a place until then. @default 0 */
  readonly closeAfter?: number;
  /** How many tasks may live at a time; the next one fails as WeChat has it. @default Infinity */
  readonly limit?: number;
}

/** The parts of a host that a client uses. It can stand in for `uni`, `wx` or `my`. */
export interface FakeApi {
  connectSocket(options: FakeConnectOptions): FakeSocketTask | PromiseLike<unknown> | undefined;
  onAppShow(listener: Listener): void;
  offAppShow(listener: Listener): void;
  onAppHide(listener: Listener): void;
  offAppHide(listener: Listener): void;
  onNetworkStatusChange(listener: Listener): void;
  offNetworkStatusChange(listener: Listener): void;
}

export interface FakeHost {
  readonly api: FakeApi;
  /** From the next call on. */
  modes: readonly FakeTaskMode[];
  openAfter: number;
  closeAfter: number;
  /** All that were ever made, in order. */
  readonly tasks: readonly FakeTask[];
  /** The newest. */
  readonly last: FakeTask;
  /** Tasks that take a place: made, and their last event not told. */
  readonly live: readonly FakeTask[];
  /** The most that ever lived at a time. */
  readonly mostLive: number;
  /** What `connectSocket` was called with, also when no task came of it. */
  readonly calls: readonly FakeConnectOptions[];
  /** How many functions are registered with the host's events. */
  readonly listeners: number;
  /** Called for every message that a task takes: the server's turn. */
  onMessage: ((task: FakeTask, data: unknown) => void) | undefined;
  hide(): void;
  show(): void;
  changeNetwork(isConnected: boolean): void;
}

/** One task, from the test's side. */
export interface FakeTask {
  /** What the client was given. */
  readonly socketTask: FakeSocketTask;
  readonly options: FakeConnectOptions;
  readonly state: 'connecting' | 'open' | 'closing' | 'closed';
  /** What was sent, as it was handed over: a string or an `ArrayBuffer`. */
  readonly sent: readonly unknown[];
  /** What `close` was called with, each time. */
  readonly closes: readonly FakeCloseOptions[];
  /** How often each event was registered. */
  readonly registered: Readonly<Record<EventName, number>>;
  /** What the host says next to the client. */
  open(): void;
  message(data: string | ArrayBuffer): void;
  error(errMsg: string): void;
  close(code?: number, reason?: string): void;
  fail(errMsg: string): void;
  /** From now on each send fails late with this. */
  failSends(errMsg: string): void;
}

export interface FakeSocketTask {
  send(options: FakeSendOptions): void;
  close(options: FakeCloseOptions): void;
  onOpen(listener: Listener): void;
  onMessage(listener: Listener): void;
  onError(listener: Listener): void;
  onClose(listener: Listener): void;
}

type Listener = (event: unknown) => void;
type EventName = 'open' | 'message' | 'error' | 'close';

export interface FakeCallbacks {
  readonly success?: Listener;
  readonly fail?: Listener;
  readonly complete?: Listener;
}
export interface FakeConnectOptions extends FakeCallbacks {
  readonly url: string;
  readonly multiple?: boolean;
  readonly header?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
}
export interface FakeSendOptions extends FakeCallbacks {
  readonly data: string | ArrayBuffer;
  readonly isBuffer?: boolean;
}
export interface FakeCloseOptions extends FakeCallbacks {
  readonly code?: number;
  readonly reason?: string;
}

export function createFakeHost(options: FakeHostOptions = {}): FakeHost {
  const { limit = Infinity } = options;
  const tasks: FakeTask[] = [];
  const calls: FakeConnectOptions[] = [];
  const events = { shown: createEvent(), hidden: createEvent(), network: createEvent() };
  let mostLive = 0;

  const host: FakeHost = {
    modes: options.modes ?? [],
    openAfter: options.openAfter ?? 5,
    closeAfter: options.closeAfter ?? 0,
    tasks,
    calls,
    get last() {
      const last = tasks[tasks.length - 1];
      if (!last) throw new Error('no task has been made yet');
      return last;
    },
    get live() {
      return tasks.filter(({ state }) => state !== 'closed');
    },
    get mostLive() {
      return mostLive;
    },
    get listeners() {
      return events.shown.size + events.hidden.size + events.network.size;
    },
    onMessage: undefined,
    hide: () => events.hidden.tell(undefined),
    show: () => events.shown.tell({ path: 'pages/index/index' }),
    changeNetwork: (isConnected) => events.network.tell({ isConnected, networkType: isConnected ? 'wifi' : 'none' }),
    api: {
      connectSocket,
      onAppShow: events.shown.on,
      offAppShow: off(events.shown),
      onAppHide: events.hidden.on,
      offAppHide: off(events.hidden),
      onNetworkStatusChange: events.network.on,
      offNetworkStatusChange: off(events.network),
    },
  };

  /** Alipay's `off…` is given another function than its `on…` was. */
  function off(event: FakeEvent): (listener: Listener) => void {
    return (listener) => {
      if (!host.modes.includes('off-is-noop')) event.off(listener);
    };
  }

  function connectSocket(wanted: FakeConnectOptions): ReturnType<FakeApi['connectSocket']> {
    calls.push(wanted);
    const is = (mode: FakeTaskMode): boolean => host.modes.includes(mode);
    const fail = (errMsg: string): undefined => void setTimeout(() => answer(wanted, 'fail', errMsg), 0);
    if (is('throws')) throw new Error('connectSocket:fail parameter error');
    if (is('rejects')) return Promise.reject(new Error('connectSocket:fail interceptor'));
    if (is('returns-undefined')) return undefined;
    if (host.live.length >= limit) {
      return fail(`createSocketTask:fail wcwss taskID=${calls.length} exceed max concurrent count`);
    }
    const task = createTask(wanted, new Set(host.modes), host, (sent) => host.onMessage?.(task, sent));
    tasks.push(task);
    mostLive = Math.max(mostLive, host.live.length);
    if (is('returns-promise-of-errMsg')) return Promise.resolve({ errMsg: 'connectSocket:ok', socketTaskId: 1 });
    if (is('returns-promise-of-task')) return Promise.resolve(task.socketTask);
    return is('alipay-envelope') && wanted.multiple !== true ? undefined : task.socketTask;
  }

  return host;
}

const NO_ANSWER: readonly FakeTaskMode[] = ['close-never-answers', 'silent-death', 'revived-old-socket'];

function createTask(
  options: FakeConnectOptions,
  modes: ReadonlySet<FakeTaskMode>,
  { openAfter, closeAfter }: Pick<FakeHost, 'openAfter' | 'closeAfter'>,
  sentOut: (data: unknown) => void,
): FakeTask {
  const handlers: Record<EventName, Listener[]> = { open: [], message: [], error: [], close: [] };
  const registered: Record<EventName, number> = { open: 0, message: 0, error: 0, close: 0 };
  const sent: unknown[] = [];
  const closes: FakeCloseOptions[] = [];
  let state: FakeTask['state'] = 'connecting';
  let sendFailure: string | undefined;

  const later = (act: () => void, ms = 0): void => void setTimeout(act, ms);
  const register =
    (name: EventName) =>
    (listener: Listener): void => {
      registered[name]++;
      if (modes.has('handlers-replace')) handlers[name] = [listener];
      else handlers[name].push(listener);
    };
  const tell = (name: EventName, event: object): void => {
    const wrapped = modes.has('alipay-envelope') ? { data: { socketTaskID: '1', ...event } } : event;
    for (const handler of handlers[name]) handler(wrapped);
  };

  // ---- the host's side

  function open(): void {
    if (state === 'connecting') state = 'open';
    tell('open', modes.has('alipay-envelope') ? {} : { header: {}, profile: {} });
  }

  function message(data: string | ArrayBuffer): void {
    if (modes.has('silent-death')) return;
    if (modes.has('alipay-envelope') && typeof data !== 'string') {
      tell('message', { data: Buffer.from(data).toString('base64'), isBuffer: true });
    } else tell('message', modes.has('alipay-envelope') ? { data, isBuffer: false } : { data });
  }

  function error(errMsg: string): void {
    tell('error', { errMsg });
  }

  function close(code = 1006, reason = ''): void {
    state = 'closed';
    const [told, why] = interruption() ?? [code, reason];
    tell('close', modes.has('code-missing') || modes.has('alipay-envelope') ? {} : { code: told, reason: why });
  }

  function interruption(): readonly [number, string] | undefined {
    if (modes.has('1000-interrupted')) return [1000, 'interrupted'];
    return modes.has('0-interrupted') ? [0, 'interrupted'] : undefined;
  }

  function fail(errMsg: string): void {
    state = 'closed';
    answer(options, 'fail', errMsg);
  }

  // ---- the client's side

  const socketTask: FakeSocketTask = {
    onOpen: register('open'),
    onMessage: register('message'),
    onError: register('error'),
    onClose: register('close'),

    send(message) {
      const { data } = message;
      if (state !== 'open' || modes.has('double-fail-send')) {
        answer(message, 'fail', 'sendSocketMessage:fail readyState is not OPEN');
        answer(message, 'fail', 'sendSocketMessage:fail Error: readyState is not OPEN');
      } else if (modes.has('fail-then-success-send')) {
        answer(message, 'fail', 'sendSocketMessage:fail');
        answer(message, 'success', 'sendSocketMessage:ok');
      } else if (sendFailure !== undefined) {
        later(() => answer(message, 'fail', sendFailure!));
      } else {
        sent.push(data);
        if (!modes.has('no-complete-send')) later(() => answer(message, 'success', 'sendSocketMessage:ok'));
        if (!modes.has('silent-death')) later(() => sentOut(data));
      }
    },

    close(wanted) {
      closes.push(wanted);
      const { code = 1000, reason = '' } = wanted;
      const isAllowed = code === 1000 || (code >= 3000 && code <= 4999);
      if (!isAllowed || Buffer.byteLength(reason) > 123) return later(() => answer(wanted, 'fail', 'closeSocket:fail'));
      if (state === 'connecting' && modes.has('close-noop-until-open')) {
        return later(() => answer(wanted, 'fail', 'closeSocket:fail not connected'));
      }
      if (state === 'closing' || state === 'closed')
        return later(() => answer(wanted, 'fail', 'closeSocket:fail wcwss taskID not exist'));
      later(() => answer(wanted, 'success', 'closeSocket:ok'));
      if (NO_ANSWER.some((mode) => modes.has(mode))) return;
      const wasOpen = state === 'open';
      state = 'closing';
      later(() => {
        state = 'closed';
        if (!wasOpen) error('connectSocket:fail closed');
        if (wasOpen || !modes.has('error-only')) close(wasOpen ? code : 1006, wasOpen ? reason : '');
      }, closeAfter);
    },
  };

  // ---- what becomes of the dial

  const task: FakeTask = {
    socketTask,
    options,
    get state() {
      return state;
    },
    sent,
    closes,
    registered,
    open,
    message,
    error,
    close,
    fail,
    failSends(errMsg) {
      sendFailure = errMsg;
    },
  };

  if (modes.has('sync-success')) answer(options, 'success', 'connectSocket:ok');
  else if (!modes.has('fail-only')) later(() => answer(options, 'success', 'connectSocket:ok'));
  later(() => {
    if (state !== 'connecting') return;
    if (modes.has('fail-only') || modes.has('success-then-fail'))
      return fail('connectSocket:fail url not in domain list');
    if (modes.has('error-only') || modes.has('error-then-close')) {
      state = 'closed';
      error('connectSocket:fail refused');
      if (modes.has('error-then-close')) close();
    } else if (!modes.has('late-open')) {
      open();
      if (modes.has('double-open')) open();
    }
  }, openAfter);

  return task;
}

function answer(callbacks: FakeCallbacks, name: 'success' | 'fail', errMsg: string): void {
  callbacks[name]?.({ errMsg });
  callbacks.complete?.({ errMsg });
}

interface FakeEvent {
  readonly size: number;
  readonly on: (listener: Listener) => void;
  readonly off: (listener: Listener) => void;
  readonly tell: (event: unknown) => void;
}

function createEvent(): FakeEvent {
  const listeners: Listener[] = [];
  return {
    get size() {
      return listeners.length;
    },
    on: (listener) => void listeners.push(listener),
    off: (listener) => void listeners.splice(listeners.indexOf(listener), listeners.includes(listener) ? 1 : 0),
    tell: (event) => listeners.slice().forEach((listener) => listener(event)),
  };
}
