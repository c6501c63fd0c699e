import { usersOf, whatBreaks } from '#core/feature-sets/users.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { digest } from '../cli/fakes.ts';

const SET = digest('1');
const PACKAGE = digest('2');
const USE_CASE = digest('3');
const to = `feature-set:${SET}`;
const edges = [
  { from: `use-case:${USE_CASE}`, rel: 'used' as const, to },
  { from: `snapshot:${digest('4')}`, rel: 'used' as const, to },
  { from: `package:${PACKAGE}`, rel: 'used' as const, to },
  { from: `backfill:b`, rel: 'used' as const, to },
];
const nothing = { digest: SET, edges: [], lines: [], releases: [], reports: [] };

test('users are what points at it and what of that is in use', () => {
  const users = usersOf({
    digest: SET,
    edges,
    lines: [
      aModelLine('pm/a', USE_CASE),
      aModelLine('pm/b', digest('9'), PACKAGE),
      aModelLine('pm/c', digest('9'), digest('8')),
    ],
    releases: [
      { releaseId: 'rel-1', packageDigest: PACKAGE, status: 'rolling-out' },
      { releaseId: 'rel-2', packageDigest: PACKAGE, status: 'released' },
      { releaseId: 'rel-3', packageDigest: digest('8'), status: 'waiting-approval' },
    ] as never,
    reports: [
      { site: 'plant-a', device: 'edge-1', serving: { packageDigest: PACKAGE } },
      { site: 'plant-a', device: 'edge-2', serving: { packageDigest: digest('8') } },
      { site: 'plant-a', device: 'edge-3', serving: null },
    ] as never,
  });
  expect(users).toEqual({
    useCases: [USE_CASE],
    snapshots: [digest('4')],
    packages: [PACKAGE],
    published: ['pm/a'],
    champions: [{ modelLine: 'pm/b', packageDigest: PACKAGE }],
    releases: ['rel-1'],
    devices: ['plant-a/edge-1'],
  });
  expect(whatBreaks(users)).toEqual([
    'pm/a: its published use case names it, no retrain of it runs any more',
    'pm/b: its champion 222222222222 reads it, and no successor can be trained on it',
    'release rel-1 is under way with a package that reads it',
    '1 devices serve a package that reads it: plant-a/edge-1',
  ]);
});

test('nothing breaks where nothing uses it, nor what only used it before', () => {
  expect(whatBreaks(usersOf(nothing))).toEqual([]);
  expect(whatBreaks(usersOf({ ...nothing, edges }))).toEqual([]);
});
