// What is done inside an engine, and what is told outside?
//
// The last line that is printed is a `Report` as JSON; before it, the name of each scenario as it begins, so that one
// that never ends can be found.

import { liveRandomly } from '../../../packages/core/test/support/random-world.ts';
import { provideBuffer } from './buffer.ts';
import { SCENARIOS } from './scenarios.ts';
import { perform, type Uniapp } from './stage.ts';

export interface Report {
  readonly worlds: number;
  /** Promises of core that were not kept, with their seeds. */
  readonly violations: readonly string[];
  readonly scenarios: number;
  /** Promises of the adapter that were not kept. */
  readonly failures: readonly string[];
  /** A sum over all that happened in all worlds: engines that agree on the language agree on this. */
  readonly trace: number;
}

/** The bundle begins with these two. */
declare const HOLDFAST_WORLDS: number;
declare function loadUniapp(): Uniapp;
/** A shell's; Node has none. */
declare const print: ((line: string) => void) | undefined;

const say = (line: string): void => (typeof print === 'function' ? print(line) : console.log(line));

async function main(): Promise<void> {
  provideBuffer();
  const { violations, trace } = await liveWorlds(HOLDFAST_WORLDS);
  const failures: string[] = [];
  for (const scenario of SCENARIOS) {
    say(`scenario: ${scenario.name}`);
    const fault = await perform(scenario, loadUniapp);
    if (fault !== undefined) failures.push(`${scenario.name}: ${fault}`);
  }
  const report: Report = { worlds: HOLDFAST_WORLDS, violations, scenarios: SCENARIOS.length, failures, trace };
  say(JSON.stringify(report));
}

async function liveWorlds(worlds: number): Promise<Pick<Report, 'violations' | 'trace'>> {
  const violations: string[] = [];
  let trace = 0;
  for (let seed = 1; seed <= worlds; seed++) {
    const outcome = await liveRandomly(seed, (line) => {
      for (let i = 0; i < line.length; i++) trace = (Math.imul(trace, 31) + line.charCodeAt(i)) >>> 0;
    });
    outcome.violations.forEach((words) => violations.push(`seed ${seed}: ${words}`));
  }
  return { violations, trace };
}

main().then(undefined, (thrown: unknown) => say(`not finished: ${String(thrown)}`));
