import type { FeatureSetRecord } from '#core/contracts/feature-store.ts';
import { whatBreaks } from '#core/feature-sets/users.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { CliError, EXIT } from '../errors.ts';
import { answer, type Output, paint, say, sentence, short } from '../output.ts';
import type { World } from '../world.ts';
import { featureSetUsers, findFeatureSet } from './feature-sets.ts';

export interface RetireOptions {
  readonly name: string;
  readonly reason: string;
  /** Why what breaks may break. */
  readonly accept?: string;
}

/**
 * Retires a feature set: no use case is published with it any more, no retrain runs on it. Models that read it go on
 * serving. Names what breaks.
 * @throws {CliError} when something needs it and nobody accepts that it breaks.
 */
export const retireFeatureSet = async (world: World, out: Output, options: RetireOptions): Promise<void> => {
  const { digest, version, record } = await findFeatureSet(world, options.name);
  const { id } = record.featureSet;
  if (record.retired !== null)
    throw new CliError(
      `feature set ${id} (${short(digest)}) is retired already, by ${record.retired.by}: ${record.retired.reason}`,
      'a retired feature set stays so; define another one, with another id',
      EXIT.usage,
    );
  const breaks = whatBreaks(await featureSetUsers(world, digest));
  if (breaks.length > 0 && options.accept === undefined)
    throw new CliError(
      [`feature set ${id} (${short(digest)}) is in use:`, ...breaks].join('\n'),
      'publish and release with another feature set first, or say why this may break: --accept "…"',
    );
  const actor = await world.actor();
  const next: FeatureSetRecord = {
    ...record,
    retired: {
      by: actor,
      reason: options.reason,
      at: world.now(),
      breaks: [...breaks],
      ...(breaks.length === 0 || options.accept === undefined ? {} : { accepted: options.accept }),
    },
  };
  await world.write([
    {
      schema: 'ledger-command/1',
      commandId: commandIdOf('retire-feature-set', world.site, digest, version),
      site: world.site,
      actor,
      reason: options.reason,
      record: { class: 'feature-set', id: digest, body: { ...next } },
      expectVersion: version,
    },
  ]);
  answer(out, { digest, id, breaks, accepted: next.retired?.accepted ?? null }, () => {
    say(out, `${paint(out, 'yellow', 'retired')}  ${id}  ${short(digest)}`);
    for (const text of breaks) sentence(out, text, '  ');
  });
};
