import type { DecisionRecord } from '#core/contracts/decision.ts';
import type { AlertRecord } from '#core/contracts/judgement.ts';
import { cli, type Plant, short } from '../plant-context.ts';

/** An operator sees the alerts, takes one on and says what was true. */
export const operators = async (plant: Plant): Promise<void> => {
  const { teller } = plant;
  await teller.step('operators', async () => {
    const open = (await cli<AlertRecord[]>(plant, 'alerts', 'alerts')).filter((a) => a.status === 'open');
    const [newest] = open;
    if (newest === undefined) return ['no alert waits', null];
    const id = `${newest.asset}/${newest.run}`;
    await cli(plant, 'alerts', 'alerts', 'ack', id, '--note', 'on my way');
    await cli(plant, 'alerts', 'alerts', 'true', id, '--note', 'found as the model said');
    return [`${open.length} alerts; ${newest.asset} is acknowledged, and it was true`, null];
  });
};

/** What a decision was made from, in one line. */
export const lineageOf = async (plant: Plant, decision: DecisionRecord): Promise<string> => {
  const { counts } = await cli<{ counts: Record<string, number> }>(plant, 'lineage', 'lineage', decision.id);
  const of = (what: string): number => counts[what] ?? 0;
  return `${decision.id} by ${short(decision.packageDigest ?? '')}: ${of('raw-object')} raw objects, ${of('plant-event')} events`;
};
