import { DeploymentConfig } from '../../core/contracts/deployment-config.ts';
import { LAKE_PREFIXES } from '../../core/contracts/lake-tables.ts';
import { configOf, type Resource, resourcesOf, synthesise } from './synth.ts';

const aws = configOf('example-four-accounts');
const rawConfig = (retention?: object) => DeploymentConfig.parse({ ...aws, data: { ...aws.data, retention } });

interface Rule {
  readonly Id?: string;
  readonly Prefix?: string;
  readonly ExpirationInDays?: number;
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays: number };
  readonly Transitions?: readonly { readonly StorageClass: string; readonly TransitionInDays: number }[];
}
const rulesOf = (config: DeploymentConfig): readonly Rule[] => {
  const lake = resourcesOf(synthesise(config), 'AWS::S3::Bucket').find((b) =>
    String(b.Properties['BucketName']).includes('-lake-'),
  );
  return ((lake as Resource).Properties['LifecycleConfiguration'] as { Rules: Rule[] }).Rules;
};

describe('how long the lake keeps what', () => {
  it('is for ever, unless the config says otherwise; only results of queries end', () => {
    const rules = rulesOf(rawConfig());
    expect(rules.filter((r) => r.ExpirationInDays !== undefined).map((r) => r.Prefix)).toEqual(['athena-results/']);
    const noncurrent = rules.filter((r) => r.NoncurrentVersionExpiration !== undefined).map((r) => r.Prefix);
    expect(noncurrent.filter((p) => p !== 'athena-results/' && !p?.includes('/tier=hot/'))).toEqual([]);
  });

  it('moves raw data to cheaper storage after a quarter of a year', () => {
    const moved = rulesOf(rawConfig()).filter((r) => r.Transitions !== undefined);
    expect(moved.map((r) => r.Prefix).sort()).toEqual(['curated/observations/', 'raw/frames/', 'raw/observations/']);
    for (const rule of moved) expect(rule.Transitions).toEqual([{ StorageClass: 'GLACIER_IR', TransitionInDays: 90 }]);
  });

  it('is what the config says of a class, for each prefix of that class and no other', () => {
    const rules = rulesOf(
      rawConfig({ quarantine: { expireAfterDays: 400 }, working: { cheaperAfterDays: 30, expireAfterDays: 800 } }),
    );
    const ends = Object.fromEntries(
      rules.filter((r) => r.ExpirationInDays !== undefined).map((r) => [r.Prefix, r.ExpirationInDays]),
    );
    const working = LAKE_PREFIXES.filter((p) => p.retention === 'working').map((p) => [p.prefix, 800]);
    expect(ends).toEqual({ 'athena-results/': 7, 'quarantine/': 400, ...Object.fromEntries(working) });
  });

  it('has rules of different names', () => {
    const kind = { cheaperAfterDays: 1, expireAfterDays: 2 };
    const rules = rulesOf(rawConfig({ record: kind, raw: kind, working: kind, quarantine: kind }));
    const ids = rules.flatMap((r) => r.Id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(LAKE_PREFIXES.length);
  });

  it('refuses what would expire before it moves', () => {
    expect(() => rawConfig({ raw: { cheaperAfterDays: 30, expireAfterDays: 30 } })).toThrow(/before expireAfterDays/);
  });
});
