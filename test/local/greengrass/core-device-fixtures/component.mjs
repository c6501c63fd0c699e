// A component with the official SDKs: reads an object with the device's role, tells it over AWS IoT, then ticks.
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { greengrasscoreipc } from 'aws-iot-device-sdk-v2';

const ipc = greengrasscoreipc.createClient();
ipc.on('disconnection', () => process.exit(9));
await ipc.connect();
const { value } = await ipc.getConfiguration({ keyPath: [] });
const s3 = new S3Client({ maxAttempts: 1 });
const object = await s3.send(new GetObjectCommand({ Bucket: value.bucket, Key: 'allowed/data.txt' }));
const text = await object.Body.transformToString();
const publish = (message) => ipc.publishToIoTCore({ topicName: 'plant/a', qos: '1', payload: message });
for (;;) {
  try {
    await publish(`read: ${text}`);
    break;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
await ipc.updateState({ state: 'RUNNING' });
for (;;) {
  await new Promise((resolve) => setTimeout(resolve, 200));
  // The way out is cut for components too, which is how this one sees that the device is offline.
  const online = await s3
    .send(new GetObjectCommand({ Bucket: value.bucket, Key: 'allowed/data.txt' }))
    .then((answer) => answer.Body.transformToString())
    .then(() => true)
    .catch(() => false);
  try {
    await publish(online ? 'tick' : 'tick offline');
    if (!online) console.log('tick accepted offline');
  } catch (error) {
    if (!online) console.log(`tick refused offline: ${error.serviceError?._errorCode}`);
  }
}
