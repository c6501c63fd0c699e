import { parseAs } from '#core/contracts/errors.ts';
import type { EventDetail } from '#core/contracts/events.ts';
import { judgementKeys, type LineJudgement } from '#core/contracts/judgement.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import { type LedgerCommand, nodeRef } from '#core/contracts/ledger.ts';
import type { JudgingPolicy } from '#core/contracts/use-case.ts';
import { changesOf, declaresRetrain } from '#core/drift/decision/change-evidence.ts';
import { type ChainHead, evidenceDocument } from '#core/drift/decision/evidence-chain.ts';
import { askedAbout, isTold, newsOf } from '#core/drift/decision/told.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { labelsWanted } from '#core/outcomes/labels-wanted.ts';
import {
  bearingFacts,
  factPrefixes,
  factsOf,
  JudgedPackage,
  judgeEvidence,
  type LineFacts,
  type SiteFacts,
} from '#core/outcomes/line-evidence.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { type Item, type JudgementTable, versionOf } from './judgement-table.ts';
import { keptEvents } from './kept-events.ts';
import { commandOfRequest, keepRequest } from './label-requests.ts';
import type { Ledger } from './ledger-client.ts';
import type { ObjectStore } from './object-store.ts';
import { clip, readModelLine, readUseCase } from './retrain-run.ts';
import { untilUndisturbed } from './undisturbed.ts';

export interface JudgeDeps {
  readonly judgement: JudgementTable;
  readonly registry: Pick<RegistryReader, 'latest' | 'list'>;
  readonly ledger: Ledger;
  /** Where the evidence of a judgement that is news is kept, whole. */
  readonly lake: Pick<ObjectStore, 'put'>;
}

interface State extends Item {
  readonly judgement: LineJudgement;
  /** What was read beyond the line's own items: whoever judges again from those needs it. */
  readonly siteFacts: SiteFacts;
  /** What the ledger was told last: judged package, state, action. */
  readonly told: string;
  /** Of the evidence of what it was told; null before the first. */
  readonly evidence: ChainHead | null;
  /** Commands that are not known to be in the ledger yet; written before anything else is judged. */
  readonly pending: readonly LedgerCommand[];
}

/** What bears on a line beyond its own partition, where its policy asks for it. */
const readSite = async (
  { judgement, registry }: JudgeDeps,
  { site, policy, served }: LineFacts,
): Promise<SiteFacts> => {
  const assets = declaresRetrain(policy) ? [...new Set(served.map((s) => s.unit.split('/')[0] as string))] : null;
  const events = assets && (await keptEvents(judgement, site, assets));
  const lines = policy.drift?.alertsPerMonth === undefined ? null : await registry.list('model-line');
  const servedSince = served.map((s) => s.lastAt).sort()[0] ?? null;
  return {
    ...(events && { changes: changesOf(policy, events, servedSince) }),
    ...(lines && { lines: lines.filter((l) => l.body['site'] === site).length }),
  };
};

/** Everything that is known of a line and its champion; null when it has none. */
const readFacts = async (deps: JudgeDeps, modelLine: string): Promise<LineFacts | null> => {
  const found = await readModelLine(deps.registry, modelLine);
  const champion = found?.line.champion ?? null;
  if (found === null || champion === null) return null;
  const { packageDigest } = champion;
  const [useCase, record, ...items] = await Promise.all([
    readUseCase(deps.registry, found.line.useCaseDigest),
    deps.registry.latest('package', packageDigest),
    ...factPrefixes(packageDigest).map((prefix) => deps.judgement.list(judgementKeys.line(modelLine), prefix)),
  ]);
  const { validationLoss } = parseAs(JudgedPackage, record?.body ?? {}, `package ${packageDigest}`);
  const { site } = found.line;
  const facts = factsOf({ modelLine, site, packageDigest, policy: useCase.judging, validationLoss }, items.flat());
  return bearingFacts({ ...facts, ...(await readSite(deps, facts)) });
};

