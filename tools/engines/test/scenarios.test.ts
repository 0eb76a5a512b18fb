// Do the scenarios for the engines hold in Node too, and do they have every mode of the fake host?

import { describe, expect, it, vi } from 'vitest';
import { SCENARIOS } from '../inside/scenarios.ts';
import { perform } from '../inside/stage.ts';
import type { FakeTaskMode } from '@holdfast/testing';

/** Each of them; the compiler says so when one is added. */
const MODES: Readonly<Record<FakeTaskMode, true>> = {
  'returns-undefined': true,
  'returns-promise-of-task': true,
  'returns-promise-of-errMsg': true,
  rejects: true,
  throws: true,
  'sync-success': true,
  'success-then-fail': true,
  'fail-only': true,
  'error-only': true,
  'error-then-close': true,
  'late-open': true,
  'double-open': true,
  'close-noop-until-open': true,
  'close-never-answers': true,
  'silent-death': true,
  '1000-interrupted': true,
  '0-interrupted': true,
  'code-missing': true,
  'revived-old-socket': true,
  'double-fail-send': true,
  'fail-then-success-send': true,
  'no-complete-send': true,
  'alipay-envelope': true,
  'handlers-replace': true,
  'off-is-noop': true,
};

describe('what is played in every engine', () => {
  const used = new Set<FakeTaskMode>();
  const load = async () => {
    vi.resetModules();
    return await import('@holdfast/uniapp');
  };

  it.each(SCENARIOS)('$name', async (scenario) => {
    expect(await perform(scenario, load, (mode) => used.add(mode))).toBeUndefined();
  });

  it('has every mode of the fake host, and no promise twice', () => {
    expect([...used].toSorted()).toEqual(Object.keys(MODES).toSorted());
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
  });
});
