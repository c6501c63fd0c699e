import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterDeploy, settingsOf, type Template } from '../aws/after-deploy.ts';
import { LOCAL_CREDENTIALS } from '../aws/start-aws.ts';
import { BUNDLE_SOURCES, BUNDLE_STAMP, fingerprint, isStamped, stamp } from './fingerprint.ts';
import { REGION } from './plant.ts';
import { runCommand } from './run-command.ts';
import type { Teller } from './teller.ts';

interface Where {
  readonly root: string;
  readonly stateDir: string;
  readonly signal: AbortSignal;
  readonly teller: Teller;
}

const STACK_INPUTS = ['bin', 'lib', 'core/contracts', 'config', 'cdk.json', 'package-lock.json', '.build/lambdas'];

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const sizeOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).reduce(
    (sum, f) => (f.isFile() ? sum + readFileSync(join(f.parentPath, f.name)).byteLength : sum),
    0,
  );

/** Bundles of Lambdas and components, built when a source changed. */
export const buildBundles = async ({ root, stateDir, signal }: Where): Promise<string> => {
  const print = fingerprint(root, BUNDLE_SOURCES);
  const file = join(root, BUNDLE_STAMP);
  const lambdas = join(root, '.build', 'lambdas');
  const components = join(root, '.build', 'components');
  const unchanged = isStamped(file, print) && existsSync(lambdas) && existsSync(components);
  if (!unchanged) {
    await runCommand({
      name: 'build',
      command: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', join(root, 'scripts', 'build.ts')],
      cwd: root,
      stateDir,
      signal,
      advice: 'mend the source that the bundler names, then start again',
    });
  }
  const count = (folder: string): number =>
    readdirSync(folder, { withFileTypes: true }).filter((f) => f.isDirectory()).length;
  return `${count(lambdas)} functions ${mib(sizeOf(lambdas))}, ${count(components)} components ${mib(sizeOf(components))}${unchanged ? ', unchanged' : ''}`;
};

/** All stacks to the local AWS; nothing is done when neither templates nor bundles changed since the last time. */
export const deployStacks = async (where: Where, awsUrl: string): Promise<string> => {
  const { root, stateDir, signal, teller } = where;
  const print = fingerprint(root, STACK_INPUTS);
  const file = join(stateDir, 'deployed.stamp');
  const out = join(stateDir, 'cdk.out');
  if (isStamped(file, print)) return 'no changes';
  rmSync(file, { force: true });
  const env = {
    ...process.env,
    AWS_ENDPOINT_URL: awsUrl,
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    CDK_DEFAULT_REGION: REGION,
    CDK_DEFAULT_ACCOUNT: '000000000000',
    // An AWS profile of this machine's owner has no business here.
    AWS_PROFILE: undefined,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_VALIDATION: 'false',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    NO_COLOR: '1',
    PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH']}`,
  };
  const cdk = (name: string, cwd: string, args: readonly string[], onLine?: (line: string) => void) =>
    runCommand({
      name,
      command: process.execPath,
      args: [join(root, 'node_modules', 'aws-cdk', 'bin', 'cdk'), ...args, '--no-notices', '--no-version-reporting'],
      cwd,
      env,
      stateDir,
      signal,
      ...(onLine ? { onLine } : {}),
      advice: 'read the log: it names the resource; mend it, then start again',
    });
  const timed = async (name: string, action: Promise<unknown>): Promise<void> => {
    const from = performance.now();
    await action;
    teller.part(name, performance.now() - from);
  };
  teller.progress('cdk bootstrap and synth');
  const app = [
    '--app',
    `"${process.execPath}" --disable-warning=ExperimentalWarning bin/app.ts`,
    '--context',
    'stage=local',
  ];
  // Not in the root: there cdk would run the app first.
  await timed('cdk bootstrap', cdk('cdk-bootstrap', stateDir, ['bootstrap', `aws://000000000000/${REGION}`]));
  await timed('cdk synth', cdk('cdk-synth', root, ['synth', '--quiet', '--output', out, ...app]));
  let done = 0;
  await timed(
    'cdk deploy',
    cdk(
      'cdk-deploy',
      root,
      ['deploy', '--all', '--app', out, '--require-approval', 'never', '--method', 'direct', '--progress', 'events'],
      (line) => {
        if (/^\s*✅/.test(line)) done++;
        const resource = /\|\s+(CREATE|UPDATE)_\w+\s+\|\s+(\S+)\s+\|\s+(.+)$/.exec(line);
        if (resource !== null) teller.progress(`deploying, ${done} stacks done: ${resource[3]}`);
      },
    ),
  );
  const templates = readdirSync(out)
    .filter((f) => f.endsWith('.template.json'))
    .map((f) => JSON.parse(readFileSync(join(out, f), 'utf8')) as Template);
  await afterDeploy(awsUrl, settingsOf(templates), REGION);
  stamp(file, print);
  const resources = templates.reduce((sum, t) => sum + Object.keys(t.Resources ?? {}).length, 0);
  return `${templates.length} stacks, ${resources} resources`;
};
