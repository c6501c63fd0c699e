import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { driftSvg } from '../../../cli/commands/drift/drift-plot.ts';
import type { BaselineSpec } from '../../../core/contracts/baseline.ts';
import { judgementKeys } from '../../../core/contracts/judgement.ts';
import type { Season } from '../../../core/contracts/season.ts';
import { featureEvidence } from '../../../core/drift/device/feature-evidence.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { anOutcome } from '../../support/an-outcome.ts';
import {
  baseline,
  changeover,
  dayAt,
  FAR,
  historyOf,
  LINE,
  objectsOf,
  PACKAGE,
  policy,
  SAME,
} from '../../support/drift-history.ts';
import { digest, fakeWorld, memoryRegistry, runWith } from './fakes.ts';

const calm = Array.from({ length: 16 }, () => SAME);
const history = historyOf([...calm, FAR, FAR], [changeover(2)]);
const evidence = history.chain.map((f) => f.evidence);
const newest = evidence.at(-1) as (typeof evidence)[number];

const outcomes = Array.from({ length: 30 }, (_, n) =>
  anOutcome({
    ...{ modelLine: LINE, packageDigest: PACKAGE, asset: 'm1', run: `r${n}` },
    ...{ validTime: dayAt(n), knownTime: dayAt(n + 1), loss: n < 10 ? 0.05 : 0.9 },
  }),
);
const items = [
  ...outcomes.map((record) => ({ ...judgementKeys.outcome(LINE, PACKAGE, 'm1', record.run), record })),
  { ...judgementKeys.features(LINE, PACKAGE, 'plant-a', 'edge-1'), ...featureEvidence(newest, dayAt(9), policy) },
  { ...judgementKeys.deciding(LINE, PACKAGE, 'plant-a', 'edge-2'), last: 5000 },
];

const kept = objectsOf(history);
const world = (lakeFiles = kept.lakeFiles, artifactFiles = kept.artifactFiles) =>
  fakeWorld({
    lakeFiles: { ...lakeFiles },
    artifactFiles,
    judgement: async () => items,
    registry: memoryRegistry([
      { class: 'model-line', id: LINE, body: { ...aModelLine(LINE, digest('b'), PACKAGE) } },
      { class: 'package', id: PACKAGE, body: { validationLoss: { mean: 0.05, upper: 0.08, runs: 40 } } },
      { class: 'judgement', id: `drift/${LINE}/plant-a/edge-1`, body: { packageDigest: PACKAGE } },
      { class: 'judgement', id: `watch/${LINE}/plant-a/edge-2`, body: { state: 'unwatched' } },
    ]),
  });

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'millwright-drift-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('drift', () => {
  test('lists what the inputs of each device are, and who is not watched', async () => {
    const { code, out } = await runWith(world(), ['drift']);
    expect(code).toBe(0);
    expect(out).toMatch(/edge-1 .*serious .*2026-01-17 00:00 .*speed/);
    expect(out).toMatch(/edge-2 .*nobody watches/);
  });
  test('says that there is nothing yet', async () => {
    const none = fakeWorld({
      registry: memoryRegistry([{ class: 'model-line', id: LINE, body: { ...aModelLine(LINE, digest('b'), null) } }]),
    });
    expect((await runWith(none, ['drift', LINE])).out).toContain('No device has sent a window');
  });
});

