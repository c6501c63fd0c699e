import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadApiModel } from '../../shared/api-model.ts';
import { exitWithParent } from '../../shared/service.ts';
import { awsAdapters } from './aws-adapters.ts';
import { createControlPlane } from './server.ts';
import { openStore } from './store.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    state: { type: 'string' },
    aws: { type: 'string' },
    'python-home': { type: 'string' },
    account: { type: 'string', default: '000000000000' },
    region: { type: 'string', default: 'us-east-1' },
    'stay-alone': { type: 'boolean', default: false },
  },
});
const required = (name: 'port' | 'state' | 'aws' | 'python-home'): string => {
  const value = values[name];
  if (value !== undefined) return value;
  console.error('Needs --port N --state DIR --aws URL --python-home VENV [--account ID] [--region R] [--stay-alone].');
  process.exit(2);
};

const state = join(required('state'), 'greengrass');
mkdirSync(state, { recursive: true });
const store = openStore(join(state, 'control-plane.sqlite'));
const server = createControlPlane({
  model: loadApiModel(required('python-home'), 'greengrassv2'),
  store,
  ...awsAdapters(required('aws'), values.region),
  account: values.account,
  region: values.region,
  log: (line) => console.error(line),
});
const close = (): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => {
      store.close();
      resolve();
    });
    // Devices hold long polls open; they ask again elsewhere or later.
    server.closeAllConnections();
  });
process.once('SIGTERM', () => close().then(() => process.exit(0)));
process.once('SIGINT', () => close().then(() => process.exit(0)));
if (!values['stay-alone']) exitWithParent(close);
server.listen(Number(required('port')), '127.0.0.1', () => {
  console.log(`Greengrass control plane at http://127.0.0.1:${required('port')}`);
});
