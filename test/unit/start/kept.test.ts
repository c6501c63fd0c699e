import fc from 'fast-check';
import type { LastSeen } from '../../../core/contracts/local-plant.ts';
import { compareHoldings } from '../../../local/start/kept.ts';

const AT = '2026-01-01T00:00:10.000Z';
const seen = (over: Partial<LastSeen> = {}): LastSeen => ({
  schema: 'last-seen/1',
  at: AT,
  chains: { 'plant-a/raw-object': 40, 'plant-a/decision-object': 18 },
  tables: { registry: 300 },
  buckets: { lake: 60, artifacts: 5 },
  deployments: 4,
  ...over,
});

test('a cut that cost nothing says what is there', () => {
  expect(compareHoldings(seen(), seen(), '2026-01-01T00:00:09.000Z')).toEqual({
    kept: '58 ledger records, 18 decision objects, 65 objects in S3, 4 deployments',
    lost: null,
  });
});

test('what is missing is told by class, with how far back the disk was', () => {
  const after = seen({
    chains: { 'plant-a/raw-object': 40, 'plant-a/decision-object': 15 },
    tables: { registry: 290 },
    buckets: { lake: 59, artifacts: 5 },
    deployments: 3,
  });
  expect(compareHoldings(seen(), after, '2026-01-01T00:00:07.900Z')).toEqual({
    kept: '55 ledger records, 15 decision objects, 64 objects in S3, 3 deployments',
    lost: '3 ledger records (3 decision-object), 1 object in S3 (1 lake), 1 deployment, written in the last 2.1 s before the cut',
  });
});

test('items that only tables miss are told when the ledger misses none', () => {
  const after = seen({ tables: { registry: 298 } });
  expect(compareHoldings(seen(), after, null).lost).toBe('2 table items (2 registry), written just before the cut');
});

test('an empty plant after the cut has lost everything', () => {
  const after = seen({ chains: {}, tables: {}, buckets: {}, deployments: 0 });
  const { kept, lost } = compareHoldings(seen(), after, null);
  expect(kept).toBe('0 ledger records, 0 decision objects, 0 objects in S3, 0 deployments');
  expect(lost).toContain(
    '58 ledger records (40 raw-object, 18 decision-object), 65 objects in S3 (60 lake, 5 artifacts)',
  );
});

test('what was kept and what was lost make what was held', () => {
  const counts = fc.dictionary(fc.constantFrom('s/a', 's/b', 's/c'), fc.nat(1000));
  fc.assert(
    fc.property(counts, counts, (before, after) => {
      const report = compareHoldings(seen({ chains: before }), seen({ chains: after }), null);
      const kept = Number(/^(\d+) ledger/.exec(report.kept)?.[1]);
      const lost = Number(/^(\d+) ledger/.exec(report.lost ?? '0 ledger')?.[1]);
      expect(kept + lost).toBe(Object.values(before).reduce((sum, n) => sum + n, 0));
    }),
  );
});
