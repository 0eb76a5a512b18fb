// One HTTP server for the built app, the page without a bundler, and the WebSocket that both of them dial.

import { createServer as createHttpServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { createServer } from '@holdfast/server';
import sirv from 'sirv';

const folder = (name) => fileURLToPath(new URL(name, import.meta.url));
const app = sirv(folder('dist'), { dev: true });
const packages = sirv(folder('node_modules'), { dev: true });
const pages = sirv(folder('.'), { dev: true });

const http = createHttpServer((request, response) => {
  const notFound = () => response.writeHead(404).end();
  if (request.url === '/no-bundler.html') pages(request, response, notFound);
  else if (request.url.startsWith('/node_modules/')) {
    request.url = request.url.slice('/node_modules'.length);
    packages(request, response, notFound);
  } else app(request, response, notFound);
});

const server = createServer({ server: http, path: '/live', origins: ['http://localhost:*'] });
server.on('connection', (peer) => peer.on('message', (data) => peer.send(data)));

http.listen(Number(process.env.PORT ?? 8080), 'localhost', () => {
  const url = `http://localhost:${http.address().port}/`;
  console.log(`the Vite app          ${url}\nwithout a bundler     ${url}no-bundler.html`);
});
