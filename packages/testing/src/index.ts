export { createFaultProxy, type Direction, type FaultProxy, type FaultProxyOptions } from './fault-proxy.ts';
export { createFaultServer, type FaultConnection, type FaultServer, type FaultServerOptions } from './fault-server.ts';
