// Which tests run where. Tests run on the sources, not on dist, so nothing has to be built first.
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { NEEDS_BROWSER, browserProjects } from './tools/browsers/projects.ts';
import { NEEDS_SERVER, serverProjects } from './tools/servers/projects.ts';
import { plantedFault } from './tools/planted-fault.ts';

const source = (name: string, entry = 'index') =>
  fileURLToPath(new URL(`./packages/${name}/src/${entry}.ts`, import.meta.url));

// Longer names first: an alias is a prefix.
const alias = {
  '@holdfast/testing/conformance': source('testing', 'conformance'),
  '@holdfast/testing/mock': source('testing', 'mock'),
  '@holdfast/browser': source('browser'),
  '@holdfast/core/websocket': source('core', 'websocket'),
  '@holdfast/core': source('core'),
  '@holdfast/node': source('node'),
  '@holdfast/redis': source('redis'),
  '@holdfast/server': source('server'),
  '@holdfast/session/wire': source('session', 'wire'),
  '@holdfast/session': source('session'),
  '@holdfast/testing': source('testing'),
  '@holdfast/uniapp/websocket': source('uniapp', 'websocket'),
  '@holdfast/uniapp': source('uniapp'),
  holdfast: source('holdfast', 'node'),
};
const realTime = '**/*.realtime.test.ts';

const withoutBrowser: TestProjectInlineConfiguration[] = [
  {
    plugins: [plantedFault()],
    resolve: { alias },
    test: {
      name: 'node',
      include: ['{packages,examples,tools}/*/test/**/*.test.ts', 'test/**/*.test.ts'],
      exclude: [realTime, ...NEEDS_BROWSER, ...NEEDS_SERVER],
      typecheck: {
        enabled: true,
        include: ['packages/*/test/**/*.test-d.ts'],
        tsconfig: './tsconfig.tests.json',
      },
      // Node 20 has WebSocket behind this flag; from 22 on it is there anyway and the flag is accepted.
      execArgv: ['--experimental-websocket'],
    },
  },
  {
    // Promises with a time in them, on real sockets: one after the other, when nothing else runs.
    resolve: { alias },
    test: { name: 'real-time', include: [realTime], fileParallelism: false, sequence: { groupOrder: 1 } },
  },
];

/** `--mode browsers` is real browsers alone: all three, and what takes minutes. */
export default defineConfig(({ mode }) => ({
  test: {
    projects:
      mode === 'browsers'
        ? browserProjects(alias, true)
        : [...withoutBrowser, ...serverProjects(alias), ...browserProjects(alias, false)],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**'],
      reporter: ['text-summary', 'json-summary'],
    },
  },
}));
