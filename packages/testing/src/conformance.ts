// Which laws does every adapter keep, in every runtime, over real sockets?
//
// Nothing here imports a test runner or a platform, so that the cases run wherever an adapter does. Whoever runs them
// starts the fault server, somewhere, and passes its addresses in.

import { clockCases } from './conformance/clock.ts';
import { closingCases } from './conformance/closing.ts';
import { messageCases } from './conformance/messages.ts';
import { openingCases } from './conformance/opening.ts';
import { silenceCases } from './conformance/silence.ts';
import type { ConformanceCase, Lack } from './conformance/stage.ts';

export type { ConformanceCase, ConformanceContext, Lack } from './conformance/stage.ts';

/**
 * The cases for a host that `lacks` nothing, or those that are left where it does. What an adapter's `capabilities` deny
 * need not be named again: such a case then proves that the denied thing is not there.
 */
export function conformanceCases(lacks: readonly Lack[] = []): readonly ConformanceCase[] {
  return [...openingCases, ...messageCases, ...closingCases, ...silenceCases, ...clockCases].filter(
    ({ needs }) => !needs.some((need) => lacks.includes(need)),
  );
}
