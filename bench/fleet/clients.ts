// Many clients in one process: a bare `ws` each, which speaks the session's frames and nothing else, so that they are cheap.
//
// They acknowledge as the protocol wants it, and beat as the server asks for it. They dial so many at a time, since a
// process that dials ten thousand at once measures its own queue.

import {
  SUBPROTOCOL,
  decodeFromServer,
  encodeAck,
  encodeMessage,
  encodeOpen,
  encodePing,
  encodeResume,
  END,
} from '@holdfast/session/wire';
import { WebSocket } from 'ws';
import { pour, type ClientOrder, type ClientUsage } from './orders.ts';

/** What core announces by default. */
const WINDOW = 1_048_576;
const ACK = { messages: 32, delay: 250 };
const DIALS = 256;
const TICK = 250;

type State = 'away' | 'dialling' | 'ready' | 'done';

let url = '';
let isPlain = false;
let ready = 0;
let received = 0;
let acknowledged = 0;
let heartbeat = 25_000;
let dialling = 0;
let whenReady: { readonly count: number; tell(): void } | undefined;
const clients: Client[] = [];
const waiting: Client[] = [];
let owing: Client[] = [];
let made = 0;

class Client {
  state: State = 'away';
  private ws: WebSocket | undefined;
  private sid = '';
  private token = '';
  private attempt = 0;
  private received = 0;
  private tag = 0;
  private sent = 0;
  private acked = 0;
  private owed = 0;
  private beatAt = 0;

  constructor(private readonly number: number) {}

  dial(): void {
    this.state = 'dialling';
    const ws = new WebSocket(url, isPlain ? [] : [SUBPROTOCOL], { perMessageDeflate: false });
    this.ws = ws;
    ws.on('message', (data, isBinary) => this.heard(isBinary ? (data as Buffer) : String(data as Buffer)));
    if (isPlain) ws.on('open', () => this.isReady());
    ws.on('error', () => {});
    ws.on('close', (code, reason) => this.closed(ws, code, String(reason)));
  }

  /** Without a word, as a client does that a network has lost. */
  drop(): void {
    const ws = this.ws;
    this.left('away');
    ws?.terminate();
  }

  end(): void {
    const ws = this.ws!;
    this.left('done');
    if (isPlain) ws.close();
    else ws.send(END);
  }

  send(message: string): void {
    this.ws!.send(encodeMessage(++this.sent, 0, message));
  }

  acknowledge(): void {
    if (this.owed === 0 || this.state !== 'ready') return;
    this.owed = 0;
    this.ws!.send(encodeAck(this.received));
  }

  beat(now: number): void {
    if (this.state !== 'ready' || now < this.beatAt) return;
    this.beatAt += heartbeat;
    this.owed = 0;
    this.ws!.send(encodePing(this.received));
  }

  private heard(data: string | Uint8Array): void {
    const frame = decodeFromServer(data);
    switch (frame.type) {
      case 'hello': {
        heartbeat = frame.heartbeat;
        const { sid, token, tag, acked, sent } = this;
        const mine = { attempt: ++this.attempt, holders: [this.number], window: WINDOW, auth: `user-${this.number}` };
        const claim = { ...mine, sid, token, received: this.received, tag, acked, sent };
        this.ws!.send(sid === '' ? encodeOpen(mine) : encodeResume(claim));
        return;
      }
      case 'ready':
        this.sid = frame.sid;
        this.token = frame.token ?? this.token;
        this.acked = frame.received;
        this.isReady();
        return;
      case 'message':
        if (frame.seq !== this.received + 1) throw new Error(`${frame.seq} after ${this.received}`);
        this.received = frame.seq;
        this.tag = frame.tag;
        received++;
        if (this.owed++ === 0) owing.push(this);
        if (this.owed >= ACK.messages) this.acknowledge();
        return;
      case 'ack':
      case 'pong':
        acknowledged += frame.received - this.acked;
        this.acked = frame.received;
        return;
      case 'end':
        return;
      default:
        throw new Error(`client ${this.number} heard ${JSON.stringify(frame)}`);
    }
  }

  private isReady(): void {
    this.state = 'ready';
    this.beatAt = performance.now() + Math.random() * heartbeat;
    ready++;
    dialling--;
    dialMore();
    if (whenReady && ready >= whenReady.count) {
      whenReady.tell();
      whenReady = undefined;
    }
  }

  /** It comes back: at once, or when it was asked to. */
  private closed(ws: WebSocket, code: number, reason: string): void {
    if (ws !== this.ws || this.state === 'done') return;
    if (this.state === 'dialling') dialling--;
    this.left('away');
    const asked = code === 1012 ? Number(/retry-after=([\d.]+)/.exec(reason)?.[1] ?? 0) : 0;
    setTimeout(() => comeBack(this), asked * 1e3);
  }

  private left(state: State): void {
    if (this.state === 'ready') ready--;
    this.state = state;
    this.ws = undefined;
    this.owed = 0;
  }
}

function comeBack(client: Client): void {
  waiting.push(client);
  dialMore();
}

function dialMore(): void {
  while (dialling < DIALS && waiting.length > 0) {
    dialling++;
    waiting.pop()!.dial();
  }
}

setInterval(() => {
  const now = performance.now();
  if (!isPlain) for (const client of clients) client.beat(now);
  const due = owing;
  owing = [];
  for (const client of due) client.acknowledge();
}, TICK);

process.on('message', (order: ClientOrder) => {
  switch (order.name) {
    case 'open':
      ({ url, plain: isPlain } = order);
      return void open(order.count, order.atOnce).then(() => tell('done'));
    case 'resume':
      url = order.url;
      ready = clients.filter(({ state }) => state === 'ready').length;
      whenReady = { count: clients.length, tell: () => tell('done') };
      return;
    case 'end':
      for (const client of clients) client.end();
      clients.length = 0;
      return tell('done');
    case 'send': {
      const message = 'x'.repeat(order.load.bytes);
      return pour(
        order.load,
        (turn) => clients[turn % clients.length]!.send(message),
        () => tell('done'),
      );
    }
    case 'usage':
      tell({ ready, received, acknowledged } satisfies ClientUsage);
  }
});
process.on('disconnect', () => process.exit());

async function open(count: number, atOnce: number): Promise<void> {
  for (let opened = 0; opened < count; opened += atOnce) {
    const batch = Array.from({ length: Math.min(atOnce, count - opened) }, () => new Client(made++));
    clients.push(...batch);
    const all = new Promise<void>((resolve) => (whenReady = { count: ready + batch.length, tell: resolve }));
    batch.forEach(comeBack);
    await all;
    if (atOnce < count) for (const client of batch) client.drop();
  }
}

function tell(what: unknown): void {
  process.send!(what);
}

tell('ready');
