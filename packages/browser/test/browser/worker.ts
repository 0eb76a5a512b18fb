// What does the worker do when it is told to?

import { browserAdapter, connect } from '@holdfast/browser';
import { conformanceCases } from '@holdfast/testing/conformance';

/** `name` is that of a conformance case, or of one of `CLIENT_ORDERS`. */
export interface Order {
  readonly name: string;
  readonly origin: string;
  readonly refusedUrl: string;
}

export type Answer =
  { readonly name: string; readonly result: string } | { readonly name: string; readonly error: string };

const CLIENT_ORDERS: Readonly<Record<string, (origin: string) => Promise<string>>> = {
  /** A client in the worker loses its first socket and dials again by itself. */
  'lose and redial': async (origin) => {
    const paths = ['/terminate', '/echo'];
    const client = connect(() => origin + (paths.shift() ?? '/echo'), { reconnect: { initialDelay: 10 } });
    await client.opened();
    const closed = new Promise<number>((resolve) => client.once('close', ({ code }) => resolve(code)));
    client.send('go');
    const code = await closed;
    await client.opened();
    const echoed = new Promise<unknown>((resolve) => client.once('message', resolve));
    client.send('from the worker');
    const message = await echoed;
    await client.close();
    return `${code}, then ${String(message)}`;
  },
};

self.addEventListener('message', ({ data }: MessageEvent<Order>) => {
  const { name } = data;
  perform(data).then(
    (result) => answer({ name, result }),
    (error: unknown) => answer({ name, error: String(error) }),
  );
});

async function perform({ name, origin, refusedUrl }: Order): Promise<string> {
  const order = CLIENT_ORDERS[name];
  if (order) return order(origin);
  const known = conformanceCases().find((one) => one.name === name);
  if (!known) throw new Error(`nothing is named ${name}`);
  await known.run({ adapter: browserAdapter(), url: (path) => origin + path, refusedUrl });
  return 'kept';
}

function answer(message: Answer): void {
  postMessage(message);
}
