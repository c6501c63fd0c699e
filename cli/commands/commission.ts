import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateDeploymentCommand, GetDeploymentCommand, ListDeploymentsCommand } from '@aws-sdk/client-greengrassv2';
import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreateThingCommand,
  ListThingPrincipalsCommand,
} from '@aws-sdk/client-iot';
import { GetPublicKeyCommand, ListAliasesCommand } from '@aws-sdk/client-kms';
import { z } from 'zod';
import { type ConnectorIntake, ConnectorMachines } from '#core/contracts/device.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { componentName, modelComponentName, ringGroupName, thingName } from '#core/contracts/release.ts';
import type { ModelLineRecord } from '#core/contracts/retrain.ts';
import { UseCase } from '#core/contracts/use-case.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { type Composition, composeDeployment, type PlacedComponent } from '#core/policy/compose-deployment.ts';
import { CliError, EXIT } from '../errors.ts';
import { oneModelLine } from '../find.ts';
import { answer, type Output, paint, say, table } from '../output.ts';
import type { World } from '../world.ts';
import { newestVersion } from './publish.ts';

export const CODE_COMPONENTS = ['connector-jsonl', 'runtime', 'uplink'] as const;

/** One device to commission and the machines it is wired to. */
export const DevicePlan = z.strictObject({
  device: z.string().regex(/^[a-z0-9-]+$/),
  ring: z.int().nonnegative(),
  deviceClass: z.string().regex(/^[a-z0-9-]+$/),
  machines: z.array(z.strictObject({ asset: z.string(), host: z.string(), port: z.int().positive() })).default([]),
});
export type DevicePlan = z.infer<typeof DevicePlan>;
export const CommissionPlan = z.strictObject({
  devices: z.array(DevicePlan).min(1),
  observations: z.boolean().optional().describe('send each single value to the lake, beside the frames made of them'),
});
export type CommissionPlan = z.infer<typeof CommissionPlan>;

export interface CommissionOptions {
  readonly plan: CommissionPlan;
  readonly modelLine?: string;
  /** Folder for keys and certificates, one folder a device; private keys never leave it. */
  readonly out: string;
  /** Fetches the CA that devices trust, as PEM. */
  readonly fetchText: (url: string) => Promise<string>;
}

const AWS_CA = 'https://www.amazontrust.com/repository/AmazonRootCA1.pem';

interface Credentials {
  readonly thing: string;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly made: boolean;
}

const ignoring = async (names: readonly string[], action: Promise<unknown>): Promise<void> => {
  try {
    await action;
  } catch (error) {
    if (!names.includes((error as Error).name)) throw error;
  }
};

const registerDevice = async (world: World, options: CommissionOptions, plan: DevicePlan): Promise<Credentials> => {
  const thing = thingName(world.config.stage, world.site, plan.device);
  const group = ringGroupName(world.config.stage, world.site, plan.deviceClass, plan.ring);
  const folder = join(options.out, plan.device);
  const files = {
    cert: join(folder, 'device.pem.crt'),
    key: join(folder, 'private.pem.key'),
    ca: join(folder, 'ca.pem'),
    arn: join(folder, 'certificate.arn'),
  };
  await ignoring(
    ['ResourceAlreadyExistsException'],
    world.iot.send(
      new CreateThingCommand({
        thingName: thing,
        attributePayload: { attributes: { site: world.site, device: plan.device, deviceClass: plan.deviceClass } },
      }),
    ),
  );
  const { principals = [] } = await world.iot.send(new ListThingPrincipalsCommand({ thingName: thing }));
  const known = existsSync(files.arn) && existsSync(files.key) ? readFileSync(files.arn, 'utf8') : null;
  const made = known === null || !principals.includes(known);
  if (made) {
    const created = await world.iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(files.cert, created.certificatePem ?? '');
    writeFileSync(files.key, created.keyPair?.PrivateKey ?? '', { mode: 0o600 });
    await world.iot.send(
      new AttachPolicyCommand({ policyName: world.names.devicePolicy, target: created.certificateArn as string }),
    );
    await world.iot.send(
      new AttachThingPrincipalCommand({ thingName: thing, principal: created.certificateArn as string }),
    );
    // Last: only a device whose certificate is attached counts as commissioned.
    writeFileSync(files.arn, created.certificateArn ?? '');
  }
  writeFileSync(
    files.ca,
    await options.fetchText(world.plant === null ? AWS_CA : `${world.plant.endpoints.aws}/_ministack/iot/ca.pem`),
  );
  await world.iot.send(new AddThingToThingGroupCommand({ thingName: thing, thingGroupName: group }));
  return { thing, cert: files.cert, key: files.key, ca: files.ca, made };
};

