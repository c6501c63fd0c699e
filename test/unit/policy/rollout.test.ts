import fc from 'fast-check';
import type { DeviceReport } from '#core/contracts/device.ts';
import {
  type Composition,
  composeDeployment,
  composeRevert,
  configure,
  placedPackage,
} from '#core/policy/compose-deployment.ts';
import { planRings, planRollout, type RingState } from '#core/policy/rollout.ts';
import { judgeBack, judgeWave, type WaveDevice, type WaveInput } from '#core/policy/wave.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const OTHER = `sha256:${'2'.repeat(64)}`;
const runtime: Composition = {
  'millwright.runtime': {
    componentVersion: '1.0.1',
    configurationUpdate: { merge: '{"site":"plant-a","revertTo":"x"}' },
  },
  'millwright.uplink': { componentVersion: '1.0.1' },
};
const place = { name: 'millwright.model.a.b', version: '1.0.7', configuration: { packageDigest: DIGEST } };

describe('composition', () => {
  test('keeps everything that is there and places one component', () => {
    const next = composeDeployment(runtime, place, '');
    expect(next['millwright.uplink']).toEqual(runtime['millwright.uplink']);
    expect(next[place.name]?.componentVersion).toBe('1.0.7');
    expect(JSON.parse(next['millwright.runtime']?.configurationUpdate?.merge ?? '')).toEqual({
      site: 'plant-a',
      revertTo: '',
      withdrawn: '',
    });
  });
  test('placing twice is placing once', () => {
    const components = fc.dictionary(
      fc.stringMatching(/^other\.[a-z]{1,6}$/),
      fc.constant({ componentVersion: '2.0.0' }),
    );
    fc.assert(
      fc.property(components, (others) => {
        const once = composeDeployment({ ...runtime, ...others }, place, DIGEST);
        expect(composeDeployment(once, place, DIGEST)).toEqual(once);
        expect(Object.keys(once).sort()).toEqual([...Object.keys({ ...runtime, ...others }), place.name].sort());
      }),
    );
  });
  const told = (c: Composition): unknown => {
    const { revertTo, withdrawn } = JSON.parse(c['millwright.runtime']?.configurationUpdate?.merge ?? '');
    return { revertTo, withdrawn };
  };
  test('the way back takes the package of the release back and allows the one before it', () => {
    const before = composeDeployment(runtime, place, '');
    const back = composeRevert(before, place.name, OTHER);
    expect(told(back)).toEqual({ revertTo: DIGEST, withdrawn: OTHER });
    expect(back[place.name]).toEqual(before[place.name]);
  });
  test('the way back from a first release allows no package; the next release forgets what was taken back', () => {
    const back = composeRevert(runtime, place.name, DIGEST);
    expect(told(back)).toEqual({ revertTo: '', withdrawn: DIGEST });
    expect(told(composeDeployment(back, place, ''))).toEqual({ revertTo: '', withdrawn: '' });
  });
  test('the way back from a release of what served anyway takes nothing back', () => {
    expect(told(composeRevert(composeDeployment(runtime, place, ''), place.name, DIGEST))).toEqual({
      revertTo: DIGEST,
      withdrawn: '',
    });
  });
  test('refuses a ring without a runtime, naming what it has', () => {
    expect(() => composeDeployment({ foo: { componentVersion: '1.0.0' } }, place, '')).toThrow(
      'has no millwright.runtime (it has foo)',
    );
  });
  test('refuses a configuration that is not JSON', () => {
    expect(() => configure({ a: { componentVersion: '1', configurationUpdate: { merge: '{' } } }, 'a', {})).toThrow(
      'is not JSON',
    );
  });
  test('finds the package that a composition carries', () => {
    expect(placedPackage(composeDeployment(runtime, place, ''), place.name)).toBe(DIGEST);
    expect(placedPackage(runtime, place.name)).toBeNull();
  });
});

describe('rollout', () => {
  const ringState = fc.record({
    ring: fc.integer({ min: 0, max: 4 }),
    deviceClass: fc.constantFrom('arm', 'x86'),
    thingGroup: fc.uuid(),
    placed: fc.boolean(),
    previous: fc.constantFrom(null, runtime),
  });
  test('rings go in order, bench first, and only those wanted', () => {
    const rings = [
      { ring: 2, deviceClass: 'x' },
      { ring: 0, deviceClass: 'y' },
      { ring: 0, deviceClass: 'x' },
      { ring: 9, deviceClass: 'x' },
    ];
    expect(planRings(rings, [0, 2]).map((r) => `${r.ring}${r.deviceClass}`)).toEqual(['0x', '0y', '2x']);
  });
  test('placing touches exactly what is not placed, and when all is placed nothing', () => {
    fc.assert(
      fc.property(fc.array(ringState), (state: RingState[]) => {
        const steps = planRollout(state, 'placed');
        expect(steps).toHaveLength(state.filter((r) => !r.placed).length);
        expect(
          planRollout(
            state.map((r) => ({ ...r, placed: true })),
            'placed',
          ),
        ).toEqual([]);
      }),
    );
  });
  test('going back touches exactly the changed rings, in the opposite order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(ringState, { selector: (r) => `${r.ring}${r.deviceClass}` }), (state: RingState[]) => {
        const changed = state.map((r) => ({ ...r, placed: true, previous: runtime }));
        const there = planRollout(
          state.map((r) => ({ ...r, placed: false })),
          'placed',
        ).map((s) => s.thingGroup);
        const back = planRollout(changed, 'as-before').map((s) => s.thingGroup);
        expect(back).toEqual(there.reverse());
        expect(planRollout(state, 'as-before')).toHaveLength(
          state.filter((r) => r.placed && r.previous !== null).length,
        );
      }),
    );
  });
});

