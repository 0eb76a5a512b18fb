// How does a chat stay alive, and how does each message know whether it has arrived?

import { reactive } from 'vue';
import { connect, json } from '@holdfast/uniapp';

/** What the page shows. */
export function createChat(url, token) {
  const chat = reactive({ status: 'connecting', name: '', problem: '', messages: [] });
  let lastId = 0;

  const client = connect(url, {
    codec: json(),
    // the list of messages is our queue: what has not come back is said again after each open
    queue: false,
    // runs on every new socket, before anything else goes out
    async handshake({ send, next }) {
      send(JSON.stringify({ type: 'login', token }));
      const { name, recent } = JSON.parse(await next());
      chat.name = name;
      recent.forEach(show);
    },
  });

  client.on('status', (status) => (chat.status = status));
  client.on('open', () => {
    chat.problem = '';
    chat.messages.filter(({ sent }) => !sent).forEach(hand);
  });
  client.on('message', show);
  client.on('close', ({ asked, code, cause }) => {
    if (!asked) chat.problem = explain(code, cause);
  });
  client.on('drop', () => {}); // it stays in the list, unsent

  function say(text) {
    lastId += 1;
    const message = { id: `${chat.name}-${Date.now()}-${lastId}`, name: chat.name, text, mine: true, sent: false };
    chat.messages.push(message);
    hand(message);
  }

  /** The server knows a message by its id, so saying it twice does no harm. */
  function hand({ id, text }) {
    client.send({ type: 'say', id, text }, { ifOpen: true });
  }

  /** Ours comes back like everybody's, and that is the proof that it was heard. */
  function show({ id, name, text }) {
    const known = chat.messages.find((message) => message.id === id);
    if (known) known.sent = true;
    else chat.messages.push({ id, name, text, mine: name === chat.name, sent: true });
  }

  return { chat, say, close: () => client.close() };
}

/** Words for what people meet first. */
function explain(code, cause) {
  const said = String((cause && cause.message) || '');
  if (/domain list/.test(said)) return 'WeChat does not know this host: add it to the socket domains (see config.js)';
  if (code === 4401) return 'the server does not know this token';
  return 'no connection, trying again';
}
