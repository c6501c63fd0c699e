import { parseArgs } from 'node:util';
import { AdoptAnswer } from '#core/contracts/device.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { ConnectionLost, LineClient, runtimeSocketPath } from '../shared/line-socket.ts';

// Runs as the startup of a weights component: exit code 0 only when the runtime serves the package.
const { values } = parseArgs({
  options: { 'state-dir': { type: 'string' }, package: { type: 'string' }, digest: { type: 'string' } },
});
const { 'state-dir': stateDir, package: dir, digest } = values;
if (stateDir === undefined || dir === undefined || digest === undefined) {
  console.error('usage: adopt.mjs --state-dir DIR --package DIR --digest sha256:…');
  process.exit(2);
}

/** The nucleus gives a startup 110 s. */
const deadline = Date.now() + 100_000;
const client = new LineClient(runtimeSocketPath(stateDir));
for (;;) {
  try {
    const left = Math.max(1000, deadline - Date.now());
    const answer = parseAs(
      AdoptAnswer,
      await client.request({ op: 'adopt', package: dir, digest }, left),
      'adopt answer',
    );
    console.log(JSON.stringify(answer));
    process.exit(answer.adopted ? 0 : 1);
  } catch (error) {
    if (error instanceof ConnectionLost && Date.now() < deadline - 1000) {
      // The runtime starts in parallel, or starts again.
      await new Promise((resolve) => setTimeout(resolve, 500));
      continue;
    }
    console.error(`the runtime did not adopt the package: ${(error as Error).message}`);
    process.exit(1);
  }
}
