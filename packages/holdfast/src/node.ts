// The same, for Node: `ws` instead of a WebSocket of the platform's.

import { connect as connectInNode } from '@holdfast/node';
import type * as holdfast from './index.ts';

/** As in every other runtime; see index.ts. */
export const connect: typeof holdfast.connect = connectInNode;

export * from '@holdfast/core';