/** Public halves of the keys that sign packages, by key id, as PEM. */
export const trustedKeys = async (world: World): Promise<Record<string, string>> => {
  const alias = world.names.signingKeyAlias;
  let keyId: string | undefined;
  for (let marker: string | undefined; keyId === undefined; ) {
    const page = await world.kms.send(new ListAliasesCommand(marker === undefined ? {} : { Marker: marker }));
    keyId = page.Aliases?.find((a) => a.AliasName === alias)?.TargetKeyId;
    marker = page.NextMarker;
    if (marker === undefined) break;
  }
  if (keyId === undefined)
    throw new CliError(
      `the key ${alias} is not there`,
      'deploy the Training stack first: "npx cdk deploy --all"',
      EXIT.notFound,
    );
  const { PublicKey, KeyId } = await world.kms.send(new GetPublicKeyCommand({ KeyId: keyId }));
  const pem = `-----BEGIN PUBLIC KEY-----\n${(
    Buffer.from(PublicKey ?? [])
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  ).join('\n')}\n-----END PUBLIC KEY-----\n`;
  // A signature names its key by id or by ARN, as the service chose to answer.
  return { [keyId]: pem, [KeyId ?? keyId]: pem };
};

const currentComposition = async (world: World, targetArn: string): Promise<Composition> => {
  const { deployments } = await world.greengrass.send(
    new ListDeploymentsCommand({ targetArn, historyFilter: 'LATEST_ONLY' }),
  );
  const id = deployments?.[0]?.deploymentId;
  if (id === undefined) return {};
  const { components } = await world.greengrass.send(new GetDeploymentCommand({ deploymentId: id }));
  return (components ?? {}) as Composition;
};

/** The machines of each device as JSON: those of devices that are not `wanted` stay wired as they are. */
const mergedMachines = (before: unknown, wanted: unknown): string => {
  const parse = (text: unknown) => parseAs(ConnectorMachines, JSON.parse(String(text)), 'machines of the deployment');
  return JSON.stringify({ ...parse(before), ...parse(wanted) });
};

/**
 * What a ring's deployment becomes: the code components with their configuration, machines added to those of the
 * devices in the ring already, and the weights of this model line: those it has, else the line's champion. Weights of another line go: the runtime of a device serves one line.
 */
export const ringComposition = (
  current: Composition,
  code: Composition,
  line: Pick<ModelLineRecord, 'modelLine' | 'champion'>,
): Composition => {
  const weights = modelComponentName(line.modelLine);
  const kept = Object.entries(current).filter(
    ([name]) => name === weights || !(name.startsWith(`${componentName('model')}.`) || name in code),
  );
  const merged = Object.entries(code).map(([name, placed]): [string, PlacedComponent] => {
    const before = JSON.parse(current[name]?.configurationUpdate?.merge ?? '{}') as Record<string, unknown>;
    const wanted = JSON.parse(placed.configurationUpdate?.merge ?? '{}') as Record<string, unknown>;
    const both = 'machines' in before && 'machines' in wanted;
    const machines = both ? { machines: mergedMachines(before['machines'], wanted['machines']) } : {};
    return [name, { ...placed, configurationUpdate: { merge: JSON.stringify({ ...before, ...wanted, ...machines }) } }];
  });
  const composition = Object.fromEntries([...kept, ...merged]);
  if (line.champion === null || weights in composition) return composition;
  const { packageDigest, releaseNumber } = line.champion;
  return composeDeployment(
    composition,
    {
      name: weights,
      version: `1.0.${releaseNumber}`,
      configuration: { packageDigest, modelLine: line.modelLine },
    },
    // A device that served this line before has seen its number: the champion is where it may go back to.
    packageDigest,
  );
};

