import { CliError } from '../../../cli/errors.ts';
import { artifactKeys } from '../../../core/contracts/lake.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { anAlert } from '../../support/alerts.ts';
import { baseline, manifest } from './a-package.ts';
import { digest, fakeWorld, memoryRegistry, runWith } from './fakes.ts';

const LINE = 'predictive-maintenance/plant-a';
const PACKAGE = digest('a');
const SNAPSHOT = digest('b');

const modelLine = (champion: boolean) => ({
  class: 'model-line' as const,
  id: LINE,
  body: {
    ...aModelLine(LINE, digest('1'), null, {
      champion: champion
        ? { packageDigest: PACKAGE, packagePrefix: 'packages/x/', releaseNumber: 3, releaseId: 'rel-3' }
        : null,
      lastReleaseNumber: champion ? 3 : 0,
    }),
  },
});

const retrainRecord = (status: string, over: Record<string, unknown> = {}) => ({
  class: 'retrain' as const,
  id: 'retrain-1',
  body: {
    schema: 'retrain/1',
    requestId: 'retrain-1',
    execution: 'arn:x',
    modelLine: LINE,
    site: 'plant-a',
    cause: 'person',
    requestedBy: 'cli:tester',
    reason: 'why not',
    status,
    step: 'Gate',
    detail: 'RMSE 14.1 is over 12',
    snapshotDigest: SNAPSHOT,
    packageDigest: null,
    ...over,
  },
});

const artifactFiles = () => ({
  [`${artifactKeys.package(LINE, PACKAGE)}manifest.json`]: JSON.stringify(manifest),
  [`${artifactKeys.package(LINE, PACKAGE)}baseline.json`]: JSON.stringify(baseline),
});

const decision = {
  schema: 'decision/1',
  id: 'plant-a/edge-1/b1-x/7',
  site: 'plant-a',
  device: 'edge-1',
  boot: 'b1-x',
  sequence: 7,
  modelLine: LINE,
  asset: 'spindle-101',
  run: 'live-01',
  index: 40,
  sourceTime: '2026-01-01T00:00:00.000Z',
  decidedAt: '2026-01-01T00:00:00.000Z',
  verdict: 'undecided',
  value: 10,
  reason: 'input outside the validated range: rms',
  packageDigest: PACKAGE,
  variant: 'fp32',
  featureSetDigest: digest('2'),
  inputDigest: digest('8'),
  features: [55, 80],
  latencyMs: 3,
};
const KEY = 'inbox/decisions/local-plant-a-edge-1/b1-x-0000000005-0000000009.ndjson';
const lakeFiles = () => ({ [KEY]: `{"header":true}\n${JSON.stringify(decision)}\n` });
const OBJECT = 'plant-a/edge-1/b1-x/5-9';

const packageRecord = { class: 'package' as const, id: PACKAGE, body: { modelLine: LINE } };

