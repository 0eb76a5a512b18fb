// What is below uni-app's own App runtime?
//
// The native module `uni-webSocket`, by the contract that the runtime's code shows. The runtime above it is the real
// one, with all that it is known for: a socket's number is the millisecond, `readyState` is 3 while it connects, a
// failed dial is an error without a close, and `close` nests its code where not every native module looks.

import { createDialler, type Line } from './dialler.ts';
import type { Host } from './host.ts';

type Options = Readonly<Record<string, unknown>>;

interface SocketArguments {
  readonly id: string;
  readonly url: string;
  readonly protocol?: string | undefined;
  readonly header?: Record<string, string> | undefined;
}

export interface AppHost extends Host {
  /** Go into the realm. */
  readonly globals: Record<string, unknown>;
}

export function createAppHost(): AppHost {
  const dialler = createDialler();
  const complaints: string[] = [];
  const calls: Options[] = [];
  const lines = new Map<string, Line>();
  const told: Record<string, (event: Options) => void> = {};
  const hooks: { type: string; hook: (options?: unknown) => void }[] = [];

  const native = {
    WebSocket(given: SocketArguments) {
      calls.push({ ...given });
      const { id, url, protocol, header = {} } = given;
      if (lines.has(id)) complaints.push('two sockets of one number: each would get the events of both');
      const protocols = protocol ? protocol.split(',') : [];
      try {
        lines.set(
          id,
          dialler.dial(url, protocols, header, {
            opened: () => told['onopen']?.({ id }),
            message: (data) =>
              told['onmessage']?.({
                id,
                data:
                  typeof data === 'string' ? data : { '@type': 'binary', base64: Buffer.from(data).toString('base64') },
              }),
            ended({ opened, code, reason }) {
              lines.delete(id);
              if (!opened) told['onerror']?.({ id });
              // Android reads the end of the stream as a usual goodbye
              else if (code === 1006) told['onclose']?.({ id, code: 1000, reason: 'CLOSE_NORMAL' });
              else told['onclose']?.({ id, code, reason });
            },
          }),
        );
      } catch {
        setTimeout(() => told['onerror']?.({ id }), 0);
      }
    },
    send({ id, data }: { id: string; data: string | { base64: string } }) {
      const line = lines.get(id);
      if (!line) throw new Error('no such socket');
      line.send(typeof data === 'string' ? data : Uint8Array.from(Buffer.from(data.base64, 'base64')));
    },
    close({ id, args }: { id: string; args?: { code?: number; reason?: string } }) {
      const { code = 1000, reason = '' } = args ?? {};
      if (code !== 1000 && !(code >= 3000 && code <= 4999)) complaints.push(`close was given the code ${code}`);
      lines.get(id)?.close(code, reason);
    },
    onopen: (call: (event: Options) => void) => void (told['onopen'] = call),
    onmessage: (call: (event: Options) => void) => void (told['onmessage'] = call),
    onerror: (call: (event: Options) => void) => void (told['onerror'] = call),
    onclose: (call: (event: Options) => void) => void (told['onclose'] = call),
  };

  const fire = (type: string): void =>
    hooks.filter((entry) => entry.type === type).forEach(({ hook }) => hook({ path: 'pages/index/index' }));

  return {
    complaints,
    calls,
    dialler,
    globals: {
      weex: { requireModule: (name: string) => (name === 'uni-webSocket' ? native : anything()), config: {} },
      plus: anything(),
      UniServiceJSBridge: anything(),
      __uniConfig: {},
      __uniRoutes: [],
      // an app that is mounted, so that hooks go to vue's `injectHook`, which is a stand-in that calls this
      getApp: () => ({ $vm: { $: {} } }),
      getCurrentPages: () => [],
      holdfastInjectHook: (type: string, hook: () => void) => void hooks.push({ type, hook }),
    },
    hide: () => fire('onHide'),
    show: () => fire('onShow'),
    listening: () => hooks.length,
  };
}

/** Has every member, and each can be called. */
function anything(): unknown {
  return new Proxy(() => {}, {
    get: (_target, name) => (name === Symbol.toPrimitive ? () => '' : anything()),
    apply: () => anything(),
  });
}
