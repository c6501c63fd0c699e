import { PlaneName } from '#core/contracts/deployment-config.ts';
import { HealthWatch } from '#core/contracts/health.ts';
import { platformNames } from '#core/contracts/names.ts';
import { configOf, resourcesOf, synthesise } from './synth.ts';

const aws = configOf('example-four-accounts');
const local = configOf('local');
const names = platformNames(aws);

interface Shown {
  readonly name: string;
  readonly stack: string;
  /** Body of the dashboard, with what the template fills in as `<…>`. */
  readonly body: { readonly widgets: readonly { readonly properties: Record<string, unknown> }[] };
}

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  const join = (value as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join'];
  return join === undefined ? '<token>' : join[1].map(textOf).join(join[0]);
};
const dashboards = (): Shown[] =>
  resourcesOf(synthesise(aws), 'AWS::CloudWatch::Dashboard').map((d) => ({
    name: String(d.Properties['DashboardName']),
    stack: d.stack,
    body: JSON.parse(textOf(d.Properties['DashboardBody'])),
  }));
/** Metrics of a dashboard: namespace, name, then pairs of dimension and value, then how it is drawn. */
const metricsOf = ({ body }: Shown): string[][] =>
  body.widgets.flatMap((w) => (w.properties['metrics'] ?? []) as unknown[][]).map((m) => m.slice(0, 4).map(String));

const DIMENSIONS = ['FunctionName', 'QueueName', 'StateMachineArn', 'ApiId', 'Plane'];

describe('dashboards', () => {
  it('are one for each plane, in the last of its stacks', () => {
    expect(dashboards().map((d) => [d.name, d.stack])).toEqual([
      [`${names.prefix}-governance`, 'Ledger'],
      [`${names.prefix}-data`, 'Ingest'],
      [`${names.prefix}-plant`, 'Fleet'],
      [`${names.prefix}-ml`, 'Monitoring'],
      [`${names.prefix}-access`, 'Access'],
    ]);
    expect(dashboards()).toHaveLength(PlaneName.options.length);
  });

  it('show every function, queue and workflow of their plane', () => {
    const shown = new Set(
      dashboards()
        .flatMap(metricsOf)
        .map((m) => m[3]?.split(':').at(-1)),
    );
    const made = [
      ['AWS::Lambda::Function', 'FunctionName'],
      ['AWS::SQS::Queue', 'QueueName'],
      ['AWS::StepFunctions::StateMachine', 'StateMachineName'],
    ].flatMap(([type, property]) =>
      resourcesOf(synthesise(aws), type as string).map((r) => r.Properties[property as string]),
    );
    expect(made.length).toBeGreaterThan(40);
    // Functions of CDK itself, which empty buckets and the like, have no name.
    expect(made.filter((name) => name !== undefined && !shown.has(String(name)))).toEqual([]);
  });

  it('draw the health of the planes that measure it', () => {
    const health = dashboards()
      .flatMap(metricsOf)
      .filter((m) => m[0] === `${names.prefix}/health`);
    expect(new Set(health.map((m) => m[3]))).toEqual(new Set(['governance', 'ml', 'plant']));
    expect(new Set(health.map((m) => m[1]))).toContain('SilentDevices');
  });
});

describe('alarms and dashboards', () => {
  it('know no model line, no site and no device: their number does not grow with those', () => {
    const dimensions = [
      ...dashboards()
        .flatMap(metricsOf)
        .map((m) => m[2]),
      ...resourcesOf(synthesise(aws), 'AWS::CloudWatch::Alarm').flatMap((a) =>
        ((a.Properties['Dimensions'] ?? []) as { Name: string }[]).map((d) => d.Name),
      ),
    ].filter((name) => name !== undefined);
    expect(dimensions.filter((name) => !DIMENSIONS.includes(name))).toEqual([]);
    const [site] = aws.sites;
    const sites = ['north', 'south', 'west'].map((id) => ({ ...(site as (typeof aws.sites)[number]), id }));
    const alarms = (config: typeof aws) => resourcesOf(synthesise(config), 'AWS::CloudWatch::Alarm').length;
    expect(alarms({ ...aws, sites })).toBe(alarms(aws));
  });
});

describe('the health of the platform', () => {
  const alarmNames = (config: typeof aws): unknown[] =>
    resourcesOf(synthesise(config), 'AWS::CloudWatch::Alarm').map((a) => a.Properties['AlarmName']);

  it('has alarms on silent devices, stuck workflows, late checkpoints, throttles and its own measuring', () => {
    for (const name of [
      'silentdevices-plant',
      'stuckexecutions-plant',
      'stuckexecutions-ml',
      'latecheckpoints-governance',
      'throttled',
      ...['governance', 'ml', 'plant'].map((plane) => `platform-health-${plane}-errors`),
    ])
      expect(alarmNames(aws)).toContain(`${names.prefix}-${name}`);
  });

  it('has alarms whose names differ where all planes share an account', () => {
    expect(new Set(alarmNames(local)).size).toBe(alarmNames(local).length);
    expect(alarmNames(local).filter((n) => String(n).endsWith('-throttled'))).toHaveLength(1);
  });

  it('is measured by functions that are told what to look at, by the config of the stage', () => {
    const watches = resourcesOf(
      synthesise({ ...aws, health: { ...aws.health, waveHours: 3 } }),
      'AWS::Lambda::Function',
    )
      .map((f) => (f.Properties['Environment'] as { Variables: Record<string, unknown> }).Variables['MILLWRIGHT_WATCH'])
      .filter((watch) => watch !== undefined)
      .map((watch) => HealthWatch.parse(JSON.parse(textOf(watch))));
    expect(watches).toMatchObject([
      { plane: 'governance', workflows: [], silentMinutes: null, checkpointMinutes: 150 },
      { plane: 'ml', workflows: [{ arn: names.retrain.arn, allowedMinutes: 600 }], silentMinutes: null },
      {
        plane: 'plant',
        workflows: [{ arn: names.release.arn }, { arn: names.wave.arn, allowedMinutes: 180 }],
        silentMinutes: 30,
        checkpointMinutes: null,
      },
    ]);
  });
});
