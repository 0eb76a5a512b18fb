import { connect } from 'holdfast';

const client = connect('/live'); // relative to the page, as ws: or wss:
const show = (text: string) => document.querySelector('#log')!.append(`${text}\n`);

client.on('open', ({ reconnected }) => show(reconnected ? 'open again' : 'open'));
client.on('message', (data) => show(`came back: ${String(data)}`));
client.on('close', ({ code, delay }) => show(`lost with ${code}, next dial in ${delay} ms`));

document.querySelector('form')!.addEventListener('submit', (event) => {
  event.preventDefault();
  show(String(client.send(document.querySelector('input')!.value))); // 'sent', 'queued' or false
});