describe('explain drift', () => {
  test.each([
    ['edge-1'],
    ['plant-a/edge-1'],
    [`${LINE}/edge-1`],
    [`${LINE}/plant-a/edge-1`],
    [newest.hash],
    [newest.hash.slice('sha256:'.length, 'sha256:'.length + 12)],
  ])('says what changed, how sure, since when, where, and what to do, of %s', async (id) => {
    const { code, out } = await runWith(world(), ['explain', 'drift', id]);
    expect(code).toBe(0);
    expect(out).toMatch(/^serious {2}far from the fixed reference: speed has index/);
    expect(out).toMatch(/since +2026-01-17T00:00:00.000Z/);
    expect(out).toMatch(/machines +m1/);
    expect(out).toMatch(/how sure +speed surely has index/);
    expect(out).toMatch(/to do +find out what changed on m1/);
    expect(out).toMatch(/verified +yes: 18 judgements from 18 windows, computed again to the same bytes/);
    expect(out).toMatch(/2026-01-17 00:00 +serious/);
  });
  test('shows what the judge took, where two judged at once', async () => {
    const rivals = [SAME, [39, 41, 40, 40, 40], [41, 39, 40, 40, 40], [38, 42, 40, 40, 40]].map((last) =>
      objectsOf(historyOf([...calm, FAR, last], [changeover(2)])),
    );
    const lakeFiles = Object.assign({}, ...rivals.map((r) => r.lakeFiles), objectsOf(history).lakeFiles);
    const { out } = await runWith(world(lakeFiles), ['explain', 'drift', 'edge-1']);
    expect(out).toContain(newest.hash);
    expect(out).toContain('verified  yes: 18 judgements');
  });
  test('shows an older evidence as it was then', async () => {
    const { out } = await runWith(world(), ['explain', 'drift', evidence[3]?.hash as string]);
    expect(out).toMatch(/^steady/);
    expect(out).toContain('4 judgements from 4 windows');
  });
  test('says from which judgement on it does not follow from what is kept', async () => {
    const { lakeFiles } = objectsOf(history);
    const window = Object.keys(lakeFiles).filter((k) => k.startsWith('drift/windows/'))[4] as string;
    const { [window]: _, ...others } = lakeFiles;
    const { code, out } = await runWith(world(others), ['explain', 'drift', 'edge-1']);
    expect(code).toBe(0);
    expect(out).toMatch(/verified +no, from number 5 on: a window that it names is not in the lake/);
  });
  test('answers as one JSON document', async () => {
    const { out } = await runWith(world(), ['explain', 'drift', 'edge-1', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      evidence: { hash: newest.hash },
      advice: { next: expect.stringMatching(/find out what changed/) },
      verified: { holds: true, folds: 18 },
    });
  });
  test('writes a picture of the evidence, the same each time', async () => {
    const file = join(dir, 'drift.svg');
    await runWith(world(), ['explain', 'drift', 'edge-1', '--svg', file]);
    const svg = readFileSync(file, 'utf8');
    expect(svg).toMatch(/^<svg xmlns/);
    for (const text of ['speed', 'threshold', 'serious', 'changeover m1', 'What each window was'])
      expect(svg).toContain(text);
    expect(svg).not.toMatch(/NaN|Infinity/);
    await runWith(world(), ['explain', 'drift', 'edge-1', '--svg', file]);
    expect(readFileSync(file, 'utf8')).toBe(svg);
  });
  test('draws windows in the order of judgement where their times go back', async () => {
    const back = historyOf([...calm, FAR], [changeover(2)]);
    const chain = back.chain.map((f, i) => (i < 9 ? f : { ...f, evidence: { ...f.evidence, to: dayAt(20 - i) } }));
    const xs = [...driftSvg(chain, 'x').matchAll(/<polyline points="([^"]*)"/g)].map((m) =>
      (m[1] as string).split(' ').map((p) => Number(p.split(',')[0])),
    );
    expect(xs.length).toBeGreaterThan(1);
    for (const points of xs) expect(points).toEqual([...points].sort((a, b) => a - b));
    expect(driftSvg(chain, 'x')).toMatch(
      /changeover m1<(.|\n)*their times do not go on|their times do not go on(.|\n)*changeover m1</,
    );
    expect(driftSvg(back.chain, 'x')).not.toContain('do not go on');
  });
  test.each(['edge-9', 'nonsense', 'abcdef012345'])('says that nothing is known of %s', async (id) => {
    const { code, err } = await runWith(world(), ['explain', 'drift', id]);
    expect(code).toBe(3);
    expect(err).toContain('nothing was said yet of the inputs');
  });
  test('leaves decisions, packages and the rest to "explain"', async () => {
    const { err } = await runWith(world(), ['explain', 'release-9']);
    expect(err).not.toContain('inputs');
  });
});

