// What does the worker do when it is told to?

import { browserAdapter, connect } from '@holdfast/browser';
import { conformanceCases } from '@holdfast/testing/conformance';
import { addressesOf, type Addresses } from './addresses.ts';
import type { Faults } from './global-setup.ts';

/** `name` is that of a conformance case, or of one of `CLIENT_ORDERS`. */
export interface Order {
  readonly name: string;
  readonly faults: Faults;
}

export type Answer =
  { readonly name: string; readonly result: string } | { readonly name: string; readonly error: string };

const CLIENT_ORDERS: Readonly<Record<string, (addresses: Addresses) => Promise<string>>> = {
  /** A client in the worker loses its first socket and dials again by itself. */
  'lose and redial': async ({ url }) => {
    const paths = ['/terminate', '/echo'];
    const client = connect(() => url(paths.shift() ?? '/echo'), { reconnect: { initialDelay: 10 } });
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

async function perform({ name, faults }: Order): Promise<string> {
  const addresses = addressesOf(faults);
  const order = CLIENT_ORDERS[name];
  if (order) return order(addresses);
  const known = conformanceCases().find((one) => one.name === name);
  if (!known) throw new Error(`nothing is named ${name}`);
  await known.run({ adapter: browserAdapter(), ...addresses });
  return 'kept';
}

function answer(message: Answer): void {
  postMessage(message);
}
