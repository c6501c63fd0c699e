import { parseAs } from '#core/contracts/errors.ts';
import { artifactKeys } from '#core/contracts/lake.ts';
import { PlantModel, PlantModelRecord } from '#core/contracts/plant-model.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { digestBytes } from '#core/lineage/digest.ts';
import { countsOf } from '#core/plant-model/canonical.ts';
import type { SignalUser } from '#core/plant-model/checks/draft.ts';
import { comparePlants, type PlantChange } from '#core/plant-model/compare.ts';
import { CliError, EXIT } from '../errors.ts';
import { answer, type Output, paint, say, short } from '../output.ts';
import type { World } from '../world.ts';
import { countsText, soundPlant } from './plant.ts';

const MOST_SHOWN = 8;

const readPublished = async (world: World, record: PlantModelRecord): Promise<PlantModel> => {
  const bytes = await world.artifacts.find(record.object.key);
  if (bytes === null)
    throw new CliError(
      `the plant model ${record.digest} that is in force is not in the artifacts bucket`,
      'tell the platform team: what changes cannot be said',
      EXIT.notFound,
    );
  return parseAs(PlantModel, JSON.parse(Buffer.from(bytes).toString('utf8')), `plant model ${record.digest}`);
};

const NOTHING: PlantChange = { added: [], removed: [], changed: [], breaking: [] };

/**
 * Makes a plant model the one in force at the site: its canonical JSON under its digest, and a record of the registry.
 * @throws {CliError} when it has a mistake, is of another site, or changes what older values mean without saying so.
 */
export const publishPlant = async (
  world: World,
  out: Output,
  path: string,
  useCases: readonly SignalUser[],
): Promise<void> => {
  const plant = soundPlant(path, useCases);
  const sites = plant.places.filter((p) => p.level === 'site').map((p) => p.id);
  if (!sites.includes(world.site))
    throw new CliError(
      `${path} has no site "${world.site}"; it has ${sites.join(', ') || 'none'}`,
      'name one of its sites with --site',
      EXIT.usage,
    );
  const bytes = new TextEncoder().encode(canonicalJson(plant));
  const digest = digestBytes(bytes);
  const known = await world.registry.latest('plant-model', world.site);
  const before =
    known === null ? null : parseAs(PlantModelRecord, known.body, `registry record plant-model ${world.site}`);
  const change =
    before === null || before.digest === digest ? NOTHING : comparePlants(await readPublished(world, before), plant);
  if (change.breaking.length > 0)
    throw new CliError(
      [`values before and after could not be compared`, ...change.breaking.slice(0, MOST_SHOWN)].join('\n'),
      'raise "version" of these signals, so that readers see it',
    );
  const status = before?.digest === digest ? 'unchanged' : 'published';
  const counts = countsOf(plant);
  if (status === 'published') {
    const key = artifactKeys.plantModel(digest);
    await world.artifacts.put(key, bytes);
    const record: PlantModelRecord = {
      schema: 'plant-model-record/1',
      site: world.site,
      enterprise: plant.enterprise.id,
      digest,
      object: { bucket: world.artifacts.name, key, versionId: null, digest, bytes: bytes.length },
      counts,
    };
    await world.write([
      {
        schema: 'ledger-command/1',
        commandId: commandIdOf('plant-model', world.site, known?.version ?? 0, digest),
        site: world.site,
        actor: await world.actor(),
        reason: `plant model of ${world.site} published: ${countsText(counts)}`,
        record: { class: 'plant-model', id: world.site, body: { ...record } },
        expectVersion: known?.version ?? 0,
      },
    ]);
  }
  const { added, removed, changed } = change;
  answer(out, { site: world.site, digest, status, counts, added, removed, changed }, () => {
    say(
      out,
      `plant model  ${world.site}  ${short(digest)}  ${paint(out, status === 'published' ? 'green' : 'dim', status)}`,
    );
    say(out, countsText(counts));
    for (const [what, names] of Object.entries({ added, removed, changed })) {
      for (const name of names.slice(0, MOST_SHOWN)) say(out, `  ${what.padEnd(7)}  ${name}`);
      if (names.length > MOST_SHOWN) say(out, `  ${what.padEnd(7)}  … and ${names.length - MOST_SHOWN} more`);
    }
  });
};
