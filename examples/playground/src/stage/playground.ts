// What belongs to a playground? The stage, and a Vite server for the page.

import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';
import { controlPlugin } from './control.ts';
import { createStage } from './stage.ts';

export interface Playground {
  /** Of the page. */
  readonly url: string;
  close(): Promise<void>;
}

/** @param port of the page; the next free one if it is taken, 0 for any */
export async function startPlayground(port: number): Promise<Playground> {
  const stage = await createStage();
  const vite = await createServer({
    root: fileURLToPath(new URL('../../', import.meta.url)),
    configFile: false,
    logLevel: 'warn',
    plugins: [controlPlugin(stage)],
    resolve: { tsconfigPaths: true }, // the packages as they are in this repository, without a build
    server: { host: '127.0.0.1', port, hmr: false },
    appType: 'mpa',
  });
  await vite.listen();
  await vite.warmupRequest('/src/page/main.ts');
  return {
    url: vite.resolvedUrls!.local[0]!,
    async close() {
      await vite.close();
      await stage.close();
    },
  };
}