const deployRing = async (
  world: World,
  group: string,
  code: Composition,
  line: ModelLineRecord,
): Promise<{ group: string; deploymentId: string | null; status: 'deployed' | 'unchanged' }> => {
  const { region, account } = world.config.planes.plant;
  const targetArn = `arn:aws:iot:${region}:${account}:thinggroup/${group}`;
  const current = await currentComposition(world, targetArn);
  const components = ringComposition(current, code, line);
  const plain = (c: Composition) =>
    digestOf(
      Object.fromEntries(
        Object.entries(c).map(([name, p]) => [
          name,
          [p.componentVersion, JSON.parse(p.configurationUpdate?.merge ?? '{}')],
        ]),
      ),
    );
  if (plain(current) === plain(components)) return { group, deploymentId: null, status: 'unchanged' };
  const { deploymentId } = await world.greengrass.send(
    new CreateDeploymentCommand({
      targetArn,
      deploymentName: `${group} code`,
      components: components as never,
      clientToken: createHash('sha256')
        .update(`${targetArn} ${plain(current)} ${plain(components)}`)
        .digest('hex'),
    }),
  );
  return { group, deploymentId: deploymentId ?? null, status: 'deployed' };
};

/** What the connectors check by, and make frames by: the signals of the line's use case. */
const intakeOf = async (world: World, { modelLine, useCaseDigest }: ModelLineRecord): Promise<ConnectorIntake> => {
  const record = await world.registry.latest('use-case', useCaseDigest);
  if (record === null)
    throw new CliError(
      `the registry has no use case ${useCaseDigest} of ${modelLine}`,
      'run "millwright publish" again',
      EXIT.notFound,
    );
  const { signals, framing } = parseAs(UseCase, record.body, `use case ${useCaseDigest} of ${modelLine}`);
  return { signals, ...(framing === undefined ? {} : { framing }) };
};

/**
 * Makes devices part of a site: thing, certificate, policy, ring group, and the deployment of the code components to
 * each ring. Running it again changes only what differs.
 */
export const commission = async (world: World, out: Output, options: CommissionOptions): Promise<void> => {
  const { plan } = options;
  const line = await oneModelLine(world, options.modelLine);
  const versions = await Promise.all(CODE_COMPONENTS.map((c) => newestVersion(world, componentName(c))));
  const absent = CODE_COMPONENTS.filter((_, i) => versions[i] === null);
  if (absent.length > 0)
    throw new CliError(
      `components are not published: ${absent.map(componentName).join(', ')}`,
      'run "millwright publish" first',
      EXIT.notFound,
    );
  const keys = await trustedKeys(world);
  const intake = JSON.stringify(await intakeOf(world, line));
  const devices: (DevicePlan & Credentials)[] = [];
  for (const device of plan.devices) devices.push({ ...device, ...(await registerDevice(world, options, device)) });
  const machines = JSON.stringify(Object.fromEntries(plan.devices.map((d) => [d.device, d.machines])));
  const rings = new Map(
    plan.devices.map((d) => [ringGroupName(world.config.stage, world.site, d.deviceClass, d.ring), d]),
  );
  const deployments: Awaited<ReturnType<typeof deployRing>>[] = [];
  for (const [group, { deviceClass }] of rings) {
    const common = { stage: world.config.stage, site: world.site };
    const configuration: Record<(typeof CODE_COMPONENTS)[number], Record<string, unknown>> = {
      'connector-jsonl': { ...common, machines, intake, observations: String(plan.observations === true) },
      runtime: { ...common, deviceClass, modelLine: line.modelLine, trustedKeys: keys },
      uplink: { ...common, lakeBucket: world.names.lakeBucket },
    };
    const code = Object.fromEntries(
      CODE_COMPONENTS.map((c, i) => [
        componentName(c),
        {
          componentVersion: versions[i] as string,
          configurationUpdate: { merge: JSON.stringify(configuration[c]) },
        },
      ]),
    );
    deployments.push(await deployRing(world, group, code, line));
  }
  answer(out, { devices, deployments }, () => {
    table(
      out,
      devices,
      [
        { title: 'DEVICE', of: (d) => d.device },
        { title: 'THING', of: (d) => d.thing },
        { title: 'RING', of: (d) => String(d.ring), align: 'right' },
        { title: 'CERTIFICATE', of: (d) => (d.made ? 'made' : 'kept') },
        { title: 'IN', of: (d) => d.cert },
      ],
      '',
    );
    for (const d of deployments)
      say(out, `ring ${d.group}: ${paint(out, d.status === 'deployed' ? 'green' : 'dim', d.status)}`);
  });
};

/** A plan from the text of a file. @throws {ContractError} naming what is wrong in it. */
export const parsePlan = (text: string, what: string): CommissionPlan => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CliError(
      `${what} is not JSON: ${(error as Error).message}`,
      'see "millwright commission --help" for the shape',
      EXIT.usage,
    );
  }
  return parseAs(CommissionPlan, json, what);
};
