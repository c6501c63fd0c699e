import { Duration } from 'aws-cdk-lib';
import { type LifecycleRule, StorageClass } from 'aws-cdk-lib/aws-s3';
import type { Retention } from '#core/contracts/deployment-config.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import { LAKE_PREFIXES, LANDED_TABLES } from '#core/contracts/lake-tables.ts';

/** Days in which what compaction has removed can be had back. */
const REMOVED_FOR_DAYS = 30;

/**
 * Lifecycle of the lake: for each prefix what the config says of its class. Nothing expires that the config does not let
 * expire; what compaction removed, because its rows lie in tier cold, is gone after a month.
 */
export const retentionRules = (retention: Retention): LifecycleRule[] => [
  ...LAKE_PREFIXES.flatMap(({ prefix, retention: kind }): LifecycleRule[] => {
    const { cheaperAfterDays, expireAfterDays } = retention[kind];
    if (cheaperAfterDays === null && expireAfterDays === null) return [];
    return [
      {
        id: `${kind}-${prefix.replaceAll(/[^a-z]+/g, '-').replace(/-$/, '')}`,
        prefix,
        ...(cheaperAfterDays === null
          ? {}
          : {
              transitions: [
                {
                  storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL,
                  transitionAfter: Duration.days(cheaperAfterDays),
                },
              ],
            }),
        ...(expireAfterDays === null
          ? {}
          : { expiration: Duration.days(expireAfterDays), noncurrentVersionExpiration: Duration.days(1) }),
      },
    ];
  }),
  ...LANDED_TABLES.map((table) => ({
    id: `removed-${table}`,
    prefix: lakeKeys.tierPrefix('hot', table),
    noncurrentVersionExpiration: Duration.days(REMOVED_FOR_DAYS),
    expiredObjectDeleteMarker: true,
  })),
];
