// Builds everything that is deployed: Lambda bundles and Greengrass components.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUNDLE_SOURCES, BUNDLE_STAMP, fingerprint, stamp } from '../local/start/fingerprint.ts';
import { buildComponents } from './build-components.ts';
import { buildLambdas } from './build-lambdas.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`;

// Taken before: a source that changes while this runs must be built again.
const print = fingerprint(ROOT, BUNDLE_SOURCES);
rmSync(join(ROOT, BUNDLE_STAMP), { force: true });
const lambdas = await buildLambdas();
for (const [name, bytes] of Object.entries(lambdas)) console.log(`lambda     ${name.padEnd(24)} ${kib(bytes)}`);
for (const { name, bytes } of await buildComponents()) console.log(`component  ${name.padEnd(24)} ${kib(bytes)}`);
stamp(join(ROOT, BUNDLE_STAMP), print);