describe('wave', () => {
  const T0 = '2026-01-01T00:00:00.000Z';
  const at = (s: number): string => new Date(Date.parse(T0) + s * 1000).toISOString();
  const report = (
    packageDigest: string | null,
    now: number,
    decided: number,
    more: Partial<DeviceReport> = {},
  ): DeviceReport => ({
    schema: 'device-report/1',
    site: 'plant-a',
    device: 'edge-1',
    deviceClass: 'x86-64',
    boot: 'b-1',
    at: at(now),
    modelLine: 'a/b',
    serving:
      packageDigest === null ? null : { packageDigest, releaseNumber: 1, variant: 'int8', adoptedAt: T0, bench: [] },
    sinceAdoption: { decided, undecided: 0, fallback: 0, held: 0, latencyP50Ms: 1, latencyP99Ms: 2 },
    lastRefusal: null,
    spool: { pending: 0, bytes: 0 },
    ...more,
  });
  const device = (r: DeviceReport | null, status: string | null = 'SUCCEEDED', name = 'edge-1'): WaveDevice => ({
    device: name,
    report: r,
    receivedAt: r?.at ?? null,
    deploymentStatus: status,
  });
  const wave = (now: number, devices: WaveDevice[], more: Partial<WaveInput> = {}) =>
    judgeWave({
      ring: 0,
      thingGroup: 'g',
      deploymentId: 'd',
      packageDigest: DIGEST,
      policy: {
        riskClass: 'automatic',
        rings: [0],
        minDecisionsPerDevice: 5,
        maxFallbackShare: 0.2,
        bakeSeconds: 10,
        waveTimeoutSeconds: 100,
        shadow: { tolerance: 15, batch: 5, maxDisagreement: 0.1, margin: 0.3, alpha: 0.001, beta: 0.05 },
      },
      deployedAt: T0,
      now: at(now),
      devices,
      ...more,
    });

  test('waits while a device has not adopted, bakes, or decides too little', () => {
    expect(wave(20, [device(report(OTHER, 20, 50))]).verdict).toBe('wait');
    expect(wave(5, [device(report(DIGEST, 5, 50))]).verdict).toBe('wait');
    expect(wave(20, [device(report(DIGEST, 20, 4))]).verdict).toBe('wait');
  });
  test('goes on when every device serves it and has decided enough', () => {
    expect(wave(20, [device(report(DIGEST, 20, 5))])).toMatchObject({
      verdict: 'continue',
      devices: [{ status: 'adopted', decisions: 5 }],
    });
  });
  test('reverts on one refusal of this package, with the device and its reason', () => {
    const refused = report(OTHER, 20, 9, {
      lastRefusal: { packageDigest: DIGEST, reason: 'golden sample 3', at: at(15) },
    });
    const result = wave(20, [device(report(DIGEST, 20, 9)), device(refused, 'FAILED', 'edge-2')]);
    expect(result.verdict).toBe('revert');
    expect(result.reasons).toEqual(['edge-2 refused: golden sample 3']);
  });
  test('does not hold an old refusal against a new try', () => {
    const old = report(OTHER, 20, 9, { lastRefusal: { packageDigest: DIGEST, reason: 'x', at: at(-5) } });
    expect(wave(20, [device(old, 'IN_PROGRESS')]).verdict).toBe('wait');
  });
  test('an old refusal by a device whose clock is ahead does not count, a new one does', () => {
    const ahead = (refusedAt: number): WaveDevice => ({
      ...device(
        report(OTHER, 3620, 9, { lastRefusal: { packageDigest: DIGEST, reason: 'x', at: at(3600 + refusedAt) } }),
      ),
      receivedAt: at(20),
    });
    expect(wave(20, [ahead(-5)]).verdict).toBe('wait');
    expect(wave(20, [ahead(5)]).verdict).toBe('revert');
  });
  test('reverts when Greengrass says the deployment failed', () => {
    expect(wave(20, [device(report(OTHER, 20, 9), 'FAILED')]).verdict).toBe('revert');
  });
  test('reverts when a device falls back too often', () => {
    const bad = report(DIGEST, 20, 6, {
      sinceAdoption: { decided: 6, undecided: 0, fallback: 4, held: 0, latencyP50Ms: 1, latencyP99Ms: 2 },
    });
    expect(wave(20, [device(bad)]).verdict).toBe('revert');
  });
  test('at the timeout a device that is offline is declared done if another has proved it', () => {
    expect(wave(101, [device(report(DIGEST, 101, 9)), device(null, null, 'edge-2')])).toMatchObject({
      verdict: 'continue',
      devices: [{}, { status: 'offline' }],
    });
  });
  test('at the timeout nobody online, or one online without proof, reverts', () => {
    expect(wave(101, [device(null, null)])).toMatchObject({
      verdict: 'revert',
      reasons: [expect.stringContaining('nobody has proved')],
    });
    expect(
      wave(101, [device(report(DIGEST, 101, 9)), device(report(DIGEST, 101, 1), 'SUCCEEDED', 'edge-2')]).verdict,
    ).toBe('revert');
  });
  test('a ring without devices or never commissioned is empty', () => {
    expect(wave(1, []).verdict).toBe('empty');
    expect(wave(1, [device(null)], { deploymentId: null }).verdict).toBe('empty');
  });
  test('a refusal always reverts, whatever the others say', () => {
    const refused = device(
      report(OTHER, 20, 0, { lastRefusal: { packageDigest: DIGEST, reason: 'r', at: at(1) } }),
      null,
      'bad',
    );
    const other = fc.constantFrom(device(report(DIGEST, 20, 50)), device(null), device(report(OTHER, 20, 3)));
    fc.assert(
      fc.property(
        fc.array(other),
        fc.integer({ min: 2, max: 500 }),
        (others, now) => wave(now, [...others, refused]).verdict === 'revert',
      ),
    );
  });
});

