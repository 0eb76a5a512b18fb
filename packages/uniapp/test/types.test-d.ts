// Do the functions of the hosts fit as they are typed?

import { describe, expectTypeOf, it } from 'vitest';
import type { ConnectSocket } from '@holdfast/uniapp';

type Listener<Result> = (listener: (result: Result) => void) => void;

/** uni-app's and WeChat's: `send` and `close` need their argument, results are typed. */
interface UniTask {
  send(options: { data: string | ArrayBuffer; success?: (result: { errMsg: string }) => void }): void;
  close(options: { code?: number; reason?: string }): void;
  onOpen: Listener<{ header?: Record<string, string> }>;
  onMessage: Listener<{ data: string | ArrayBuffer }>;
  onError: Listener<{ errMsg: string }>;
  onClose: Listener<{ code: number; reason: string }>;
}
/** Alipay's: binary goes as a string, and what is called returns promises. */
interface AlipayTask {
  send(options: { data: string; isBuffer?: boolean }): Promise<{ success: boolean }>;
  close(options?: { code?: number }): Promise<unknown>;
  onOpen(listener: (result: { data: { socketTaskID: string } }) => void): void;
  onMessage(listener: (result: { data: { data: string; isBuffer: boolean } }) => void): void;
  onError(listener: (result: unknown) => void): void;
  onClose(listener: (result: { data: unknown }) => void): void;
}
interface Options {
  url: string;
  header?: Record<string, unknown>;
  protocols?: string[];
  success?: (result: { errMsg: string }) => void;
}

describe('connectSocket', () => {
  it("takes the hosts' own functions", () => {
    expectTypeOf<(options: Options) => UniTask>().toExtend<ConnectSocket>();
    expectTypeOf<(options: Options & { multiple?: boolean }) => AlipayTask>().toExtend<ConnectSocket>();
    expectTypeOf<(options: Options) => Promise<UniTask>>().toExtend<ConnectSocket>();
    expectTypeOf<(options: Options) => void>().toExtend<ConnectSocket>();
  });

  it('takes no object, such as uni', () => {
    expectTypeOf<{ connectSocket(options: Options): UniTask }>().not.toExtend<ConnectSocket>();
  });
});
