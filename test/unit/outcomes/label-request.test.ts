import fc from 'fast-check';
import { LabelRequest, type OutcomePolicy } from '#core/contracts/label-request.ts';
import { ESr } from '#core/drift/detectors/e-sr.ts';
import { answeredOf, type LabelNeed, nextLabelRequest } from '#core/outcomes/label-request.ts';
import { labelsToDecide } from '#core/outcomes/labels-to-decide.ts';
import { lotOf } from '#core/outcomes/selection.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';

const PACKAGE = `sha256:${'1'.repeat(64)}`;
const day = (n: number): string => new Date(Date.UTC(2025, 0, 1 + n)).toISOString();
const unit = (n: number, more: object = {}) => ({ unit: `m${n % 5}/r${n}`, lastAt: day(n), ...more });
const served = (n: number) => Array.from({ length: n }, (_, i) => unit(i));
const numberOf = (of: string): number => Number(of.split('/r')[1]);
const needWith = (more: Partial<LabelNeed> & { readonly outcomes?: OutcomePolicy } = {}): LabelNeed => ({
  modelLine: 'a/plant-a',
  site: 'plant-a',
  packageDigest: PACKAGE,
  policy: { maturityDays: 10, outcomes: more.outcomes },
  served: served(60),
  known: [],
  requests: [],
  count: 12,
  reason: 'too few outcomes to decide',
  ...more,
});

