import { artifactKeys } from '#core/contracts/lake.ts';
import { ReleaseRequest } from '#core/contracts/release.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { MODEL_LINE, makePackage, newSigner } from '../../support/model-package.ts';
import { digest, fakeWorld, memoryRegistry, runWith } from './fakes.ts';

const signer = newSigner();
const one = makePackage(signer, { releaseNumber: 1 });
const two = makePackage(signer, { releaseNumber: 2 });
const CHAMPION = digest('c');

const modelLine = (champion: string | null) => ({
  class: 'model-line' as const,
  id: MODEL_LINE,
  body: {
    ...aModelLine(MODEL_LINE, digest('1'), null, {
      champion:
        champion === null
          ? null
          : {
              packageDigest: champion,
              packagePrefix: 'p/',
              releaseNumber: 2,
              releaseId: `rel-of-${champion.slice(7, 11)}`,
            },
      lastReleaseNumber: 2,
    }),
  },
});
const judged = (id: string) => ({ class: 'package' as const, id, body: { modelLine: MODEL_LINE } });
const release = (packageDigest: string, finishedAt: string, over: Record<string, unknown> = {}) => {
  const releaseId = `rel-of-${packageDigest.slice(7, 11)}`;
  return {
    class: 'release' as const,
    id: releaseId,
    body: {
      schema: 'release/1',
      releaseId,
      modelLine: MODEL_LINE,
      site: 'plant-a',
      packageDigest,
      componentName: 'c',
      componentVersion: '1.0.1',
      requestedBy: 'r',
      approvedBy: 'p',
      startedAt: finishedAt,
      finishedAt,
      status: 'released',
      waves: [],
      reason: 'r',
      ...over,
    },
  };
};
const artifactFiles = () =>
  Object.fromEntries(
    [one, two].flatMap((p) =>
      ['manifest.json', 'baseline.json'].map((file) => [
        `${artifactKeys.package(MODEL_LINE, p.digest)}${file}`,
        Buffer.from(p.files.get(file) as Uint8Array).toString('utf8'),
      ]),
    ),
  );
const evaluated = (id: string) => ({
  from: `package:${id}`,
  rel: 'evaluated-by' as const,
  to: `evaluation:${digest('9')}`,
});
const worldOf = (records: Parameters<typeof memoryRegistry>[0], edges: Parameters<typeof memoryRegistry>[1] = []) =>
  fakeWorld({ registry: memoryRegistry(records, edges), artifactFiles: artifactFiles() });
const start = (world: ReturnType<typeof worldOf>, ...more: string[]) =>
  runWith(world, ['releases', 'start', '--reason', 'a test', ...more]);

describe('releases start', () => {
  test('asks for the release of a judged package, named by its first digits, by an event on the bus', async () => {
    const world = worldOf([modelLine(CHAMPION), judged(two.digest)], [evaluated(two.digest)]);
    const { code, out } = await start(world, '--package', two.digest.slice(7, 15), '--rings', '2,1');
    expect(code).toBe(0);
    expect(out).toContain('to rings 1, 2');
    expect(world.asked.map((a) => a.type)).toEqual(['ReleaseCandidate']);
    expect(ReleaseRequest.parse(world.asked[0]?.detail)).toMatchObject({
      modelLine: MODEL_LINE,
      packageDigest: two.digest,
      packagePrefix: artifactKeys.package(MODEL_LINE, two.digest),
      releaseNumber: 2,
      requestedBy: 'cli:tester',
      reason: 'a test',
      revert: false,
      rings: [1, 2],
    });
    expect(world.asked[0]?.detail).not.toHaveProperty('forced');
  });
  test.each([
    ['that nobody registered', []],
    ['that somebody registered by hand', [judged(two.digest)]],
  ])('refuses a package %s and no retrain judged, and says how to go on', async (_, records) => {
    const world = worldOf([modelLine(CHAMPION), ...records]);
    const { code, err } = await start(world, '--package', two.digest);
    expect(code).toBe(1);
    expect(err).toContain('was never judged');
    expect(err).toContain('--force');
    expect(world.asked).toEqual([]);
  });
  test('with --force the request says so and who asked', async () => {
    const world = worldOf([modelLine(CHAMPION)]);
    expect((await start(world, '--package', two.digest, '--force')).code).toBe(0);
    expect(world.asked[0]?.detail).toMatchObject({ forced: true, requestedBy: 'cli:tester' });
  });
  test.each([
    ['no package', ['--package', 'zzz'], 2, 'is no package'],
    ['an unknown one', ['--package', 'abcdef'], 3, 'has no package abcdef'],
    ['rings that are no numbers', ['--package', two.digest, '--rings', 'all'], 2, '--rings 1,2'],
    ['rings that the site does not have', ['--package', two.digest, '--rings', '1,7'], 2, 'no ring 7'],
  ])('refuses %s', async (_, args, exit, message) => {
    const { code, err } = await start(worldOf([modelLine(CHAMPION)]), ...args);
    expect(code).toBe(exit);
    expect(err).toContain(message);
  });
  test('refuses digits that fit more than one', async () => {
    const world = worldOf([modelLine(null)]);
    const twin = `${two.digest.slice(7, 20)}${'0'.repeat(51)}`;
    world.artifactFiles[`packages/${MODEL_LINE}/${twin}/manifest.json`] = '{}';
    const { code, err } = await start(world, '--package', two.digest.slice(7, 20));
    expect(code).toBe(2);
    expect(err).toContain('fits 2 packages');
  });
});

