import { WindowEvidence, WindowKind } from '../../../core/contracts/drift.ts';
import { adviceOf } from '../../../core/drift/device/advice.ts';

const digest = (n: number): string => `sha256:${String(n).repeat(64)}`;
const evidence = (more: Partial<WindowEvidence> = {}): WindowEvidence =>
  WindowEvidence.parse({
    schema: 'drift-evidence/1',
    sequence: 3,
    previous: digest(1),
    modelLine: 'life/plant-a',
    packageDigest: digest(2),
    site: 'plant-a',
    device: 'edge-1',
    baselineDigest: digest(3),
    policyDigest: digest(4),
    windows: [{ boot: 'b1', windowStart: 1, digest: digest(5) }],
    events: [],
    held: [],
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-01-02T00:00:00.000Z',
    rows: 200,
    assets: ['m1', 'm2', 'm3', 'm4'],
    context: 'steel',
    against: 'fixed',
    kind: 'serious',
    state: 'serious',
    features: [
      {
        ...{ name: 'speed', psi: 0.41, lower: 0.3, upper: 0.6, p: 1e-9, js: 0.2, wasserstein: 0.5, ks: 0.2 },
        ...{ z: 0.6, cusum: 3, cusumLimit: 30 },
      },
    ],
    farOffWindows: 1,
    eValue: 120,
    threshold: 10_000,
    arl0: { value: 10_400, interval: [8000, 13_000] },
    calibrated: true,
    since: '2026-01-01T00:00:00.000Z',
    ageing: null,
    mix: [],
    says: ['far from the fixed reference', 'as it has been of late'],
    hash: digest(6),
    ...more,
  });

describe('what people are told of a window', () => {
  it('is what changed, in the words of the evidence', () => {
    expect(adviceOf(evidence()).what).toBe('far from the fixed reference; as it has been of late');
  });
  it('is how sure that is: the bound of the index, the evidence over windows, and how often the charts are wrong', () => {
    expect(adviceOf(evidence()).sure).toBe(
      'speed surely has index 0.3 at least; over windows e-value 120 of 10000; a false alarm of the slow charts every 10400 windows (8000 … 13000)',
    );
  });
  it('says that nothing surely differs where no bound is above zero', () => {
    const [speed] = evidence().features;
    const sure = adviceOf(evidence({ features: [{ ...(speed as NonNullable<typeof speed>), lower: 0 }] })).sure;
    expect(sure).toMatch(/^no feature surely differs in this window; over windows e-value 120/);
  });
  it('says that it is no proof where training had too few windows', () => {
    expect(adviceOf(evidence({ calibrated: false, arl0: null })).sure).toMatch(/uncalibrated, .* a hint, no proof$/);
  });
  it('is what to do next, for every kind of window', () => {
    const next = WindowKind.options.map((kind) => adviceOf(evidence({ kind })).next);
    expect(next.filter((n) => n.length > 3)).toHaveLength(WindowKind.options.length);
    expect(new Set(next).size).toBe(WindowKind.options.length);
  });
  it('names three machines, and how many more', () => {
    expect(adviceOf(evidence()).next).toMatch(/^find out what changed on m1, m2, m3 and 1 more:/);
  });
  it('names the day before which what ages must be dealt with, where that is known', () => {
    const ageing = { feature: 'speed', perDay: 0.01, daysToLimit: 30 };
    expect(adviceOf(evidence({ kind: 'ageing', ageing })).next).toMatch(/before 2026-02-01$/);
    expect(adviceOf(evidence({ kind: 'ageing', ageing: { ...ageing, daysToLimit: null } })).next).toMatch(
      /look at speed on m1, m2, m3 and 1 more at the next maintenance/,
    );
  });
});
