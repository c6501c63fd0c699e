import type { LedgerCommand } from '#core/contracts/ledger.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { digestOf } from '#core/lineage/digest.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import type { Ledger } from './ledger-client.ts';
import { untilUndisturbed } from './undisturbed.ts';

/**
 * Brings a record of the registry to what `content` says it should be; equal already: nothing is written. The newest
 * version is read before the content, and the write is conditional on it: of two that do this at once the second sees
 * what the first wrote and reads again, so that the newest content ends up there whoever is late.
 * @param content body and what goes with it, read anew for each try; null = there shall be no further version.
 */
export const syncRecord = (
  deps: { readonly registry: Pick<RegistryReader, 'latest'>; readonly ledger: Ledger },
  of: Pick<LedgerCommand, 'site' | 'actor'> & { readonly class: LedgerCommand['record']['class']; readonly id: string },
  content: () => Promise<(Pick<LedgerCommand, 'reason' | 'edges'> & { readonly body: Record<string, unknown> }) | null>,
): Promise<'written' | 'unchanged'> =>
  untilUndisturbed(`record ${of.class} ${of.id}`, async () => {
    const latest = await deps.registry.latest(of.class, of.id);
    const wanted = await content();
    if (wanted === null || (latest !== null && canonicalJson(latest.body) === canonicalJson(wanted.body)))
      return 'unchanged';
    const version = latest?.version ?? 0;
    try {
      await deps.ledger.write([
        {
          schema: 'ledger-command/1',
          commandId: commandIdOf(of.class, of.id, version, digestOf(wanted.body)),
          site: of.site,
          actor: of.actor,
          reason: wanted.reason,
          record: { class: of.class, id: of.id, body: wanted.body },
          expectVersion: version,
          edges: [...wanted.edges],
        },
      ]);
      return 'written';
    } catch (error) {
      if ((error as Error).name === 'VersionConflict') return null;
      throw error;
    }
  });
