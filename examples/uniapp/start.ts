// The chat in a browser, as uni-app builds it for production, with its server. `PORT` may be set in the environment.

import { filesOf } from '../../integrations/uniapp/src/pages.ts';
import { buildExample } from './build.ts';
import { startChat } from './chat-server.ts';

const chat = await startChat(filesOf(await buildExample('h5')), Number(process.env['PORT'] ?? 5180));
chat.say('Bob', 'Hello Ann. Stop my server, write something, and start it again.');
console.log(`open ${chat.url} in two tabs; Ctrl+C stops the server`);
