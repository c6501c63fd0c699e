import { z } from 'zod';
import { Site } from '#core/contracts/deployment-config.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { ExpectedDisagreement } from '#core/contracts/evaluation.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { ModelPackageManifest } from '#core/contracts/model-package.ts';
import { Digest } from '#core/contracts/primitives.ts';
import { modelComponentName, ReleaseRecord, ReleaseRequest, ringGroupName } from '#core/contracts/release.ts';
import type { ModelLineRecord } from '#core/contracts/retrain.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { isForTheLine, planRings } from '#core/policy/rollout.ts';
import type { RegistryReader, StoredRecord } from '#core/ports/registry.ts';
import { Duplicate, Refused, TryAgain } from '../shared/errors.ts';
import type { FleetTable } from '../shared/fleet-table.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { getJson, type ObjectStore } from '../shared/object-store.ts';
import { Approval, ReleasePlan, releaseCommand, releaseRecord } from '../shared/release-run.ts';
import { clip, instantOf, RetrainExecution, readModelLine, readUseCase } from '../shared/retrain-run.ts';
import { writeFirst } from '../shared/write-first.ts';
import { oneAtATime } from './one-at-a-time.ts';

export interface Deps {
  readonly registry: Pick<RegistryReader, 'latest' | 'list'>;
  readonly ledger: Ledger;
  readonly artifacts: ObjectStore;
  readonly fleet: Pick<FleetTable, 'putApproval'>;
  readonly stage: string;
  readonly sites: readonly z.infer<typeof Site>[];
  readonly isRunning: (executionId: string) => Promise<boolean>;
}

export const Sites = z.array(Site).min(1);

/** What the evaluation of a package says of it; a package that somebody forces has none. */
const Judged = z.object({ championPackage: Digest.nullish(), expectedDisagreement: ExpectedDisagreement.nullish() });

const Input = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('prepare'), execution: RetrainExecution, request: ReleaseRequest }),
  z.strictObject({ op: z.literal('ask'), plan: ReleasePlan, token: z.string().min(1) }),
  z.strictObject({ op: z.literal('accept'), plan: ReleasePlan, approval: Approval }),
]);

/** A wave looks at its ring at most this often, so that its history stays far under Step Functions' 25,000 events. */
const LOOKS = 400;

/**
 * Gate of a release. `prepare` checks that the package is what the request says and may go where it is to go, and lists
 * the rings; `ask` keeps the task token that a person answers; `accept` checks the word given: nobody approves their own.
 * @throws {Duplicate} when the release has an execution already. @throws {Refused} with what is wrong and who can mend it.
 * @throws {TryAgain} when the line changed in between.
 */