describe('a season', () => {
  // Windows are of a whole day, so that all lie in the cell of noon.
  const NOON = { hours: 12 };
  const cells = ['h00', 'h12'].map((cell) => ({
    ...{ context: 'default', cell, rows: 10_000 },
    counts: baseline.features.map((f) => f.counts.map((c) => c / 2)),
  }));
  const trained = {
    ...baseline,
    features: baseline.features.map((f) => ({ ...f, seasonStatistic: { mean: 4, variance: 8 } })),
    season: {
      ...{ of: { hours: 12, weekdays: false, offsetMinutes: 0 }, cells, leftOut: [] },
      windows: Array.from({ length: 100 }, (_, i) => i % 2),
    },
  };
  const withSeason = (season: Season, of: BaselineSpec) =>
    historyOf([...calm, FAR], [], undefined, { baseline: of, policy: { ...policy, drift: { season } } });
  const said = async (past: ReturnType<typeof historyOf>, args: readonly string[]) => {
    const { lakeFiles, artifactFiles } = objectsOf(past);
    return (await runWith({ ...world(lakeFiles, artifactFiles), judgement: async () => [] }, args)).out;
  };

  test('is told of the evidence: which cell a window was held against', async () => {
    const out = await said(withSeason(NOON, trained), ['explain', 'drift', 'edge-1']);
    expect(out).toMatch(/against +season, default at h12/);
    expect(out).toMatch(/far from the season reference of h12: speed/);
    expect(out).toContain('computed again to the same bytes');
  });
  test('is told of a cell that training had too little of', async () => {
    const less = {
      ...trained.season,
      cells: cells.slice(0, 1),
      windows: trained.season.windows.map((w) => (w === 0 ? 0 : null)),
    };
    const past = withSeason(NOON, { ...trained, season: { ...less, cells: [{ ...cells[0], rows: 10_000 }] } as never });
    const out = await said(past, ['explain', 'drift', 'edge-1']);
    expect(out).toMatch(/against +fixed, for training had too little of default at h12/);
  });
  test.each([
    [baseline, NOON, 'the package was trained without a season: until the next training'],
    [
      trained,
      { hours: 6, weekdays: true },
      'the package was trained for cells of 12 h, 0 minutes ahead of UTC, not cells of 6 h of each weekday, 0 minutes',
    ],
    [
      {
        ...trained,
        season: {
          ...trained.season,
          cells: [],
          windows: trained.season.windows.map(() => null),
          leftOut: [
            { context: 'default', cell: 'h00', windows: 9 },
            { context: 'default', cell: 'h12', windows: 5 },
          ],
        },
      },
      NOON,
      'too few training windows lay in cells with enough of them (14 windows in 2 cells): windows are held against their context; more days',
    ],
    [
      { ...trained, season: { ...trained.season, cells: [], windows: trained.season.windows.map(() => null) } },
      NOON,
      'too few training windows lay in cells with enough of them (none)',
    ],
  ])('that has no effect is told with the reason (%#)', async (of, season, reason) => {
    const past = withSeason(season, of);
    expect((await said(past, ['explain', 'drift', 'edge-1'])).replace(/\s+/g, ' ')).toContain(reason);
    expect(await said(past, ['replay', '--line', LINE])).toContain(`Season of as declared: ${reason}`);
  });
  test('of a policy is told of its replay: how many windows it held against their cell', async () => {
    const out = await said(withSeason(NOON, trained), ['replay', '--line', LINE]);
    expect(out).toContain('Season of as declared: 17 of 17 windows held against their cell');
  });
});

const files = { 'calm.json': JSON.stringify({ psiWatch: 5, psiSerious: 9, alarmAt: 1e9 }) };

