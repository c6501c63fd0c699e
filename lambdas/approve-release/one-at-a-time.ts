import { parseAs } from '#core/contracts/errors.ts';
import { ReleaseRecord } from '#core/contracts/release.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { Refused } from '../shared/errors.ts';
import type { ReleasePlan } from '../shared/release-run.ts';
import { readModelLine } from '../shared/retrain-run.ts';

/** Whether a release may go on beside what else happens to its line. Each throws {Refused} when it may not. */
export const oneAtATime = (deps: {
  readonly registry: Pick<RegistryReader, 'latest' | 'list'>;
  readonly isRunning: (executionId: string) => Promise<boolean>;
}) => {
  /** One release of a line at a time. @param matters which of the others that roll out stand in the way. */
  const refuseBeside = async (
    request: ReleasePlan['request'],
    matters: (other: ReleaseRecord) => boolean = () => true,
  ): Promise<void> => {
    for (const { body, id } of await deps.registry.list('release', { limit: 100 })) {
      const other = parseAs(ReleaseRecord, body, `release ${id}`);
      if (other.releaseId === request.releaseId || other.modelLine !== request.modelLine || other.site !== request.site)
        continue;
      if (other.status === 'rolling-out' && matters(other) && (await deps.isRunning(other.execution)))
        throw new Refused(
          `release ${other.releaseId} of ${request.modelLine} is still rolling out; wait for its end, then ask again: millwright releases start`,
        );
    }
  };

  /** Two that began at once both said so before they look again: the one that started first goes on. */
  const refuseBehind = ({ request, startedAt }: ReleasePlan): Promise<void> =>
    refuseBeside(request, (other) => `${other.startedAt} ${other.releaseId}` < `${startedAt} ${request.releaseId}`);

  /** A week may pass until a person answers. */
  const refuseOutdated = async ({ request, shadow }: ReleasePlan): Promise<void> => {
    await refuseBeside(request);
    if (request.revert) return;
    const champion = (await readModelLine(deps.registry, request.modelLine))?.line.champion ?? null;
    const known = shadow?.champion ?? request.packageDigest;
    if (champion !== null && champion.packageDigest !== known)
      throw new Refused(
        `${champion.packageDigest} became the champion of ${request.modelLine} while release ${request.releaseId} waited for a word; ask for the release anew`,
      );
  };

  return { refuseBeside, refuseBehind, refuseOutdated };
};