describe('a request for labels', () => {
  it('names units without an outcome that were drawn by lot, with the chance each had', () => {
    const request = nextLabelRequest(needWith());
    expect(LabelRequest.parse(request)).toMatchObject({
      requestId: 'a/plant-a/111111111111/1',
      ordinal: 1,
      after: null,
      until: day(59),
      candidates: 55,
      share: 12 / 55,
      count: 12,
    });
    const stopped = served(55).map((s) => s.unit);
    expect(request?.units).toEqual(stopped.filter((u) => lotOf(PACKAGE, u) < 12 / 55).sort());
  });
  it('asks for all where there are no more than decide', () => {
    expect(nextLabelRequest(needWith({ served: served(9), count: 12 }))?.units).toEqual(
      ['m0/r0', 'm1/r1', 'm2/r2', 'm3/r3'].sort(),
    );
  });
  it('asks for a unit that runs no more: another began after it on the machine, or it is silent for long', () => {
    const two = [unit(0), { unit: 'm0/r9', lastAt: day(5) }, unit(1)];
    expect(nextLabelRequest(needWith({ served: two, count: 9 }))?.units).toEqual(['m0/r0']);
    expect(nextLabelRequest(needWith({ served: [...two, unit(16)], count: 9 }))?.units).toEqual([
      'm0/r0',
      'm0/r9',
      'm1/r1',
    ]);
  });
  it('waits while one is open, and follows when its labels are known, for units that stopped since', () => {
    const first = nextLabelRequest(needWith()) as LabelRequest;
    expect(nextLabelRequest(needWith({ requests: [first] }))).toBeNull();
    const known = first.units.map((u) => ({ unit: u, knownTime: day(60) }));
    expect(answeredOf(first, new Set(known.slice(1).map((k) => k.unit)))).toBe(first.units.length - 1);
    const later = needWith({ requests: [first], known, served: served(120) });
    const second = nextLabelRequest(later) as LabelRequest;
    expect(second).toMatchObject({ ordinal: 2, after: day(59), until: day(119), candidates: 55 });
    expect(second.units.every((u) => numberOf(u) >= 55)).toBe(true);
  });
  it('names what was drawn of the stretch before and came to be known, or stopped, only since', () => {
    const first = nextLabelRequest(needWith({ served: served(60).slice(30) })) as LabelRequest;
    const known = first.units.map((u) => ({ unit: u, knownTime: day(60) }));
    const second = nextLabelRequest(needWith({ requests: [first], known, served: served(120) })) as LabelRequest;
    const late = served(60).filter((s) => numberOf(s.unit) < 30 || numberOf(s.unit) >= 55);
    const drawn = late.map((s) => s.unit).filter((u) => lotOf(PACKAGE, u) < first.share);
    expect(drawn.length).toBeGreaterThan(2);
    expect(second.units.filter((u) => numberOf(u) < 60)).toEqual(drawn.sort());
  });
  it('names all that were drawn in the end, however units came to be known', () => {
    const outcomes = { inspected: 'rejects', quota: 0.5 } as const;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 60, maxLength: 60 }), (comesIn) => {
        const requests: LabelRequest[] = [];
        for (const turn of [0, 1, 2, 3, 4]) {
          const now = unit(100 + 20 * turn);
          const come = [...served(60).filter((_, n) => (comesIn[n] as number) <= turn), now];
          const request = nextLabelRequest(needWith({ served: come, requests, outcomes, count: null }));
          if (request !== null) requests.push(LabelRequest.parse(request));
        }
        const named = requests.flatMap((r) => r.units).filter((u) => numberOf(u) < 60);
        const drawn = served(60).map((s) => s.unit);
        expect(named.sort()).toEqual(drawn.filter((u) => lotOf(PACKAGE, u) < 0.5).sort());
      }),
    );
  });
  it('leaves units alone that had their chance, also where that was smaller than any quota', () => {
    const hour = (n: number) => ({ unit: `m${n % 5}/r${n}`, lastAt: new Date(Date.UTC(2025, 0, 1, n)).toISOString() });
    const many = Array.from({ length: 2000 }, (_, n) => hour(n));
    const first = nextLabelRequest(needWith({ served: many })) as LabelRequest;
    expect(first.share).toBeLessThan(0.01);
    const known = first.units.map((u) => ({ unit: u, knownTime: hour(2001).lastAt }));
    const served = [...many, ...Array.from({ length: 5 }, (_, n) => hour(2000 + n))];
    const second = nextLabelRequest(needWith({ served, requests: [first], known }));
    const again = (second?.units ?? []).filter((u) => numberOf(u) < 1995);
    expect(again).toEqual([]);
  });
  it('names those that did not fit into one request in the next, within the week and those first that wait longest', () => {
    const outcomes = { inspected: 'rejects', quota: 1 } as const;
    const requests: LabelRequest[] = [];
    for (let n = 0; n < 4; n++) {
      const request = nextLabelRequest(needWith({ outcomes, served: served(500), requests, count: null }));
      if (request !== null) requests.push(LabelRequest.parse(request));
    }
    const named = requests.map((r) => r.units.map(numberOf).sort((a, b) => a - b));
    expect(named.map((units) => units.length)).toEqual([200, 200, 95]);
    expect(named.flat()).toEqual(Array.from({ length: 495 }, (_, n) => n));
  });
  it('is not waited for longer than outcomes take', () => {
    const first = nextLabelRequest(needWith()) as LabelRequest;
    expect(nextLabelRequest(needWith({ requests: [first], served: served(69) }))).toBeNull();
    expect(nextLabelRequest(needWith({ requests: [first], served: served(70) }))).toMatchObject({ ordinal: 2 });
  });
  it('leaves out rejects where these are inspected by themselves, and draws no fewer than the quota', () => {
    const rejects = served(60).map((s, n) => ({ ...s, rejected: n < 50 }));
    const request = nextLabelRequest(
      needWith({ served: rejects, count: 1, outcomes: { inspected: 'rejects', quota: 1 } }),
    );
    expect(request).toMatchObject({
      candidates: 5,
      share: 1,
      units: ['m0/r50', 'm1/r51', 'm2/r52', 'm3/r53', 'm4/r54'],
    });
  });
  it('asks for the quota once a week, where only rejects are inspected, and gives way to one with a reason', () => {
    const outcomes = { inspected: 'rejects', quota: 0.5 } as const;
    const standing = nextLabelRequest(needWith({ outcomes, count: null })) as LabelRequest;
    expect(standing).toMatchObject({ standing: true, share: 0.5, count: standing.units.length });
    const soon = { outcomes, requests: [standing], served: served(65) };
    expect(nextLabelRequest(needWith({ ...soon, count: null }))).toBeNull();
    expect(nextLabelRequest(needWith({ ...soon, served: served(67), count: null }))).toMatchObject({ after: day(59) });
    expect(nextLabelRequest(needWith({ ...soon, served: served(69), count: 9 }))).toMatchObject({
      ordinal: 2,
      count: 9,
    });
    expect(nextLabelRequest(needWith({ count: null }))).toBeNull();
  });
  it('is none without a unit to ask for, or where nobody was drawn', () => {
    expect(nextLabelRequest(needWith({ served: [] }))).toBeNull();
    expect(nextLabelRequest(needWith({ served: [unit(1)] }))).toBeNull();
    const undrawn = served(400).filter((s) => lotOf(PACKAGE, s.unit) > 0.5);
    expect(nextLabelRequest(needWith({ served: undrawn, count: 1 }))).toBeNull();
  });
  it('is the same whatever order units are known in, and names no unit twice over a life of requests', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 30 }), (of, count) => {
        const given = of.map((n) => unit(n));
        const request = nextLabelRequest(needWith({ served: given, count }));
        expect(nextLabelRequest(needWith({ served: given.toReversed(), count }))).toEqual(request);
        if (request === null) return;
        const next = nextLabelRequest(
          needWith({ served: [...given, unit(300), unit(305)], count, requests: [request] }),
        );
        for (const u of next?.units ?? []) expect(request.units).not.toContain(u);
      }),
    );
  });
});

