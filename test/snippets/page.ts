import { connect } from 'holdfast'; // the page's WebSocket here, ws in Node

const client = connect('/live'); // relative to the page, as ws: or wss:
client.on('status', (status) => (document.title = status)); // 'open', 'reconnecting' …
client.on('message', (data) => document.body.append(`${String(data)}\n`));
client.on('drop', ({ data, reason }) => console.warn(`will not arrive: ${String(data)}, ${reason}`));

addEventListener('click', () => client.send('click')); // 'sent', 'queued' while away, or false
await client.opened();
client.send('hello');
