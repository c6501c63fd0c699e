import type { DecisionRecord } from '#core/contracts/decision.ts';
import type { AlertRecord } from '#core/contracts/judgement.ts';
import { cli, type Plant, short } from '../plant-context.ts';

/**
 * An operator sees the alerts, takes one on and says what was true.
 * @param failed runs that did fail, by `asset/run`.
 */
export const operators = async (plant: Plant, failed: ReadonlySet<string>): Promise<void> => {
  const { teller } = plant;
  await teller.step('operators', async () => {
    const open = (await cli<AlertRecord[]>(plant, 'alerts', 'alerts')).filter((a) => a.status === 'open');
    const known = open.find((a) => failed.has(`${a.asset}/${a.run}`));
    if (known === undefined) return [`${open.length} alerts wait`, null];
    const id = `${known.asset}/${known.run}`;
    await cli(plant, 'alerts', 'alerts', 'ack', id, '--note', 'on my way');
    await cli(plant, 'alerts', 'alerts', 'true', id, '--note', 'found as the model said');
    return [`${open.length} alerts; ${known.asset} is acknowledged, and it was true`, null];
  });
};

/** What a decision was made from, in one line. */
export const lineageOf = async (plant: Plant, decision: DecisionRecord): Promise<string> => {
  const { counts } = await cli<{ counts: Record<string, number> }>(plant, 'lineage', 'lineage', decision.id);
  const of = (what: string): number => counts[what] ?? 0;
  return `${decision.id} by ${short(decision.packageDigest ?? '')}: ${of('raw-object')} raw objects, ${of('plant-event')} events`;
};
