import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { workKeys } from '#core/contracts/lake.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { compareText } from '#core/text/compare.ts';
import type { ObjectStore } from '../shared/object-store.ts';

export interface Deps {
  readonly registry: Pick<RegistryReader, 'list'>;
  readonly work: Pick<ObjectStore, 'put'>;
}

const Input = z.object({ execution: z.object({ name: z.string().min(1) }) });

/** Model lines that are judged in one run of the schedule. More than this are lines that nobody looks at either. */
const MOST = 10_000;

/** First step of the scheduled judgement: the model lines that there are, one a line. */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<{ lines: number; itemsKey: string }> => {
    const { execution } = parseAs(Input, event, 'input of list-lines');
    const lines = (await deps.registry.list('model-line', { limit: MOST })).map((r) => r.id).sort(compareText);
    const itemsKey = workKeys.lines(execution.name);
    const items = lines.map((modelLine, part) => `${canonicalJson({ modelLine, part })}\n`).join('');
    await deps.work.put(itemsKey, Buffer.from(items), 'application/x-ndjson');
    return { lines: lines.length, itemsKey };
  };