describe('releases revert', () => {
  const revert = (world: ReturnType<typeof worldOf>, to: string) =>
    runWith(world, ['releases', 'revert', MODEL_LINE, '--to', to, '--reason', 'too many alarms']);
  test('goes back to the champion before this one, whatever was refused, reverted or only tried in between', async () => {
    const world = worldOf([
      modelLine(two.digest),
      release(digest('d'), '2026-01-04T00:00:00.000Z', { status: 'reverted' }),
      release(two.digest, '2026-01-03T00:00:00.000Z'),
      release(digest('e'), '2026-01-02T00:00:00.000Z', { crowned: false }),
      release(one.digest, '2026-01-01T00:00:00.000Z'),
    ]);
    expect((await revert(world, 'previous')).code).toBe(0);
    expect(world.asked[0]).toMatchObject({
      type: 'ReleaseCandidate',
      detail: { packageDigest: one.digest, releaseNumber: 1, revert: true, releaseId: 'revert-1' },
    });
  });
  test('goes back to a package that is named', async () => {
    for (const [records, edges] of [
      [[release(one.digest, '2026-01-01T00:00:00.000Z')], []],
      [[judged(one.digest)], [evaluated(one.digest)]],
    ] as const) {
      const world = worldOf([modelLine(two.digest), ...records], edges);
      expect((await revert(world, one.digest)).code).toBe(0);
      expect(world.asked[0]?.detail).toMatchObject({ packageDigest: one.digest, revert: true });
    }
  });
  test('goes to no package that neither served the line nor was judged', async () => {
    const world = worldOf([
      modelLine(two.digest),
      judged(one.digest),
      release(one.digest, '2026-01-01T00:00:00.000Z', { status: 'reverted' }),
    ]);
    const { code, err } = await revert(world, one.digest);
    expect(code).toBe(1);
    expect(err).toContain('was never judged');
    expect(world.asked).toEqual([]);
  });
  test('has nothing to go back to on a line with one champion, and nothing to do for the champion itself', async () => {
    const first = worldOf([modelLine(two.digest), release(two.digest, '2026-01-03T00:00:00.000Z')]);
    expect(await revert(first, 'previous')).toMatchObject({ code: 3, err: expect.stringContaining('--to') });
    expect(await revert(first, two.digest)).toMatchObject({ code: 1, err: expect.stringContaining('already') });
  });
});

describe('explain a release', () => {
  test('tells what the comparison with the champion said', async () => {
    const wave = {
      ring: 1,
      thingGroup: 'g',
      deploymentId: 'd',
      verdict: 'revert',
      devices: [],
      reasons: ['edge-2 and the champion disagree'],
      shadow: {
        champion: CHAMPION,
        expected: 0.1,
        batches: 8,
        disagreement: 0.93,
        against: 52000,
        inFavour: 0,
        noReference: ['spindle-103'],
      },
    };
    const silent = { ...wave, ring: 0, shadow: { ...wave.shadow, disagreement: null, noReference: [] } };
    const record = release(two.digest, '2026-01-03T00:00:00.000Z', { waves: [silent, wave] });
    const { out } = await runWith(worldOf([record]), ['explain', record.id]);
    expect(out).toContain('against champion cccccccccccc: they disagree on 93.0 % of the frames of 8 batches, 10.0 %');
    expect(out.replaceAll(/\s+/g, ' ')).toContain(
      '10.0 % is acceptable; e-value against 52000, in favour 0 (no reference: spindle-103)',
    );
    expect(out).toContain('against champion cccccccccccc: nothing was compared\n');
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('that goes on tells the rings it has come to', async () => {
    const wave = {
      ring: 0,
      thingGroup: 'g',
      deploymentId: 'd',
      verdict: 'continue',
      devices: [],
      reasons: ['all well'],
    };
    const item = (releaseId: string, ring: number, of: unknown) => ({
      pk: `RELEASE#${releaseId}`,
      sk: `RING#000${ring}#x86-64`,
      item: { ring, deployedAt: '2026-01-01T23:59:30.000Z', wave: of },
    });
    const record = release(two.digest, '2026-01-03T00:00:00.000Z', { status: 'rolling-out', finishedAt: null });
    const world = {
      ...worldOf([record]),
      fleet: async () => [item(record.id, 1, null), item('rel-x', 2, null), item(record.id, 0, wave), { pk: 'x' }],
    };
    const { out } = await runWith(world, ['explain', record.id]);
    expect(out).toContain('Ring 0: continue, all well');
    expect(out).toContain('Ring 1: got the package 30 s ago and is watched');
    expect(out).not.toContain('Ring 2');
    expect(JSON.parse((await runWith(world, ['explain', record.id, '--json'])).out).rings).toHaveLength(2);
  });
});
