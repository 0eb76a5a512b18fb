// Which tests run in which real browser?

import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import { CHROMIUM_FLAGS, chooseBrowsers, needBrowser } from './find.ts';
import { firefox } from './firefox.ts';
import { webkit } from './webkit.ts';

const PAGES = 'packages/browser/test/browser/**/*.browser.test.ts';
const PAGE_LIFE = 'packages/browser/test/page-life/**/*.test.ts';
const MINUTES = 'packages/browser/test/page-life/**/*.minutes.test.ts';
const EXAMPLES = 'examples/*/test/**/*.chromium.test.ts';

/** For the projects that run without a browser. */
export const NEEDS_BROWSER: readonly string[] = [PAGES, PAGE_LIFE, EXAMPLES];

const PROVIDERS = {
  chromium: () => playwright({ launchOptions: { executablePath: needBrowser('chromium'), args: [...CHROMIUM_FLAGS] } }),
  firefox,
  webkit,
};

/**
 * The project `browser` for the first browser and `browser-…` for each other, and two which drive Chromium from outside:
 * `page-life`, and `pages` for the examples that one looks at.
 * `everything` is all three browsers, all of them needed, and the tests that take minutes.
 */
export function browserProjects(
  alias: Readonly<Record<string, string>>,
  everything: boolean,
): TestProjectInlineConfiguration[] {
  const browsers = chooseBrowsers(everything ? ['chromium', 'firefox', 'webkit'] : undefined);
  // one project for each, since all instances of a project have one provider; one after the other
  const pages = browsers.map((browser, i): TestProjectInlineConfiguration => ({
    resolve: { alias },
    optimizeDeps: { include: ['eventemitter3'] }, // one that is found only on the way reloads the page under the tests
    test: {
      name: i === 0 ? 'browser' : `browser-${browser}`,
      include: [PAGES],
      globalSetup: [fileURLToPath(new URL('../../packages/browser/test/browser/global-setup.ts', import.meta.url))],
      sequence: { groupOrder: 2 + i },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: PROVIDERS[browser](),
        instances: [{ browser }],
      },
    },
  }));
  if (!browsers.includes('chromium')) return pages;
  const pageLife: TestProjectInlineConfiguration = {
    resolve: { alias },
    test: {
      name: 'page-life',
      include: [PAGE_LIFE],
      exclude: everything ? [] : [MINUTES],
      testTimeout: 30_000,
      hookTimeout: 30_000,
      // promises with a time in them: one after the other, when nothing else runs
      fileParallelism: false,
      sequence: { groupOrder: 5 },
    },
  };
  const examples: TestProjectInlineConfiguration = {
    resolve: { alias },
    test: { name: 'pages', include: [EXAMPLES], fileParallelism: false, sequence: { groupOrder: 6 } },
  };
  return everything ? [...pages, pageLife] : [...pages, pageLife, examples];
}
