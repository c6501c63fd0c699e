import type { DeviceReport } from '../contracts/device.ts';
import { type LineageEdge, nodeRef } from '../contracts/ledger.ts';
import type { ReleaseRecord } from '../contracts/release.ts';
import type { ModelLineRecord } from '../contracts/retrain.ts';

/** Who uses a feature set: what points at it in the lineage, and what of that is in use. */
export interface FeatureSetUsers {
  /** Digests of use cases that ever named it. */
  readonly useCases: readonly string[];
  readonly snapshots: readonly string[];
  readonly packages: readonly string[];
  /** Model lines whose published use case names it. */
  readonly published: readonly string[];
  /** Model lines whose champion reads it. */
  readonly champions: readonly { readonly modelLine: string; readonly packageDigest: string }[];
  /** Releases that bring out a package that reads it. */
  readonly releases: readonly string[];
  /** `site/device` of devices that serve a package that reads it. */
  readonly devices: readonly string[];
}

const UNDER_WAY: readonly ReleaseRecord['status'][] = ['waiting-approval', 'rolling-out'];

/** @param edges those that arrive at the node of the feature set. */
export const usersOf = (o: {
  readonly digest: string;
  readonly edges: readonly LineageEdge[];
  readonly lines: readonly ModelLineRecord[];
  readonly releases: readonly ReleaseRecord[];
  readonly reports: readonly DeviceReport[];
}): FeatureSetUsers => {
  const to = nodeRef('feature-set', o.digest);
  const ids = (recordClass: 'use-case' | 'snapshot' | 'package'): readonly string[] =>
    [
      ...new Set(
        o.edges
          .filter((e) => e.to === to && e.from.startsWith(`${recordClass}:`))
          .map((e) => e.from.slice(recordClass.length + 1)),
      ),
    ].sort();
  const useCases = ids('use-case');
  const packages = ids('package');
  return {
    useCases,
    snapshots: ids('snapshot'),
    packages,
    published: o.lines.filter((l) => useCases.includes(l.useCaseDigest)).map((l) => l.modelLine),
    champions: o.lines.flatMap(({ modelLine, champion }) =>
      champion !== null && packages.includes(champion.packageDigest)
        ? [{ modelLine, packageDigest: champion.packageDigest }]
        : [],
    ),
    releases: o.releases
      .filter((r) => packages.includes(r.packageDigest) && UNDER_WAY.includes(r.status))
      .map((r) => r.releaseId),
    devices: o.reports
      .filter((r) => r.serving !== null && packages.includes(r.serving.packageDigest))
      .map((r) => `${r.site}/${r.device}`),
  };
};

/** What breaks when the feature set is retired, a sentence each; empty = nothing needs it. */
export const whatBreaks = (users: FeatureSetUsers): readonly string[] => [
  ...users.published.map((line) => `${line}: its published use case names it, no retrain of it runs any more`),
  ...users.champions.map(
    ({ modelLine, packageDigest }) =>
      `${modelLine}: its champion ${packageDigest.slice(7, 19)} reads it, and no successor can be trained on it`,
  ),
  ...users.releases.map((id) => `release ${id} is under way with a package that reads it`),
  ...(users.devices.length === 0
    ? []
    : [`${users.devices.length} devices serve a package that reads it: ${users.devices.slice(0, 10).join(', ')}`]),
];
