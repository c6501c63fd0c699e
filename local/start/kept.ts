import type { LastSeen } from '#core/contracts/local-plant.ts';

/** What a cut-off plant still has of what it held when it last looked. */
export interface KeptReport {
  readonly kept: string;
  /** Null when nothing is missing. */
  readonly lost: string | null;
}

type Counts = Readonly<Record<string, number>>;

const total = (counts: Counts): number => Object.values(counts).reduce((sum, n) => sum + n, 0);

const missing = (before: Counts, after: Counts): Counts =>
  Object.fromEntries(
    Object.entries(before).flatMap(([name, n]) => {
      const gone = n - (after[name] ?? 0);
      return gone > 0 ? [[name, gone]] : [];
    }),
  );

const many = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
const list = (counts: Counts): string =>
  Object.entries(counts)
    .sort(([a, m], [b, n]) => n - m || a.localeCompare(b))
    .map(([name, n]) => `${n} ${name}`)
    .join(', ');
/** `<site>/<class>` → `<class>`: one plant has one site. */
const byClass = (chains: Counts): Counts =>
  Object.fromEntries(Object.entries(chains).map(([chain, n]) => [chain.slice(chain.indexOf('/') + 1), n]));

/**
 * Compares what was held before a cut with what is there after the next start. What was written after the last look is in
 * neither, so the loss told may be up to a second of writing too small.
 * @param savedAt when the state on disk was last brought up to date; null when nobody knows.
 */
export const compareHoldings = (before: LastSeen, after: LastSeen, savedAt: string | null): KeptReport => {
  const chains = missing(before.chains, after.chains);
  const buckets = missing(before.buckets, after.buckets);
  const tables = missing(before.tables, after.tables);
  const deployments = Math.max(0, before.deployments - after.deployments);
  const decisions = (seen: LastSeen): number => byClass(seen.chains)['decision-object'] ?? 0;
  const kept = [
    many(total(before.chains) - total(chains), 'ledger record'),
    many(Math.min(decisions(before), decisions(after)), 'decision object'),
    `${many(total(before.buckets) - total(buckets), 'object')} in S3`,
    many(before.deployments - deployments, 'deployment'),
  ].join(', ');
  const parts = [
    ...(total(chains) > 0 ? [`${many(total(chains), 'ledger record')} (${list(byClass(chains))})`] : []),
    ...(total(buckets) > 0 ? [`${many(total(buckets), 'object')} in S3 (${list(buckets)})`] : []),
    // Items beside the ledger's own: what the ledger lost is told already.
    ...(total(chains) === 0 && total(tables) > 0 ? [`${many(total(tables), 'table item')} (${list(tables)})`] : []),
    ...(deployments > 0 ? [many(deployments, 'deployment')] : []),
  ];
  if (parts.length === 0) return { kept, lost: null };
  const window = savedAt === null ? 0 : (Date.parse(before.at) - Date.parse(savedAt)) / 1000;
  const when =
    window > 0 ? ` written in the last ${window.toFixed(1)} s before the cut` : ' written just before the cut';
  return { kept, lost: `${parts.join(', ')},${when}` };
};