export const makeHandler = (deps: Deps) => {
  const { refuseBeside, refuseBehind, refuseOutdated } = oneAtATime(deps);

  const wasReleased = async ({ site, packageDigest }: z.infer<typeof ReleaseRequest>): Promise<boolean> =>
    (await deps.registry.list('release', { limit: 500 })).some(
      ({ body }) => body['status'] === 'released' && body['packageDigest'] === packageDigest && body['site'] === site,
    );

  /** Whoever goes back on purpose to what was released before, or has no champion, has nothing to hold the package against. */
  const shadowOf = async (
    request: z.infer<typeof ReleaseRequest>,
    champion: { readonly packageDigest: string } | null,
    registered: StoredRecord | null,
  ): Promise<ReleasePlan['shadow']> => {
    if (champion === null || champion.packageDigest === request.packageDigest) return null;
    if (request.revert && (await wasReleased(request))) return null;
    const judged = parseAs(Judged, registered?.body ?? {}, `registry record package ${request.packageDigest}`);
    // What was measured against a champion before this one says nothing about the one that serves.
    const expected = judged.championPackage === champion.packageDigest ? (judged.expectedDisagreement ?? null) : null;
    return {
      champion: champion.packageDigest,
      expected: expected?.share ?? null,
      differsOn: expected?.differsOn ?? [],
    };
  };

  /** A package that was made by hand has a number that no retrain took: the next one would be given it again. */
  const takeNumber = async (
    plan: ReleasePlan,
    { line, version }: { readonly line: ModelLineRecord; readonly version: number },
  ): Promise<void> => {
    const { modelLine, releaseNumber } = plan.request;
    if (releaseNumber <= line.lastReleaseNumber) return;
    try {
      await deps.ledger.write([
        releaseCommand(plan, `number/${version}`, {
          record: { class: 'model-line', id: modelLine, body: { ...line, lastReleaseNumber: releaseNumber } },
          expectVersion: version,
        }),
      ]);
    } catch (error) {
      if ((error as Error).name === 'VersionConflict') throw new TryAgain((error as Error).message);
      throw error;
    }
  };

  const prepare = async ({
    execution,
    request: asked,
  }: {
    execution: z.infer<typeof RetrainExecution>;
    request: ReleaseRequest;
  }) => {
    const request =
      asked.forced === true ? { ...asked, reason: clip(`forced by ${asked.requestedBy}: ${asked.reason}`) } : asked;
    const earlier = await deps.registry.latest('release', request.releaseId);
    // The bus delivers at least once.
    if (earlier !== null && parseAs(ReleaseRecord, earlier.body, 'release').execution !== execution.id)
      throw new Duplicate(`release ${request.releaseId}`);
    const found = await readModelLine(deps.registry, request.modelLine);
    if (found === null) throw new Refused(`there is no model line ${request.modelLine}; publish its use case first`);
    const document = await getJson(deps.artifacts, `${request.packagePrefix}manifest.json`);
    if (digestOf(document) !== request.packageDigest)
      throw new Refused(
        `${request.packagePrefix}manifest.json has the digest ${digestOf(document)}; the request names ${request.packageDigest}`,
      );
    const manifest = parseAs(ModelPackageManifest, document, `manifest of ${request.packageDigest}`);
    if (manifest.modelLine !== request.modelLine)
      throw new Refused(`package ${request.packageDigest} is of ${manifest.modelLine}, not of ${request.modelLine}`);
    if (manifest.releaseNumber !== request.releaseNumber)
      throw new Refused(
        `the package has release number ${manifest.releaseNumber}, the request says ${request.releaseNumber}`,
      );
    const startedAt = instantOf(execution.startedAt);
    if (startedAt > manifest.expiresAt) throw new Refused(`the package expired at ${manifest.expiresAt}; retrain`);
    const champion = found.line.champion;
    if (!request.revert && champion !== null && manifest.releaseNumber < champion.releaseNumber)
      throw new Refused(
        `release ${manifest.releaseNumber} would go back from the champion's ${champion.releaseNumber}; ask for a revert if that is meant`,
      );
    const registered = await deps.registry.latest('package', request.packageDigest);
    // Only a retrain whose package passed its gate registers it.
    if (registered === null && request.forced !== true)
      throw new Refused(
        `package ${request.packageDigest} was never judged: the registry has no such package; retrain, or force its release and say why`,
      );
    const useCase = await readUseCase(deps.registry, manifest.useCaseDigest);
    const site = deps.sites.find((s) => s.id === request.site);
    if (site === undefined)
      throw new Refused(
        `stage ${deps.stage} has no site ${request.site} (it has ${deps.sites.map((s) => s.id).join(', ')})`,
      );
    const every = planRings(site.rings, useCase.rollout.rings);
    if (every.length === 0)
      throw new Refused(
        `the use case rolls out to rings ${useCase.rollout.rings.join(', ')}; site ${site.id} has only ${site.rings.map((r) => r.ring).join(', ')}`,
      );
    const rings = request.rings === undefined ? every : planRings(every, request.rings);
    if (rings.length === 0)
      throw new Refused(
        `the request names rings ${request.rings?.join(', ')}; at ${site.id} the use case rolls out to ${every.map((r) => r.ring).join(', ')}`,
      );
    await refuseBeside(request);
    const plan: ReleasePlan = {
      execution: execution.name,
      executionId: execution.id,
      startedAt,
      request,
      componentName: modelComponentName(request.modelLine),
      componentVersion: `1.0.${request.releaseNumber}`,
      policy: useCase.rollout,
      pollSeconds: Math.max(1, Math.ceil(useCase.rollout.waveTimeoutSeconds / LOOKS)),
      shadow: await shadowOf(request, champion, registered),
      crowns: isForTheLine(every, rings),
      rings: rings.map((r) => ({ ...r, thingGroup: ringGroupName(deps.stage, site.id, r.deviceClass, r.ring) })),
    };
    await takeNumber(plan, found);
    const automatic = useCase.rollout.riskClass === 'automatic';
    await writeFirst(
      deps.ledger,
      [
        releaseCommand(plan, 'prepared', {
          record: {
            class: 'release',
            id: request.releaseId,
            body: {
              ...releaseRecord(plan, {
                status: automatic ? 'rolling-out' : 'waiting-approval',
                approvedBy: automatic ? `policy:${useCase.id}` : 'nobody yet',
                reason: request.reason,
              }),
            },
          },
          edges: [
            { from: nodeRef('release', request.releaseId), rel: 'used', to: nodeRef('package', request.packageDigest) },
          ],
        }),
      ],
      `release ${request.releaseId}`,
    );
    if (automatic) await refuseBehind(plan);
    return {
      plan,
      riskClass: useCase.rollout.riskClass,
      approval: { approvedBy: `policy:${useCase.id}`, reason: 'risk class automatic' },
    };
  };

  return async (event: unknown) => {
    const input = parseAs(Input, event, 'input of approve-release');
    if (input.op === 'prepare') return prepare(input);
    if (input.op === 'ask') {
      await deps.fleet.putApproval(input.plan.request.releaseId, input.token);
      return {};
    }
    const { plan, approval } = input;
    if (approval.approvedBy === plan.request.requestedBy)
      throw new Refused(
        `${approval.approvedBy} asked for release ${plan.request.releaseId} and may not approve it: two people for one release`,
      );
    await refuseOutdated(plan);
    await deps.ledger.write([
      releaseCommand(plan, 'approved', {
        reason: `approved by ${approval.approvedBy}: ${approval.reason}`.slice(0, 400),
        record: {
          class: 'release',
          id: plan.request.releaseId,
          body: {
            ...releaseRecord(plan, {
              status: 'rolling-out',
              approvedBy: approval.approvedBy,
              reason: plan.request.reason,
            }),
          },
        },
      }),
    ]);
    await refuseBehind(plan);
    return approval;
  };
};
