// Which promises of the uni-app adapter are kept in every engine?

import { DIALLING } from './scenarios/dialling.ts';
import { ENDING } from './scenarios/ending.ts';
import { HOST } from './scenarios/host.ts';
import { MESSAGES } from './scenarios/messages.ts';
import type { Scenario } from './stage.ts';

export const SCENARIOS: readonly Scenario[] = [...DIALLING, ...ENDING, ...MESSAGES, ...HOST];