const commandsOf = (
  judgement: LineJudgement,
  policy: JudgingPolicy,
  asks: boolean,
  before: State | null,
  actor: string,
  evidence: string | undefined,
): LedgerCommand[] => {
  const { modelLine, site, packageDigest, state, action, reasons } = judgement;
  const id = `line/${modelLine}`;
  const version = versionOf(before) + 1;
  const reason = clip(reasons.join('; '));
  const from = before?.judgement.state ?? 'HEALTHY';
  const judged: EventDetail<'LineJudged'> = { modelLine, site, from, to: state, reason };
  const about = (what: string): LedgerCommand['edges'] => [
    { from: nodeRef('judgement', what), rel: 'about', to: nodeRef('package', packageDigest) },
  ];
  const commands: LedgerCommand[] = [
    {
      schema: 'ledger-command/1',
      commandId: commandIdOf(id, version),
      site,
      actor,
      reason,
      record: { class: 'judgement', id, body: { ...judgement, evidence } },
      edges: about(id),
      ...(isTold(from, judgement, policy) ? { announce: { type: 'LineJudged', detail: judged } } : {}),
    },
  ];
  if (action?.kind === 'ask-operator' && action.count > askedAbout(before?.judgement)) {
    const question = `operator/${modelLine}/${version}`;
    const says = clip(`${modelLine}: ${action.says ?? reason}`);
    commands.push({
      schema: 'ledger-command/1',
      commandId: commandIdOf(question),
      site,
      actor,
      reason: says,
      record: {
        class: 'judgement',
        id: question,
        body: { schema: 'operator-asked/1', modelLine, packageDigest, says, evidenceDigest: judgement.evidenceDigest },
      },
      edges: about(question),
      announce: { type: 'OperatorAsked', detail: { modelLine, site, says } },
    });
  }
  if (asks && action !== null && action.requestId !== null) {
    const { requestId, count } = action;
    const asked: EventDetail<'RetrainRequested'> = {
      modelLine,
      site,
      cause: 'drift',
      requestedBy: actor,
      reason,
      requestId,
    };
    const request = `request/${requestId}`;
    commands.push({
      schema: 'ledger-command/1',
      commandId: commandIdOf(request),
      site,
      actor,
      reason,
      record: {
        class: 'judgement',
        id: request,
        body: {
          schema: 'retrain-asked/1',
          modelLine,
          packageDigest,
          requestId,
          outcomes: count,
          evidenceDigest: judgement.evidenceDigest,
        },
      },
      edges: about(request),
      announce: { type: 'RetrainRequested', detail: asked },
    });
  }
  return commands;
};

/**
 * Judges a model line by everything that is kept of its champion, and tells the ledger when state or action changed. A
 * retrain that it asks for has an id that follows from the line, the champion and how often it asked before, and is kept
 * as running together with the judgement: whoever judges again, and however often, asks once. Nothing happens for a line
 * without a champion.
 * @param actor who judges, for the audit trail. @throws {Error} when others judge the line at the same time again and again.
 */
export const judgeModelLine = (deps: JudgeDeps, modelLine: string, actor: string): Promise<LineJudgement | 'none'> =>
  untilUndisturbed(`judgement of ${modelLine}`, async () => {
    const key = judgementKeys.state(modelLine);
    const settle = async (state: State | null): Promise<State | null | 'overtaken'> => {
      if (state === null || state.pending.length === 0) return state;
      await deps.ledger.write(state.pending);
      const cleared = await deps.judgement.putAll([{ item: { ...state, pending: [] }, readAt: versionOf(state) }]);
      return cleared ? ((await deps.judgement.get(key)) as State) : 'overtaken';
    };
    const before = await settle((await deps.judgement.get(key)) as State | null);
    if (before === 'overtaken') return null;
    const facts = await readFacts(deps, modelLine);
    if (facts === null) return 'none';
    const { judgement, askedAt } = judgeEvidence(facts);
    if (before !== null && canonicalJson(before.judgement) === canonicalJson(judgement)) return judgement;
    const news = before?.told !== newsOf(judgement);
    const labels = labelsWanted(facts, judgement);
    const document = news ? evidenceDocument(before?.evidence ?? null, facts, judgement) : null;
    if (document !== null)
      await deps.lake.put(
        lakeKeys.lineEvidence(modelLine, document.hash),
        Buffer.from(canonicalJson(document)),
        'application/json',
      );
    const evidence =
      document === null ? (before?.evidence ?? null) : { sequence: document.sequence, hash: document.hash };
    const state: State = {
      ...key,
      judgement,
      siteFacts: {
        ...(facts.changes && { changes: facts.changes }),
        ...(facts.lines && { lines: facts.lines }),
      },
      told: newsOf(judgement),
      evidence,
      pending: [
        ...(news ? commandsOf(judgement, facts.policy, askedAt !== null, before, actor, evidence?.hash) : []),
        ...(labels === null ? [] : [commandOfRequest(labels, actor)]),
      ],
    };
    const { action } = judgement;
    const running =
      action?.kind === 'retrain' && action.requestId !== null && askedAt !== null
        ? {
            ...judgementKeys.retrain(modelLine, action.requestId),
            requestId: action.requestId,
            at: askedAt,
            outcome: 'running',
            champion: judgement.packageDigest,
          }
        : null;
    const saved = await deps.judgement.putAll([
      { item: state, readAt: versionOf(before) },
      ...(running === null ? [] : [{ item: running, readAt: 0 }]),
      ...(labels === null ? [] : [keepRequest(labels)]),
    ]);
    if (!saved) return null;
    const told = await settle((await deps.judgement.get(key)) as State | null);
    // What was asked for is evidence from then on: judged once more, so that what is kept does not hang on who comes next.
    return told === 'overtaken' || running !== null || labels !== null ? null : judgement;
  });
