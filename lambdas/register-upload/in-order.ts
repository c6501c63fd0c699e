import { parseAs } from '#core/contracts/errors.ts';
import { RawObjectRecord } from '#core/contracts/lake.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import type { BatchLog } from '../shared/batch.ts';
import type { LedgerCommandInput } from '../shared/ledger-client.ts';
import { type CreatedObject, compareSequencers } from '../shared/object-created.ts';

export interface OrderDeps {
  readonly registry: Pick<RegistryReader, 'latest'>;
  readonly log: BatchLog;
}

/** What is registered of a key, or will be when the batch is written. */
interface Newest {
  readonly version: number;
  readonly versionId: string | null;
  readonly sequencer: string | null;
}

type Register = (object: CreatedObject) => Promise<LedgerCommandInput | null>;

/**
 * Registers uploads of a batch, those under one key one after the other: an upload that is older than what is registered
 * is told to the log and left out, whenever it is told of. The command is for the version that was looked at; where
 * another call registers meanwhile, the ledger refuses it and the message is taken again. An event without a sequencer
 * is registered as it comes, unless it tells again of the version that is registered.
 */
export const inOrder = (deps: OrderDeps, register: Register): Register => {
  const newestOf = async (key: string): Promise<Newest> => {
    const stored = await deps.registry.latest('raw-object', key);
    if (stored === null) return { version: 0, versionId: null, sequencer: null };
    const { versionId, sequencer = null } = parseAs(RawObjectRecord, stored.body, `raw object ${key}`);
    return { version: stored.version, versionId, sequencer };
  };
  const turns = new Map<string, Promise<Newest>>();
  return (object) => {
    const { key, versionId } = object;
    const before = turns.get(key) ?? newestOf(key);
    const turn = before.then(async (newest) => {
      const isAgain = versionId !== null && versionId === newest.versionId;
      const sequencer = object.sequencer ?? (isAgain ? newest.sequencer : null);
      const order =
        sequencer === null || newest.sequencer === null ? 1 : compareSequencers(sequencer, newest.sequencer);
      if (order < 0) {
        deps.log.error(
          `version ${versionId} of ${key} is not registered`,
          new Error(`it is older than version ${newest.versionId}, which is registered`),
        );
        return { command: null, newest };
      }
      const command = await register({ ...object, sequencer });
      if (command === null || sequencer === null) return { command, newest };
      return {
        command: { ...command, expectVersion: newest.version },
        newest: { version: newest.version + (order === 0 ? 0 : 1), versionId, sequencer },
      };
    });
    turns.set(
      key,
      turn.then(
        (t) => t.newest,
        () => before,
      ),
    );
    return turn.then((t) => t.command);
  };
};
