// Builds everything that is deployed: Lambda bundles and Greengrass components.
import { buildComponents } from './build-components.ts';
import { buildLambdas } from './build-lambdas.ts';

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`;

const lambdas = await buildLambdas();
for (const [name, bytes] of Object.entries(lambdas)) console.log(`lambda     ${name.padEnd(24)} ${kib(bytes)}`);
for (const { name, bytes } of await buildComponents()) console.log(`component  ${name.padEnd(24)} ${kib(bytes)}`);
