// What do the pages dial, and how do they ask the server what it has seen?

import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createFaultServer } from '@holdfast/testing';
import type { TestProject } from 'vitest/node';

/** How pages reach the fault server of this run. */
export interface Faults {
  /** `ws://host:port`, without a path. */
  readonly origin: string;
  readonly refusedUrl: string;
  /** Answers a GET with how many WebSockets the server has. */
  readonly witness: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    faults: Faults;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await createFaultServer();
  const witness = createServer((_, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.end(String(server.connections.size));
  }).listen(0, '127.0.0.1');
  await once(witness, 'listening');

  project.provide('faults', {
    origin: server.url(''),
    refusedUrl: server.refusedUrl,
    witness: `http://127.0.0.1:${(witness.address() as AddressInfo).port}`,
  });
  return async () => {
    witness.closeAllConnections();
    witness.close();
    await server.close();
  };
}
