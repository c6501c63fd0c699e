// A component's side of IPC with the official SDK: one JSON command a line on stdin, one JSON answer a line on stdout.
import { createInterface } from 'node:readline';
import { greengrasscoreipc } from 'aws-iot-device-sdk-v2';

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const client = greengrasscoreipc.createClient();
client.on('disconnection', () => print({ disconnected: true }));
try {
  await client.connect();
} catch (error) {
  print({ connected: false, error: String(error.description ?? error.message) });
  process.exit(7);
}
print({ connected: true });

const text = (payload) => (payload === undefined ? undefined : Buffer.from(payload).toString('utf8'));
const readable = (event) => {
  if (event.message?.payload !== undefined)
    return { message: { ...event.message, payload: text(event.message.payload) } };
  if (event.binaryMessage !== undefined)
    return { binaryMessage: { ...event.binaryMessage, message: text(event.binaryMessage.message) } };
  return event;
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, operation, request, subscribe } = JSON.parse(line);
  if (request.timestamp !== undefined) request.timestamp = new Date(request.timestamp);
  try {
    if (subscribe === true) {
      const stream = client[operation](request);
      stream.on('message', (event) => print({ id, event: readable(event) }));
      const answer = await stream.activate();
      print({ id, answer });
    } else {
      print({ id, answer: await client[operation](request) });
    }
  } catch (error) {
    print({ id, error: error.serviceError?._errorCode ?? String(error.message), service: error.serviceError ?? null });
  }
}
process.exit(0);
