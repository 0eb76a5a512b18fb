// What runs in the page: a client, and a diary of what happened to both.

import { connect, type Client, type ClientOptions } from '@holdfast/browser';

/** One line of the diary; `at` is the page's wall clock. */
export interface Told {
  readonly at: number;
  readonly name: string;
  /** Of `close`: the code; of `pagehide` and `pageshow`: `persisted`; of `visibilitychange`: the state. */
  readonly detail?: unknown;
}

export interface InPage {
  readonly told: readonly Told[];
  /** How late each tick of a timer of 50 ms was, in milliseconds: what the browser does to timers. */
  readonly late: readonly number[];
  client: Client | undefined;
  /** Dials, and resolves once open. */
  start(url: string, options: ClientOptions): Promise<void>;
  /** A bare WebSocket, to see what the browser does with it; its `close` is told as `bare close`. */
  bare: WebSocket | undefined;
  startBare(url: string): Promise<void>;
}

declare global {
  var inPage: InPage;
}

const TICK = 50;

const told: Told[] = [];
const late: number[] = [];
const tell = (name: string, detail?: unknown): void => {
  told.push({ at: Date.now(), name, detail });
};

globalThis.inPage = {
  told,
  late,
  client: undefined,
  start(url, options) {
    const client = connect(url, options);
    inPage.client = client;
    client.on('open', () => tell('open'));
    client.on('close', ({ code }) => tell('close', code));
    client.on('pong', () => tell('pong'));
    return client.opened();
  },
  bare: undefined,
  startBare(url) {
    const socket = new WebSocket(url);
    inPage.bare = socket;
    socket.addEventListener('close', ({ code }) => tell('bare close', code));
    return new Promise((resolve) => socket.addEventListener('open', () => resolve()));
  },
};

for (const name of ['freeze', 'resume']) document.addEventListener(name, () => tell(name));
for (const name of ['online', 'offline']) addEventListener(name, () => tell(name));
for (const name of ['pagehide', 'pageshow'] as const) addEventListener(name, (event) => tell(name, event.persisted));
const { connection } = navigator as { connection?: EventTarget }; // Chromium has it, TypeScript has not
connection?.addEventListener('change', () => tell('change of network'));
document.addEventListener('visibilitychange', () => tell(document.visibilityState));

let due = Date.now() + TICK;
function tick(): void {
  late.push(Date.now() - due);
  due = Date.now() + TICK;
  setTimeout(tick, TICK);
}
setTimeout(tick, TICK);
