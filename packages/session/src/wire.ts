// What do the two halves of a session say to each other? PROTOCOL.md is this in words.
//
// Each name stands alone, so that a bundle holds only what its half needs: a client never decodes `open`, nor a server
// `ready`.

export { CLOSE, MAX_HOLDERS, MAX_SEQ, MAX_TAG, QUERY, SUBPROTOCOL, VERSION } from './frames.ts';
export type {
  AckFrame,
  EndFrame,
  Frame,
  FrameFromClient,
  FrameFromServer,
  HelloFrame,
  InvalidFrame,
  LostFrame,
  MessageFrame,
  OpenFrame,
  PingFrame,
  PongFrame,
  ReadyFrame,
  ResumeFrame,
  UnknownFrame,
  VolatileFrame,
} from './frames.ts';
export {
  END,
  encodeAck,
  encodeHello,
  encodeLost,
  encodeMessage,
  encodeOpen,
  encodePing,
  encodePong,
  encodeReady,
  encodeResume,
  encodeVolatile,
} from './encode.ts';
export { decodeFromClient, decodeFromServer } from './decode.ts';
