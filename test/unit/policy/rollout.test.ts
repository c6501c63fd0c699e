import fc from 'fast-check';
import type { DeviceReport } from '#core/contracts/device.ts';
import {
  type Composition,
  composeDeployment,
  composeRevert,
  configure,
  placedPackage,
} from '#core/policy/compose-deployment.ts';
import { isForTheLine, planRings, planRollout, type RingState } from '#core/policy/rollout.ts';
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
  const beside = { champion: OTHER, tolerance: 15, batch: 5, seconds: 120 };
  const shadowIn = (c: Composition): unknown =>
    JSON.parse(c['millwright.runtime']?.configurationUpdate?.merge ?? '').shadow;
  test('names the champion that runs beside, and ends an earlier comparison', () => {
    const compared = composeDeployment(runtime, place, '', beside);
    expect(shadowIn(compared)).toEqual({ packageDigest: OTHER, tolerance: '15', batch: '5', seconds: '120' });
    expect(shadowIn(composeDeployment(compared, place, ''))).toEqual({ packageDigest: '' });
    expect(shadowIn(composeRevert(compared, place.name, OTHER))).toEqual({ packageDigest: '' });
    expect(shadowIn(composeRevert(runtime, place.name, OTHER, true))).toEqual({ packageDigest: '' });
  });
  test('says nothing of a comparison to a ring that never had one: an older runtime does not know the word', () => {
    expect(shadowIn(composeDeployment(runtime, place, ''))).toBeUndefined();
    expect(shadowIn(composeRevert(runtime, place.name, OTHER))).toBeUndefined();
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
  test('the way back from a first release allows no package; what was taken back may be released anew', () => {
    const back = composeRevert(runtime, place.name, DIGEST);
    expect(told(back)).toEqual({ revertTo: '', withdrawn: DIGEST });
    expect(told(composeDeployment(back, place, ''))).toEqual({ revertTo: '', withdrawn: '' });
  });
  test('a release of another package keeps what was taken back: a device may have been offline meanwhile', () => {
    const back = composeRevert(runtime, place.name, OTHER);
    const next = composeDeployment(back, place, '');
    expect(told(next)).toEqual({ revertTo: '', withdrawn: OTHER });
    expect(told(composeRevert(next, place.name, DIGEST))).toEqual({ revertTo: DIGEST, withdrawn: OTHER });
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
  test('a release is for the line when every ring but the bench gets it', () => {
    const ring = (n: number, deviceClass = 'x') => ({ ring: n, deviceClass });
    const all = [ring(0), ring(0, 'y'), ring(1), ring(2)];
    expect(isForTheLine(all, all)).toBe(true);
    expect(isForTheLine(all, [ring(1), ring(2)])).toBe(true);
    expect(isForTheLine(all, [ring(0), ring(0, 'y')])).toBe(false);
    expect(isForTheLine(all, [ring(0), ring(2)])).toBe(false);
    expect(isForTheLine([ring(3)], [ring(3)])).toBe(true);
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
      shadow: null,
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
  test('reverts when the deployment failed on a device that serves the package: its nucleus takes it away again', () => {
    expect(wave(20, [device(report(DIGEST, 20, 9), 'FAILED')])).toMatchObject({
      verdict: 'revert',
      devices: [{ status: 'failed' }],
    });
  });
  test('what a device reported before the deployment says nothing about it, whatever it served then', () => {
    const shadow = { packageDigest: OTHER, frames: 100, assets: [{ asset: 'a', batches: [20, 0, 0, 0, 0, 0] }] };
    const before = device(report(DIGEST, -5, 50, { shadow }));
    const release = { champion: OTHER, expected: null, differsOn: [] };
    expect(wave(4, [before], { shadow: release })).toMatchObject({
      verdict: 'wait',
      devices: [{ status: 'waiting', decisions: 0 }],
      shadow: null,
    });
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
  const plan = { champion: OTHER, expected: null, differsOn: [] as string[] };
  const compared = (
    batches: Record<string, number[]>,
    name = 'edge-1',
    at1 = 20,
    shadow: DeviceReport['shadow'] = {
      packageDigest: OTHER,
      frames: 30,
      assets: Object.entries(batches).map(([asset, b]) => ({ asset, batches: b })),
    },
  ) => device(report(DIGEST, at1, 30, { shadow }), 'SUCCEEDED', name);
  const AGREE = [20, 0, 0, 0, 0, 0];
  const DIFFER = [0, 0, 0, 0, 1, 7];
  test('reverts on decisions alone: the deployment has succeeded and every device serves the package', () => {
    const devices = [compared({ a: AGREE.map((n) => n / 20) }), compared({ b: DIFFER }, 'edge-2')];
    expect(wave(4, devices, { shadow: plan })).toMatchObject({
      verdict: 'revert',
      devices: [{ status: 'adopted' }, { status: 'adopted' }],
      reasons: [
        expect.stringMatching(
          /^edge-2 and the champion disagree on 97.5 % of 40 frames, 10 % is acceptable \(e-value \S+ ≥ 1000\)$/,
        ),
      ],
      shadow: { champion: OTHER, expected: 0.1, batches: 9, noReference: [] },
    });
  });
  test('says of the one device that differs how much it does, not how little all of them do', () => {
    const well = Array.from({ length: 19 }, (_, i) => compared({ [`a-${i}`]: AGREE }, `well-${i}`));
    expect(wave(4, [...well, compared({ b: [0, 0, 0, 0, 0, 9] }, 'odd')], { shadow: plan }).reasons).toEqual([
      expect.stringMatching(/^odd and the champion disagree on 100 % of 45 frames, 10 % is acceptable/),
    ]);
  });
  test('evidence that it decides as well ends the wave before the bake time', () => {
    expect(wave(4, [compared({ a: AGREE })], { shadow: plan })).toMatchObject({
      verdict: 'continue',
      reasons: [expect.stringContaining('it agrees with the champion on 100 % of 100 frames')],
      shadow: { disagreement: 0 },
    });
  });
  test('evidence does not wait for devices that are offline, but for those that are online', () => {
    const good = compared({ a: AGREE });
    expect(wave(4, [good, device(null, null, 'edge-2')], { shadow: plan })).toMatchObject({
      verdict: 'continue',
      reasons: [expect.any(String), '1 of 2 devices are offline and join later'],
    });
    expect(wave(4, [good, device(report(OTHER, 4, 9), null, 'edge-2')], { shadow: plan }).verdict).toBe('wait');
  });
  test('without evidence the wave waits beyond the bake time, and reverts at its timeout', () => {
    const few = (at1: number) => compared({ a: [3, 0, 0, 0, 0, 0] }, 'edge-1', at1);
    expect(wave(50, [few(50)], { shadow: plan })).toMatchObject({ verdict: 'wait' });
    expect(wave(101, [few(101)], { shadow: plan })).toMatchObject({
      verdict: 'revert',
      reasons: [expect.stringMatching(/not enough evidence within 100 s: .* 15 frames/)],
    });
  });
  test('a comparison that is still about to begin is waited for', () => {
    const starting = compared({}, 'edge-1', 50, { packageDigest: OTHER, frames: 0, assets: [] });
    expect(wave(50, [starting], { shadow: plan }).verdict).toBe('wait');
  });
  test('where the champion is no reference on any asset, the bake time decides', () => {
    const differs = { ...plan, differsOn: ['b'] };
    expect(wave(4, [compared({ b: DIFFER })], { shadow: differs }).verdict).toBe('wait');
    expect(wave(20, [compared({ b: DIFFER })], { shadow: differs })).toMatchObject({
      verdict: 'continue',
      reasons: [expect.stringContaining('have decided enough'), 'no reference: b'],
      shadow: { batches: 0, noReference: ['b'] },
    });
    expect(wave(20, [compared({ a: AGREE, b: DIFFER })], { shadow: differs }).verdict).toBe('continue');
  });
  test('where no device can compare, the bake time decides', () => {
    const alone = (shadow: DeviceReport['shadow']) => compared({}, 'edge-1', 20, shadow);
    for (const d of [alone(null), alone({ packageDigest: DIGEST, frames: 9, assets: [] })]) {
      expect(wave(4, [d], { shadow: plan }).verdict).toBe('wait');
      expect(wave(20, [d], { shadow: plan })).toMatchObject({ verdict: 'continue', shadow: null });
    }
  });
  test('what a device compared with another package does not count', () => {
    const before = device(
      report(OTHER, 4, 9, { shadow: { packageDigest: OTHER, frames: 40, assets: [{ asset: 'a', batches: DIFFER }] } }),
    );
    expect(wave(4, [before], { shadow: plan })).toMatchObject({ verdict: 'wait', shadow: null });
  });
  test('many devices that differ are named by the first three', () => {
    const devices = ['e-1', 'e-2', 'e-3', 'e-4', 'e-5'].map((name) => compared({ [name]: DIFFER }, name));
    expect(wave(4, devices, { shadow: plan }).reasons[0]).toMatch(/^e-1, e-2, e-3 and 2 more and the champion/);
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
