// What does a scenario stand on: a host that does as it is told, a time that does too, and all that was told written down?

import { createFakeHost, type FakeHost, type FakeHostOptions, type FakeTaskMode } from '@holdfast/testing';
import type * as UniappPackage from '@holdfast/uniapp';
import type {
  Binary,
  Client,
  ClientOptions,
  CloseEvent,
  CloseInfo,
  Data,
  DropEvent,
  HoldfastError,
  Socket,
} from '@holdfast/core';
import { equal } from './check.ts';
import { installTime } from './time.ts';

export type Uniapp = typeof UniappPackage;

/** A promise of the adapter, by name and U number. */
export interface Scenario {
  readonly name: string;
  play(stage: Stage): Promise<void>;
}

/** What a socket told, in order. */
export type Story = (
  | readonly ['opened', string]
  | readonly ['message', Data]
  | readonly ['rejected', Data, unknown]
  | readonly ['closed', CloseInfo]
)[];

export interface Dialled {
  readonly socket: Socket;
  readonly story: Story;
  names(): string;
}

export interface Watched {
  readonly client: Client;
  readonly opens: { readonly reconnected: boolean }[];
  readonly messages: Data[];
  readonly closes: CloseEvent[];
  readonly drops: DropEvent<string | Binary>[];
  readonly errors: HoldfastError[];
}

type ConnectSocket = FakeHost['api']['connectSocket'];

export interface Stage {
  readonly uniapp: Uniapp;
  readonly timers: number;
  pass(ms: number): Promise<void>;
  jump(ms: number): void;
  host(options?: FakeHostOptions | readonly FakeTaskMode[]): FakeHost;
  /** A host that is `wx` for everybody, as in a mini-program. */
  miniProgram(modes?: readonly FakeTaskMode[]): FakeHost;
  /** One socket, and what it tells. */
  dial(host: FakeHost, connectSocket?: ConnectSocket): Dialled;
  /** The same, once it is open. */
  open(host: FakeHost): Promise<Dialled>;
  /** A client, closed after the scenario. */
  connect(host: FakeHost, options?: ClientOptions): Watched;
}

/**
 * Plays one scenario on a stage of its own: the package is loaded anew, for the gate for dials and the subscription to
 * the host's events are one for the process. Afterwards everything is closed, and no timer may be left.
 * @param usedMode told of each mode that a host was given
 * @returns what went wrong, in words; `undefined` if nothing did
 */
export async function perform(
  { play }: Scenario,
  load: () => Uniapp | Promise<Uniapp>,
  usedMode: (mode: FakeTaskMode) => void = () => {},
): Promise<string | undefined> {
  const time = installTime();
  const place = globalThis as { wx?: unknown };
  const clients: Client[] = [];
  try {
    const uniapp = await load();
    await play(stageOf(uniapp));
    const closed = clients.map((client) => client.close());
    await time.pass(10_000);
    await Promise.all(closed);
    if (time.timers > 0) return `timers left behind: ${time.timers}`;
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } finally {
    delete place.wx;
    time.uninstall();
  }

  function stageOf(uniapp: Uniapp): Stage {
    const stage: Stage = {
      uniapp,
      get timers() {
        return time.timers;
      },
      pass: (ms) => time.pass(ms),
      jump: (ms) => time.jump(ms),
      host(options = {}) {
        const host = createFakeHost('length' in options ? { modes: options } : options);
        host.modes.forEach(usedMode);
        return host;
      },
      miniProgram(modes = []) {
        const host = stage.host(modes);
        place.wx = host.api;
        return host;
      },
      dial(host, connectSocket = host.api.connectSocket) {
        const story: Story = [];
        const socket = uniapp.uniappAdapter({ connectSocket }).openSocket(
          { url: 'wss://example.com/live', protocols: [] },
          {
            opened: ({ protocol }) => story.push(['opened', protocol]),
            message: (data) => story.push(['message', data]),
            rejected: (data, cause) => story.push(['rejected', data, cause]),
            closed: (close) => story.push(['closed', close]),
          },
        );
        return { socket, story, names: () => story.map(([name]) => name).join(' ') };
      },
      async open(host) {
        const dialled = stage.dial(host);
        await time.pass(20);
        equal(dialled.names(), 'opened');
        return dialled;
      },
      connect(host, options = {}) {
        const { connectSocket } = host.api;
        const watched = watch(uniapp.connect('wss://example.com/live', { connectSocket, ...options }));
        clients.push(watched.client);
        return watched;
      },
    };
    return stage;
  }
}

function watch(client: Client): Watched {
  const watched: Watched = { client, opens: [], messages: [], closes: [], drops: [], errors: [] };
  client
    .on('open', (event) => watched.opens.push(event))
    .on('message', (data) => watched.messages.push(data))
    .on('close', (event) => watched.closes.push(event))
    .on('drop', (event) => watched.drops.push(event))
    .on('error', (error) => watched.errors.push(error));
  return watched;
}