describe('every command', () => {
  test.each([
    'status',
    'retrain',
    'models',
    'releases',
    'releases approve',
    'releases refuse',
    'releases start',
    'releases revert',
    'devices',
    'lineage',
    'explain',
    'publish',
    'commission',
    'events',
    'events add',
    'lines',
  ])('%s helps with an example', async (command) => {
    const { code, out } = await runWith(fakeWorld(), [...command.split(' '), '--help']);
    expect(code).toBe(0);
    expect(out).toMatch(/Examples?:\n {2}\$ millwright /);
    expect(out).toContain('--json');
  });

  test('a word that is no command is refused with what to do', async () => {
    const { code, err } = await runWith(fakeWorld(), ['retrian']);
    expect(code).toBe(2);
    expect(err).toContain('Did you mean retrain?');
  });

  test('an unreachable platform is told with the way to start it', async () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    const world = fakeWorld({ fleet: () => Promise.reject(refused) });
    const { code, err } = await runWith(world, ['devices']);
    expect(code).toBe(4);
    expect(err).toContain('npm start');
  });

  test('a long error is broken between words, what to do below what was wrong', async () => {
    const many = Array.from({ length: 30 }, (_, i) => `line-${i}`).join(', ');
    const { err } = await runWith(() => {
      throw new CliError(`none of ${many} is there`, `name one of: ${many}`);
    }, ['status']);
    expect(err).toMatch(/^✗ none of line-0,/);
    expect(err).toMatch(/\n {2}name one of: line-0,/);
    for (const line of err.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test.each([
    [['releases', 'start', '--package', 'abcdef', '--json'], "required option '--reason <text>' not specified"],
    [['chaos', '--json'], 'a command is missing'],
  ])('a command line that is wrong is one JSON document with --json: %j', async (args, message) => {
    const { code, out, err } = await runWith(fakeWorld(), args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(JSON.parse(err)).toMatchObject({ error: message, exitCode: 2 });
    expect(JSON.parse(err).advice).toContain('--help');
  });

  test('an error with --json is one JSON document', async () => {
    const { code, err } = await runWith(fakeWorld(), ['explain', 'nothing', '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(err)).toMatchObject({ error: 'nothing is known by "nothing"', exitCode: 3 });
  });

  test('a global option counts before and after the name of the command', async () => {
    const seen: string[] = [];
    const { runCli } = await import('../../../cli/program.ts');
    const deps = {
      connect: (o: { stage: string }) => {
        seen.push(o.stage);
        return fakeWorld();
      },
      write: () => {},
      writeError: () => {},
      readText: () => '',
      fetchText: async () => '',
      colour: false,
      root: '.',
    };
    await runCli(['--stage', 'one', 'devices'], deps);
    await runCli(['devices', '--stage', 'two'], deps);
    await runCli(['devices'], deps);
    expect(seen).toEqual(['one', 'two', 'local']);
  });
});

describe('status', () => {
  test('tells champion, devices and what the registry holds', async () => {
    const world = fakeWorld({ registry: memoryRegistry([modelLine(true), packageRecord]) });
    const { out } = await runWith(world, ['status']);
    expect(out).toContain('aaaaaaaaaaaa');
    expect(out).toContain('No device has reported yet.');
    expect(out).toContain('1 package,');
    expect(Math.max(...out.split('\n').map((l) => l.length))).toBeLessThanOrEqual(120);
  });

  const judgement = {
    schema: 'line-judgement/1',
    modelLine: LINE,
    site: 'plant-a',
    packageDigest: PACKAGE,
    state: 'WATCH',
    eValue: 40,
    threshold: 1000,
    outcomes: 9,
    meanLoss: 0.2,
    expectedLoss: 0.1,
    coverage: { matured: 9, known: 9 },
    worstAsset: null,
    features: [],
    action: null,
    reasons: ['e-value 40'],
    evidenceDigest: digest('e'),
  };

  test('tells how each line is judged and how many alerts wait', async () => {
    const alerts = [anAlert(), anAlert({ asset: 'spindle-102', status: 'closed', truth: 'true' })];
    const records = [
      modelLine(true),
      { class: 'judgement' as const, id: `line/${LINE}`, body: judgement },
      ...alerts.map((a) => ({ class: 'alert' as const, id: a.alertId, body: { ...a } })),
    ];
    const { out } = await runWith(fakeWorld({ registry: memoryRegistry(records) }), ['status']);
    expect(out).toContain('WATCH');
    expect(out).toContain('1 alert waits: millwright alerts');
  });

  test.each([
    ['of a champion that nothing can be held against', { state: 'HEALTHY', expectedLoss: 1 }, 'not judged'],
    ['of a champion before this one', { state: 'HEALTHY', packageDigest: digest('c') }, '–'],
  ])('does not show the judgement %s', async (_, over, shown) => {
    const records = [
      modelLine(true),
      { class: 'judgement' as const, id: `line/${LINE}`, body: { ...judgement, ...over } },
    ];
    const { out } = await runWith(fakeWorld({ registry: memoryRegistry(records) }), ['status']);
    expect(out).not.toContain('HEALTHY');
    expect(out).toMatch(new RegExp(`${LINE} .* ${shown} +never`));
  });

  test('with --json is one document', async () => {
    const { out } = await runWith(fakeWorld({ registry: memoryRegistry([modelLine(true)]) }), ['status', '--json']);
    expect(JSON.parse(out)).toMatchObject({ stage: 'local', modelLines: [{ modelLine: LINE }] });
  });
});

describe('retrain', () => {
  test('asks by an event on the bus', async () => {
    const world = fakeWorld({ registry: memoryRegistry([modelLine(false)]) });
    const { code, out } = await runWith(world, ['retrain', '--reason', 'new bearings', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ requestId: 'retrain-1', modelLine: LINE });
    expect(world.asked).toEqual([
      {
        type: 'RetrainRequested',
        detail: {
          modelLine: LINE,
          site: 'plant-a',
          cause: 'person',
          requestedBy: 'cli:tester',
          reason: 'new bearings',
          requestId: 'retrain-1',
        },
      },
    ]);
  });

  test('without a model line says to publish first', async () => {
    const { code, err } = await runWith(fakeWorld(), ['retrain']);
    expect(code).toBe(3);
    expect(err).toContain('millwright publish');
  });

  test('with an unknown model line names those there are', async () => {
    const world = fakeWorld({ registry: memoryRegistry([modelLine(false)]) });
    const { code, err } = await runWith(world, ['retrain', 'x/y']);
    expect(code).toBe(3);
    expect(err).toContain(LINE);
  });

  test('--wait ends well with a candidate', async () => {
    const world = fakeWorld({
      registry: memoryRegistry([modelLine(false), retrainRecord('candidate', { packageDigest: PACKAGE })]),
    });
    const { code, out } = await runWith(world, ['retrain', '--wait']);
    expect(code).toBe(0);
    expect(out).toContain('a candidate: package aaaaaaaaaaaa');
  });

  test('--wait fails with the reason when the gate refuses', async () => {
    const world = fakeWorld({ registry: memoryRegistry([modelLine(false), retrainRecord('refused')]) });
    const { code, err } = await runWith(world, ['retrain', '--wait']);
    expect(code).toBe(1);
    expect(err).toContain('RMSE 14.1 is over 12');
  });

  test('--wait gives up after the time allowed and says where it is', async () => {
    const world = fakeWorld({
      registry: memoryRegistry([modelLine(false), retrainRecord('running')]),
      execution: async () => ({ status: 'RUNNING', step: 'Train' }),
    });
    const { code, err, out } = await runWith(world, ['retrain', '--wait', '--timeout', '3']);
    expect(code).toBe(1);
    expect(out).toContain('  Train\n');
    expect(err).toContain('did not end within 3 s (it is at Train)');
  });
});

describe('models', () => {
  test('tell what each variant reached and which is champion', async () => {
    const evaluated = { from: `package:${PACKAGE}`, rel: 'evaluated-by' as const, to: `evaluation:${digest('9')}` };
    const world = fakeWorld({
      registry: memoryRegistry([modelLine(true), packageRecord], [evaluated]),
      artifactFiles: artifactFiles(),
    });
    const { out } = await runWith(world, ['models']);
    expect(out).toContain('★');
    expect(out).toContain('7.50');
    expect(out).toContain('9.25 (not admitted)');
  });

  test('have no figures where nobody judged them, whatever their manifest says', async () => {
    const world = fakeWorld({
      registry: memoryRegistry([modelLine(true), packageRecord]),
      artifactFiles: artifactFiles(),
    });
    const { out } = await runWith(world, ['models']);
    expect(out).toContain('not judged');
    expect(out).not.toContain('7.50');
  });

  test('of a line that is not there are told as that', async () => {
    const { code, err } = await runWith(fakeWorld({ registry: memoryRegistry([modelLine(true)]) }), [
      'models',
      'nosuch',
    ]);
    expect(code).toBe(3);
    expect(err).toContain('there is no model line "nosuch"');
    expect(err).toContain(LINE);
  });
});

const release = (over: Record<string, unknown>) => ({
  class: 'release' as const,
  id: 'rel-3',
  body: {
    schema: 'release/1',
    releaseId: 'rel-3',
    modelLine: LINE,
    site: 'plant-a',
    packageDigest: PACKAGE,
    componentName: 'millwright.model.predictive-maintenance.plant-a',
    componentVersion: '1.0.3',
    requestedBy: 'retrain-1',
    approvedBy: 'policy',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: null,
    status: 'released',
    waves: [
      {
        ring: 0,
        thingGroup: 'g',
        deploymentId: 'd',
        verdict: 'continue',
        devices: [{ device: 'edge-1', status: 'adopted', decisions: 9, fallbackShare: 0, p99Ms: 2, variant: 'fp32' }],
        reasons: [],
      },
    ],
    reason: 'all rings adopted',
    ...over,
  },
});

describe('releases', () => {
  test('tell how far each came', async () => {
    const { out } = await runWith(fakeWorld({ registry: memoryRegistry([release({})]) }), ['releases']);
    expect(out).toContain('0 continue');
  });

  test('say once what several rings in a row have in common, and stand by when they began', async () => {
    const wave = (ring: number, verdict: string) => ({
      ...(release({}).body.waves as unknown as Record<string, unknown>[])[0],
      ring,
      verdict,
    });
    const waves = [wave(0, 'continue'), wave(1, 'continue'), wave(2, 'revert')];
    const older = { ...release({ waves, releaseId: 'rel-2', startedAt: '2025-12-31T00:00:00.000Z' }), id: 'rel-2' };
    const { out } = await runWith(fakeWorld({ registry: memoryRegistry([older, release({})]) }), ['releases']);
    expect(out).toContain('0,1 continue 2 revert');
    expect(out.indexOf('rel-3')).toBeLessThan(out.indexOf('rel-2'));
  });

  test('one that does not wait cannot be approved', async () => {
    const world = fakeWorld({ registry: memoryRegistry([release({})]) });
    const { code, err } = await runWith(world, ['releases', 'approve', 'rel-3', '--reason', 'ok']);
    expect(code).toBe(1);
    expect(err).toContain('does not wait for anyone');
  });

  test("one's own cannot be approved", async () => {
    const world = fakeWorld({
      registry: memoryRegistry([release({ status: 'waiting-approval', requestedBy: 'cli:tester' })]),
    });
    const { code, err } = await runWith(world, ['releases', 'approve', 'rel-3', '--reason', 'ok']);
    expect(code).toBe(1);
    expect(err).toContain('two people');
  });

  test('an unknown one is told', async () => {
    const { code, err } = await runWith(fakeWorld(), ['releases', 'refuse', 'rel-9', '--reason', 'no']);
    expect(code).toBe(3);
    expect(err).toContain('there is no release "rel-9"');
  });
});

describe('explain', () => {
  test('a decision: what the champion that ran beside said to the same frame', async () => {
    const said = { ...decision, shadow: { packageDigest: digest('c'), value: 41.5, verdict: 'pass' } };
    const files = { [KEY]: `{"header":true}\n${JSON.stringify(said)}\n` };
    const world = fakeWorld({ lakeFiles: files, artifactFiles: artifactFiles() });
    expect((await runWith(world, ['explain', decision.id])).out).toMatch(/champion +cccccccccccc said pass, 41.50 h/);
  });

  test('a decision: verdict, thresholds, and the input furthest from normal first', async () => {
    const world = fakeWorld({ lakeFiles: lakeFiles(), artifactFiles: artifactFiles() });
    const { out } = await runWith(world, ['explain', decision.id]);
    expect(out).toContain('undecided  input outside the validated range: rms');
    expect(out).toContain('fail below 8 h, undecided below 12 h');
    expect(out.indexOf('\nrms')).toBeLessThan(out.indexOf('\nspeed'));
    expect(out).toContain('outside');
    expect(out).toContain('3.0');
  });

  test('a decision with --json has numbers', async () => {
    const world = fakeWorld({ lakeFiles: lakeFiles(), artifactFiles: artifactFiles() });
    const { out } = await runWith(world, ['explain', decision.id, '--json']);
    expect(JSON.parse(out).features[0]).toMatchObject({ name: 'rms', value: 80, distance: 3, outside: true });
  });

  test('a decision that is not there says where to look', async () => {
    const { code, err } = await runWith(fakeWorld(), ['explain', 'plant-a/edge-1/b1-x/99']);
    expect(code).toBe(3);
    expect(err).toContain('is not in the lake');
  });

  test('a decision that its object does not hold is told', async () => {
    const world = fakeWorld({ lakeFiles: lakeFiles() });
    const { code, err } = await runWith(world, ['explain', 'plant-a/edge-1/b1-x/6']);
    expect(code).toBe(3);
    expect(err).toContain('should hold decision');
  });

  test('a retrain: where it ended and why', async () => {
    const world = fakeWorld({ registry: memoryRegistry([retrainRecord('refused')]) });
    const { out } = await runWith(world, ['explain', 'retrain-1']);
    expect(out).toContain('refused  RMSE 14.1 is over 12');
    expect(out).toContain('cli:tester (person): why not');
  });

  test('a release: each ring and device', async () => {
    const { out } = await runWith(fakeWorld({ registry: memoryRegistry([release({})]) }), ['explain', 'rel-3']);
    expect(out).toContain('Ring 0: continue');
    expect(out).toContain('edge-1');
  });

  test('a package by the first digits of its digest', async () => {
    const world = fakeWorld({ registry: memoryRegistry([packageRecord]), artifactFiles: artifactFiles() });
    const { out } = await runWith(world, ['explain', 'aaaaaa']);
    expect(out).toContain('predictive-maintenance/plant-a, number 3');
    expect(out).toContain('no retrain of this platform judged it');
  });

  test('digits that fit two records are refused', async () => {
    const other = { class: 'package' as const, id: `sha256:${'a'.repeat(63)}b`, body: { modelLine: LINE } };
    const world = fakeWorld({ registry: memoryRegistry([packageRecord, other]) });
    const { code, err } = await runWith(world, ['explain', 'aaaaaa']);
    expect(code).toBe(2);
    expect(err).toContain('give more digits');
  });
});

describe('lineage', () => {
  const edges = [
    { from: `decision-object:${OBJECT}`, rel: 'decided-by' as const, to: `package:${PACKAGE}` },
    { from: `decision-object:${OBJECT}`, rel: 'decided-by' as const, to: `package:${digest('c')}` },
    { from: `package:${PACKAGE}`, rel: 'trained-on' as const, to: `snapshot:${SNAPSHOT}` },
    { from: `snapshot:${SNAPSHOT}`, rel: 'used' as const, to: 'raw-object:raw/frames/x' },
    { from: 'release:rel-3', rel: 'used' as const, to: `package:${PACKAGE}` },
  ];
  const records = [
    { class: 'decision-object' as const, id: OBJECT, body: {} },
    { class: 'snapshot' as const, id: SNAPSHOT, body: {} },
    packageRecord,
  ];

  test('a decision goes back to raw objects through its own package only', async () => {
    const world = fakeWorld({ registry: memoryRegistry(records, edges), lakeFiles: lakeFiles() });
    const { out } = await runWith(world, ['lineage', decision.id, '--json']);
    const answer = JSON.parse(out);
    const nodes = answer.nodes.map((n: { node: string }) => n.node);
    expect(answer.packageDigest).toBe(PACKAGE);
    expect(nodes).toContain('raw-object:raw/frames/x');
    expect(nodes).not.toContain(`package:${digest('c')}`);
  });

  test('a snapshot goes forward to releases', async () => {
    const world = fakeWorld({ registry: memoryRegistry(records, edges) });
    const { out } = await runWith(world, ['lineage', SNAPSHOT]);
    expect(out).toContain('what was made from it');
    expect(out).toContain('release:rel-3');
  });

  test('a decision whose object is not registered yet says to wait', async () => {
    const world = fakeWorld({ lakeFiles: lakeFiles() });
    const { code, err } = await runWith(world, ['lineage', decision.id]);
    expect(code).toBe(1);
    expect(err).toContain('not registered yet');
  });
});

describe('events add', () => {
  const event = {
    schema: 'plant-event/1',
    eventId: 'e1',
    kind: 'repair',
    site: 'plant-a',
    asset: 'a',
    run: 'r',
    index: null,
    validTime: '2026-01-01T00:00:00.000Z',
    knownTime: '2026-01-01T00:00:00.000Z',
    reportedBy: 'me',
    detail: {},
  };

  test('sends a JSON array or JSON lines', async () => {
    for (const text of [JSON.stringify([event]), `${JSON.stringify(event)}\n`]) {
      const world = fakeWorld();
      const { code } = await runWith(world, ['events', 'add', 'f'], { f: text });
      expect(code).toBe(0);
      expect(world.calls[0]?.payload).toEqual({ events: [event] });
    }
  });

  test('sends CSV, and of a bad one nothing', async () => {
    const csv = (kind: string) =>
      `eventId,kind,site,asset,run,validTime,knownTime,reportedBy\ne1,${kind},plant-a,a,r,${event.validTime},${event.knownTime},me\n`;
    const world = fakeWorld();
    expect((await runWith(world, ['events', 'add', 'f.csv'], { 'f.csv': csv('repair') })).code).toBe(0);
    expect(world.calls[0]?.payload).toEqual({ events: [event] });
    const { code, err } = await runWith(world, ['events', 'add', 'f.csv'], { 'f.csv': csv('party') });
    expect(code).toBe(2);
    expect(err).toMatch(/line 2 of f\.csv: kind: /);
    expect(world.calls).toHaveLength(1);
  });

  test('says what changed nothing, since something newer stands', async () => {
    const world = { ...fakeWorld(), invoke: async () => ({ registered: 1, superseded: 1 }) };
    const { out } = await runWith(world, ['events', 'add', 'f'], { f: JSON.stringify([event, event]) });
    expect(out).toContain('1 plant event registered');
    expect(out).toContain('1 changed nothing: under the same id something stands that became known later');
  });

  test('names the line and field that is wrong', async () => {
    const { code, err } = await runWith(fakeWorld(), ['events', 'add', 'f'], {
      f: `${JSON.stringify(event)}\n${JSON.stringify({ ...event, kind: 'party' })}\n`,
    });
    expect(code).toBe(2);
    expect(err).toContain('line 2 of f: kind');
    expect(err).toContain('nothing was sent');
  });

  test('of a JSON array names the event, and says how many more are wrong', async () => {
    const wrong = { ...event, eventId: 'of~joined' };
    const { code, err } = await runWith(fakeWorld(), ['events', 'add', 'f.json'], {
      'f.json': JSON.stringify([event, wrong, {}]),
    });
    expect(code).toBe(2);
    expect(err).toContain("event 2 of f.json: eventId: ids that end in ~joined are the platform's own");
    expect(err.replaceAll(/\s+/g, ' ')).toContain('1 more is wrong');
  });

  test('refuses events of a site that the stage does not have', async () => {
    const world = fakeWorld();
    const { code, err } = await runWith(world, ['events', 'add', 'f'], {
      f: JSON.stringify({ ...event, site: 'plant-z' }),
    });
    expect(code).toBe(2);
    expect(err).toContain('event e1 is of site "plant-z", which stage local does not have');
    expect(err).toContain('plant-a');
    expect(world.calls).toEqual([]);
  });

  test('says what is no JSON', async () => {
    const { code, err } = await runWith(fakeWorld(), ['events', 'add', 'f'], { f: '[1,' });
    expect(code).toBe(2);
    expect(err).toContain('f is not JSON: ');
    expect(err).toContain('one JSON document a line');
    const second = await runWith(fakeWorld(), ['events', 'add', 'f'], { f: `${JSON.stringify(event)}\n{no` });
    expect(second.err).toContain('line 2 of f is not JSON: ');
  });

  test('refuses an empty file', async () => {
    const { code } = await runWith(fakeWorld(), ['events', 'add', 'f'], { f: '' });
    expect(code).toBe(2);
  });
});
