// Which tests run where. Tests run on the sources, not on dist, so nothing has to be built first.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { plantedFault } from './tools/planted-fault.ts';

const source = (name: string) =>
  fileURLToPath(new URL(`./packages/${name}/src/index.ts`, import.meta.url));

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [plantedFault()],
        resolve: {
          alias: {
            '@holdfast/core': source('core'),
            '@holdfast/node': source('node'),
            '@holdfast/server': source('server'),
            '@holdfast/testing': source('testing'),
          },
        },
        test: {
          name: 'node',
          include: [
            'packages/*/test/**/*.test.ts',
            'examples/*/test/**/*.test.ts',
            'test/**/*.test.ts',
          ],
          typecheck: {
            enabled: true,
            include: ['packages/*/test/**/*.test-d.ts'],
            tsconfig: './tsconfig.tests.json',
          },
          // Node 20 has WebSocket behind this flag; from 22 on it is there anyway and the flag is accepted.
          execArgv: ['--experimental-websocket'],
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**'],
      reporter: ['text-summary', 'json-summary'],
    },
  },
});