describe('replay of policies', () => {
  test('shows what each would have done beside what was declared, and beside a detector', async () => {
    const args = ['--policy', 'calm.json', '--detector', 'hddm-a', '--change', dayAt(10), '--line', LINE];
    const { code, out } = await runWith(world(), ['replay', ...args], files);
    expect(code).toBe(0);
    expect(out).toContain('18 windows of 1 device and 30 outcomes');
    expect(out).toMatch(/as declared .*1 of 1/);
    expect(out).toMatch(/calm +1 +2026-01-23 .*1 of 1 +12.0 +0/);
    expect(out).toMatch(/hddm-a .*1 of 1/);
  });
  test('counts alarms from an instant on, and says that each is false where no change is named', async () => {
    const { out } = await runWith(world(), ['replay', '--line', LINE, '--since', dayAt(100)], files);
    expect(out).toMatch(/as declared +0/);
    expect(out).toContain('every alarm counts as false');
  });
  test('changes of a policy what its file names, and tells files of one name apart', async () => {
    const texts = { 'a/calm.json': files['calm.json'], 'b/calm.json': '{"drift": {"mode": "shadow"}}' };
    const args = ['--policy', 'a/calm.json', '--policy', 'b/calm.json'];
    const { out } = await runWith(world(), ['replay', ...args], texts);
    expect(out).toMatch(/a\/calm.json +1 /);
    expect(out).toMatch(/b\/calm.json .*CONFIRMED|b\/calm.json .*COOLDOWN/);
  });
  test('takes a picture of what was declared where nothing else is named', async () => {
    const { code, out } = await runWith(world(), ['replay', '--svg', join(dir, 'declared.svg')]);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/as declared .*\n(.*\n)*Picture: /) });
  });
  test('writes a picture with a band for each policy', async () => {
    const file = join(dir, 'replay.svg');
    await runWith(world(), ['replay', '--policy', 'calm.json', '--change', dayAt(10), '--svg', file], files);
    const svg = readFileSync(file, 'utf8');
    for (const text of ['as declared', 'calm', 'changeover m1', 'RETRAIN_REQUESTED']) expect(svg).toContain(text);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
  test('reads a folder and asks no platform', async () => {
    const { lakeFiles, artifactFiles } = objectsOf(history);
    const folder = mkdtempSync(join(dir, 'copy-'));
    const put = (key: string, text: string) => {
      mkdirSync(dirname(join(folder, key)), { recursive: true });
      writeFileSync(join(folder, key), text);
    };
    for (const [key, text] of Object.entries({ ...lakeFiles, ...artifactFiles })) put(key, text);
    const unreachable = () => {
      throw new Error('the platform was asked');
    };
    const without = await runWith(unreachable, ['replay', '--from', folder, '--json']);
    expect(JSON.parse(without.out)).toMatchObject({ windows: 18, outcomes: 0, rows: [{ name: 'as declared' }] });
    put('outcomes.json', JSON.stringify({ validationLoss: { mean: 0.05, upper: 0.08, runs: 40 }, outcomes }));
    const { code, out } = await runWith(unreachable, ['replay', '--from', folder, '--json']);
    expect(code).toBe(0);
    const [row] = JSON.parse(out).rows;
    expect(row.retrains.length).toBeGreaterThan(0);
  });
  test.each([
    [['--policy', 'broken.json'], /broken.json is no JSON/],
    [['--policy', 'odd.json'], /odd.json does not match its contract: alpha.*\n.*fields of "judging"/],
    [['--policy', 'number.json'], /number.json does not match its contract/],
    [['--detector', 'oracle'], /there is no detector "oracle"\n *one of: adwin/],
    [['--detector', 'constructor'], /there is no detector "constructor"/],
    [['some-key', '--policy', 'calm.json'], /are of a replay of quarantine/],
    [['--all', '--from', '/nowhere'], /are of a replay of quarantine/],
    [['--from', '/nowhere'], /has no windows to replay/],
  ])('refuses %j with what to do', async (args, message) => {
    const texts = { ...files, 'broken.json': '{', 'odd.json': '{"alpha": 7}', 'number.json': '7' };
    const { code, err } = await runWith(world(), ['replay', '--line', LINE, ...(args as string[])], texts);
    expect(code).not.toBe(0);
    expect(err).toMatch(message as RegExp);
  });
  test('leaves quarantine to the replay of quarantine', async () => {
    const { err } = await runWith(world(), ['replay']);
    expect(err).toContain('what shall be replayed?');
  });
  test('takes the past of a package that serves no longer, by the first digits of its digest', async () => {
    const later = () => ({
      ...world(),
      registry: memoryRegistry([
        { class: 'model-line', id: LINE, body: { ...aModelLine(LINE, digest('b'), digest('9')) } },
        { class: 'package', id: PACKAGE, body: { validationLoss: { mean: 0.05, upper: 0.08, runs: 40 } } },
      ]),
    });
    expect((await runWith(later(), ['replay', '--line', LINE])).err).toContain('has no windows to replay');
    for (const named of [PACKAGE, '1111']) {
      const { out } = await runWith(later(), ['replay', '--package', named]);
      expect(out).toContain('18 windows of 1 device and 30 outcomes');
    }
    const { code, err } = await runWith(later(), ['replay', '--package', '77']);
    expect({ code, err }).toEqual({ code: 3, err: expect.stringMatching(/no package "77".*\n.*111111111111/) });
  });
  test('says that a change outside of what was recorded cannot be found', async () => {
    const { out } = await runWith(world(), ['replay', '--change', dayAt(900)]);
    expect(out).toContain(`never found: ${dayAt(900)}`);
  });
  test('says that a line without a champion has no past', async () => {
    const none = fakeWorld({
      registry: memoryRegistry([{ class: 'model-line', id: LINE, body: { ...aModelLine(LINE, digest('b'), null) } }]),
    });
    expect((await runWith(none, ['replay', '--line', LINE])).err).toContain('has no champion');
  });
});
