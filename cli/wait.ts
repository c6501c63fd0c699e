import type { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import type { RecordClass } from '#core/contracts/ledger.ts';
import type { World } from './world.ts';

/**
 * The record of what was asked for by an event, once it has ended; null when it has not within the time. Looks each second.
 * @param onRunning sees the record each time while it runs.
 */
export const endedRecord = async <R extends { readonly status: string }>(
  world: World,
  of: { readonly class: RecordClass; readonly id: string; readonly schema: z.ZodType<R> },
  timeoutSeconds: number,
  onRunning: (record: R) => Promise<void>,
): Promise<R | null> => {
  for (let waited = 0; waited <= timeoutSeconds; waited++) {
    const stored = await world.registry.latest(of.class, of.id);
    if (stored !== null) {
      const record = parseAs(of.schema, stored.body, `registry record ${of.class} ${of.id}`);
      if (record.status !== 'running') return record;
      await onRunning(record);
    }
    await world.sleep(1000);
  }
  return null;
};
