import type { BaselineFeature, BaselineSpec } from '../../../core/contracts/baseline.ts';
import { judgeWindow, qualityOf } from '../../../core/drift/device/device-window.ts';

const NONE_BEYOND = [0, 0, 0, 0];
const feature = (name: string, more: Partial<BaselineFeature> = {}): BaselineFeature => ({
  name,
  cells: { kind: 'numeric', edges: [1, 2, 3, 4], atoms: [], range: null, center: 2.5, scale: 1 },
  counts: [12_000, 12_000, 12_000, 12_000, 12_000, ...NONE_BEYOND],
  windowStatistic: { mean: 4, variance: 8 },
  // Of 120 windows of 500 independent rows.
  windowMeans: Array.from({ length: 120 }, (_, i) => (i % 2 === 0 ? 1 : -1) / Math.sqrt(500)),
  fewestCells: 5,
  ...more,
});
const baseline = (features: readonly BaselineFeature[], windows = { rows: 500, count: 120 }): BaselineSpec => ({
  schema: 'baseline/2',
  featureSetDigest: `sha256:${'0'.repeat(64)}`,
  rows: 60_000,
  windows,
  features: [...features],
  joint: null,
  contexts: [],
});
const policy = { psiWatch: 0.02, psiSerious: 0.1, alpha: 0.01 };
const SAME = [100, 100, 100, 100, 100];
const MOVED = [60, 80, 100, 120, 140];
const FAR = [5, 20, 75, 150, 250];
const judge = (counts: Record<string, readonly number[]>, given = baseline([feature('a'), feature('b')])) =>
  judgeWindow(given, new Map(Object.entries(counts).map(([name, c]) => [name, [...c, ...NONE_BEYOND]])), policy);

describe('a window of what a device saw', () => {
  it('is steady where nothing moved', () => {
    expect(judge({ a: SAME, b: [110, 95, 105, 92, 98] })).toMatchObject({
      state: 'steady',
      farOff: false,
      quality: null,
    });
  });
  it('is watched when a feature surely moved more than is tolerated', () => {
    expect(judge({ a: SAME, b: MOVED })).toMatchObject({ state: 'watch', worstFeature: 'b', calibrated: true });
  });
  it('is serious when it surely moved much more', () => {
    const judged = judge({ a: FAR, b: SAME });
    expect(judged).toMatchObject({ state: 'serious', worstFeature: 'a' });
    expect(judged.lower).toBeGreaterThan(0.1);
    expect(judged.features.map((f) => f.name)).toEqual(['a', 'b']);
  });
  it('is far off when many features are', () => {
    expect(judge({ a: FAR, b: SAME }).farOff).toBe(true);
    const four = baseline(['a', 'b', 'c', 'd'].map((name) => feature(name)));
    expect(judge({ a: FAR, b: SAME, c: SAME, d: SAME }, four).farOff).toBe(false);
  });
  it('is watched and never serious where the baseline has too few windows, or none', () => {
    const few = baseline([feature('a')], { rows: 500, count: 99 });
    const { windowStatistic: _, ...plain } = feature('a');
    for (const given of [few, baseline([plain]), baseline([plain], { rows: 500, count: 0 })])
      expect(judge({ a: FAR }, given)).toMatchObject({ state: 'watch', calibrated: false });
  });
  it('is held to more when windows of training differed as much', () => {
    const unsteady = baseline([feature('a', { windowStatistic: { mean: 60, variance: 1800 } })]);
    expect(judge({ a: MOVED }, unsteady).state).toBe('steady');
  });
  it('leaves out features that were not counted', () => {
    expect(judge({ b: SAME }).features.map((f) => f.name)).toEqual(['b']);
    expect(judge({})).toMatchObject({ state: 'steady', worstFeature: '', psi: 0 });
  });
});

describe('the quality of the data', () => {
  const STUCK = [0, 0, 500, 0, 0];
  it('is doubted when a feature stays in one cell that never did', () => {
    expect(qualityOf(feature('a'), STUCK)).toBe('a does not vary: its sensor may be stuck');
    expect(judge({ a: STUCK, b: SAME }).quality).toContain('a does not vary');
  });
  it('is not doubted when a feature is beyond nearly all that training saw: that is a change', () => {
    for (const counts of [
      [500, 0, 0, 0, 0],
      [0, 0, 0, 0, 500],
    ]) {
      expect(qualityOf(feature('a'), counts)).toBeNull();
      expect(judge({ a: counts, b: SAME })).toMatchObject({ state: 'serious', quality: null });
    }
  });
  it('is not doubted where windows of training were narrow as well, or nobody knows', () => {
    expect(qualityOf(feature('a', { fewestCells: 4 }), STUCK)).toBeNull();
    expect(qualityOf({ name: 'a', cells: feature('a').cells }, STUCK)).toBeNull();
  });
  it('is not doubted while the feature varies', () => {
    expect(qualityOf(feature('a'), [1, 0, 499, 0, 0])).toBeNull();
  });
});
