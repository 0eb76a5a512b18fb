export {
  createFakeHost,
  type FakeApi,
  type FakeCallbacks,
  type FakeCloseOptions,
  type FakeConnectOptions,
  type FakeHost,
  type FakeHostOptions,
  type FakeSendOptions,
  type FakeSocketTask,
  type FakeTask,
  type FakeTaskMode,
} from './fake-task.ts';
export { createFaultProxy, type Direction, type FaultProxy, type FaultProxyOptions } from './fault-proxy.ts';
export { createFaultServer, type FaultConnection, type FaultServer, type FaultServerOptions } from './fault-server.ts';
export { conformanceCases, type ConformanceCase, type ConformanceContext, type Lack } from './conformance.ts';
export { createRandom } from './random.ts';
export {
  createWorld,
  type Reception,
  type World,
  type WorldAdapterOptions,
  type WorldConnection,
  type WorldOptions,
  type WorldServer,
} from './world.ts';
