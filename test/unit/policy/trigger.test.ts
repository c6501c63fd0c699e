import fc from 'fast-check';
import type { RetrainRecord, RetrainRequest } from '#core/contracts/retrain.ts';
import { type KnownRetrain, resolveTrigger as resolve } from '#core/policy/trigger.ts';

const NOW = '2026-01-01T12:00:00.000Z';
const resolveTrigger = (r: RetrainRequest, known: readonly KnownRetrain[], now: string) =>
  resolve(r, known, now, { cooldownSeconds: 3600, debounceSeconds: 300 });
const request = (more: Partial<RetrainRequest> = {}): RetrainRequest => ({
  modelLine: 'a/b',
  site: 'plant-a',
  cause: 'drift',
  requestedBy: 'monitoring',
  reason: 'psi 0.4',
  requestId: 'mine',
  ...more,
});
const known = (requestId: string, at: string, more: Partial<RetrainRecord> = {}, alive = true): KnownRetrain => ({
  at,
  alive,
  record: {
    schema: 'retrain/1',
    execution: `arn:${requestId}`,
    status: 'candidate',
    step: 'Register',
    detail: '',
    snapshotDigest: null,
    packageDigest: null,
    ...request({ requestId, cause: 'schedule' }),
    ...more,
  },
});
const minutesAgo = (m: number): string => new Date(Date.parse(NOW) - m * 60_000).toISOString();

describe('trigger', () => {
  test('goes when nothing is known', () => expect(resolveTrigger(request(), [], NOW)).toEqual({ go: true }));
  test('a twin that runs stops everyone, a person too', () => {
    const twin = known('other', minutesAgo(1), { status: 'running' });
    for (const cause of ['drift', 'person'] as const)
      expect(resolveTrigger(request({ cause }), [twin], NOW)).toMatchObject({
        go: false,
        why: expect.stringContaining('other'),
      });
  });
  test('a twin whose execution is gone stops nobody', () => {
    expect(
      resolveTrigger(request({ cause: 'person' }), [known('other', minutesAgo(1), { status: 'running' }, false)], NOW),
    ).toEqual({ go: true });
  });
  test('another line stops nobody', () => {
    expect(resolveTrigger(request(), [known('other', minutesAgo(1), { modelLine: 'a/c' })], NOW)).toEqual({ go: true });
  });
  test('drift waits for the cooldown, a person does not', () => {
    const ended = known('other', minutesAgo(30));
    expect(resolveTrigger(request(), [ended], NOW)).toMatchObject({
      go: false,
      why: expect.stringContaining('cooldown'),
    });
    expect(resolveTrigger(request({ cause: 'person' }), [ended], NOW)).toEqual({ go: true });
    expect(resolveTrigger(request(), [known('other', minutesAgo(61))], NOW)).toEqual({ go: true });
  });
  test('the same cause asked again at once is the same question', () => {
    expect(resolveTrigger(request(), [known('other', minutesAgo(2), { cause: 'drift' })], NOW)).toMatchObject({
      go: false,
      why: expect.stringContaining('already asked'),
    });
  });
  test('a request that was skipped starts no cooldown', () => {
    expect(resolveTrigger(request(), [known('other', minutesAgo(1), { status: 'skipped' })], NOW)).toEqual({
      go: true,
    });
  });
  test('of any that run together exactly one goes on', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,5}$/), fc.integer({ min: 0, max: 3 })), {
          minLength: 1,
          maxLength: 8,
          selector: ([id]) => id,
        }),
        (all) => {
          const records = all.map(([id, m]) => known(id, minutesAgo(m), { status: 'running', cause: 'person' }));
          const going = all.filter(
            ([requestId]) => resolveTrigger(request({ requestId, cause: 'person' }), records, NOW).go,
          );
          return going.length === 1;
        },
      ),
    );
  });
});