describe('how many labels decide', () => {
  /** Median of what the detector needs of half the line's value, on losses of the stated mean; seeded. */
  const measured = (mean: number, target: number): number => {
    const random = seededRandom(42);
    const delays = Array.from({ length: 201 }, () => {
      let detector = ESr.start({ mean });
      let n = 0;
      while (detector.value < 2000) {
        detector = detector.update(Math.min(1, 2 * target * random()));
        n++;
      }
      return n;
    }).sort((a, b) => a - b);
    return delays[100] as number;
  };
  it.each([0.2, 0.25, 0.4])('is near what the detector needs for a mean loss of %d instead of 0.15', (target) => {
    const says = labelsToDecide({ mean: 0.15, excess: target - 0.15, alarmAt: 1000, eValue: 0, losses: [] });
    expect(says / measured(0.15, target)).toBeGreaterThan(0.8);
    expect(says / measured(0.15, target)).toBeLessThan(1.25);
  });
  it('is smaller with evidence that is there, and with losses that are larger than what must not be missed', () => {
    const of = { mean: 0.15, excess: 0.05, alarmAt: 1000, eValue: 0, losses: [] as number[] };
    const fresh = labelsToDecide(of);
    expect(labelsToDecide({ ...of, eValue: 31.7 })).toBeCloseTo(fresh / 2, -1);
    expect(labelsToDecide({ ...of, eValue: 5000 })).toBe(1);
    expect(labelsToDecide({ ...of, losses: Array.from({ length: 10 }, () => 0.5) })).toBeLessThan(fresh / 2);
  });
  it('ends where no number of labels would', () => {
    expect(labelsToDecide({ mean: 0.15, excess: 1e-6, alarmAt: 1e9, eValue: 0, losses: [] })).toBe(10_000);
  });
  it.each([0, -1, Number.NaN])('refuses an excess of %d', (excess) => {
    expect(() => labelsToDecide({ mean: 0.1, excess, alarmAt: 1000, eValue: 0, losses: [] })).toThrow(
      `expected an excess above 0, got ${excess}`,
    );
  });
});