describe('the way back', () => {
  const T0 = '2026-02-01T00:00:00.000Z';
  const at = (s: number): string => new Date(Date.parse(T0) + s * 1000).toISOString();
  const device = (
    serves: string | null,
    status: string | null,
    reportedAt: number | null = 20,
    name = 'edge-1',
  ): WaveDevice => ({
    device: name,
    deploymentStatus: status,
    receivedAt: reportedAt === null ? null : at(reportedAt),
    report:
      reportedAt === null
        ? null
        : {
            schema: 'device-report/1',
            site: 'plant-a',
            device: name,
            deviceClass: 'x86-64',
            boot: 'b-1',
            at: at(reportedAt),
            modelLine: 'a/b',
            serving:
              serves === null
                ? null
                : { packageDigest: serves, releaseNumber: 1, variant: 'int8', adoptedAt: T0, bench: [] },
            sinceAdoption: { decided: 0, undecided: 0, fallback: 0, held: 0, latencyP50Ms: 1, latencyP99Ms: 2 },
            lastRefusal: null,
            spool: { pending: 0, bytes: 0 },
          },
  });
  const back = (devices: readonly WaveDevice[], now = 20, before: string | null = OTHER) =>
    judgeBack({ packageDigest: DIGEST, back: before, revertedAt: T0, now: at(now), withinSeconds: 100, devices });

  test('is done when every device serves again what it had', () => {
    expect(back([device(OTHER, 'SUCCEEDED')])).toEqual({ verdict: 'done', notBack: [] });
  });
  test('is done without a package before when none serves the one that was taken back', () => {
    expect(back([device(null, 'SUCCEEDED'), device(OTHER, 'SUCCEEDED')], 20, null).notBack).toEqual([]);
    expect(back([device(DIGEST, 'SUCCEEDED')], 20, null).verdict).toBe('wait');
  });
  test.each([
    ['serves what was taken back', device(DIGEST, 'SUCCEEDED'), `it serves ${DIGEST}, its deployment is SUCCEEDED`],
    ['serves nothing', device(null, 'SUCCEEDED'), 'it serves no package'],
    ['has not done its deployment', device(OTHER, 'IN_PROGRESS'), 'its deployment is IN_PROGRESS'],
    ['has not seen its deployment', device(OTHER, null), 'its deployment is not begun'],
    ['spoke last before it', device(OTHER, 'SUCCEEDED', -10), `it serves ${OTHER}`],
  ])('waits for a device that %s, until the time is over', (_, d, why) => {
    expect(back([d])).toMatchObject({
      verdict: 'wait',
      notBack: [{ device: 'edge-1', online: true, why: expect.stringContaining(why) }],
    });
    expect(back([{ ...d, receivedAt: at((d.receivedAt as string) < T0 ? -1 : 99) }], 100).verdict).toBe('done');
  });
  test('does not wait for a device that is offline or failed, and says so', () => {
    expect(
      back(
        [
          device(DIGEST, null, -50, 'edge-1'),
          device(null, null, null, 'edge-2'),
          { ...device(null, 'FAILED', 20, 'edge-3'), deploymentReason: 'startup ended with 1' },
        ],
        20,
      ),
    ).toEqual({
      verdict: 'done',
      notBack: [
        { device: 'edge-1', online: false, why: `offline, last heard of at ${at(-50)}` },
        { device: 'edge-2', online: false, why: 'it never reported' },
        {
          device: 'edge-3',
          online: true,
          why: 'its way back failed: startup ended with 1; it serves no package',
        },
      ],
    });
  });
});
