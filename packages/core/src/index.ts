// What does @holdfast/core give away?
export type {
  Adapter,
  Capabilities,
  CloseInfo,
  Hint,
  Socket,
  SocketEvents,
  SocketRequest,
} from './adapter.ts';
export { utf8Length, viewOf, type Binary, type Data } from './bytes.ts';
export { createClock, type Clock, type ClockParts } from './clock.ts';
export { isClosable, retryAfterReason, trimReason } from './close-codes.ts';
export {
  HoldfastError,
  StopReconnecting,
  isHoldfastError,
  type ErrorCode,
  type ErrorDetails,
} from './errors.ts';
