import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import { loadConfig } from '../lib/config/load-config.ts';
import { MillwrightStage } from '../lib/stage.ts';

const app = new App();
const stage = app.node.tryGetContext('stage') ?? 'local';
new MillwrightStage(app, loadConfig(fileURLToPath(new URL('..', import.meta.url)), stage));
