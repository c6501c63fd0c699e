import { parseAs } from '#core/contracts/errors.ts';
import { judgementKeys } from '#core/contracts/judgement.ts';
import { PlantEvent } from '#core/contracts/plant-event.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import type { JudgementTable } from './judgement-table.ts';

/** Plant events that are kept with machines, one after the other machine. @throws {ContractError} naming an item that is no event. */
export const keptEvents = async (
  table: Pick<JudgementTable, 'list'>,
  site: string,
  assets: readonly string[],
): Promise<readonly PlantEvent[]> => {
  const items = await inParallel(assets, (asset) => table.list(judgementKeys.asset(site, asset), 'EVENT#'));
  return items.flat().map((item) => parseAs(PlantEvent, item['event'], `kept event ${item.sk}`));
};
