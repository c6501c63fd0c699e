import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { DecisionObjectHeader, DecisionRecord, decisionObjectKey } from '#core/contracts/decision.ts';
import { ContractError, parseAs } from '#core/contracts/errors.ts';
import type { EventDetail } from '#core/contracts/events.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import type { LakeRow } from '#core/contracts/lake-tables.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { merkleRoot } from '#core/lineage/digest.ts';
import { type BatchLog, recordBatch } from '../shared/batch.ts';
import type { Ledger, LedgerCommandInput } from '../shared/ledger-client.ts';
import { parseObjectCreated } from '../shared/object-created.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { rowsToParquet } from '../shared/table-file.ts';

export interface Deps {
  readonly lake: ObjectStore;
  readonly ledger: Ledger;
  readonly stage: string;
  readonly log: BatchLog;
}

const listed = (digests: readonly (string | null)[]): string =>
  [...new Set(digests.filter((d) => d !== null))].sort().join(', ') || 'none';

/**
 * Reads an object of decisions and proves it: the header's own key, count, consecutive sequences, Merkle root, the
 * decisions' own ids and site, and that the header names those packages which decided and no other.
 * @throws {ContractError} naming what does not hold; such an object is evidence of a fault or of tampering.
 */
export const proveDecisions = (
  text: string,
  key: string,
  stage: string,
): { header: DecisionObjectHeader; decisions: DecisionRecord[] } => {
  const [first, ...lines] = text.split('\n').filter((line) => line !== '');
  const header = parseAs(DecisionObjectHeader, JSON.parse(first ?? 'null'), `header of ${key}`);
  const wrong: string[] = [];
  const own = decisionObjectKey(stage, header);
  if (own !== key) wrong.push(`the header belongs at ${own}`);
  if (lines.length !== header.count)
    wrong.push(`the header counts ${header.count} decisions, there are ${lines.length}`);
  if (merkleRoot(lines) !== header.merkleRoot) wrong.push('the Merkle root of the lines is not the one in the header');
  const decisions = lines.map((line, i) => parseAs(DecisionRecord, JSON.parse(line), `decision ${i + 1} of ${key}`));
  for (const [i, d] of decisions.entries()) {
    if (d.sequence !== header.firstSequence + i || d.boot !== header.boot || d.device !== header.device)
      wrong.push(
        `decision ${i + 1} is ${d.device}/${d.boot}/${d.sequence}, expected sequence ${header.firstSequence + i}`,
      );
    if (d.site !== header.site) wrong.push(`decision ${i + 1} is of site ${d.site}, expected ${header.site}`);
    const id = `${d.site}/${d.device}/${d.boot}/${d.sequence}`;
    if (d.id !== id) wrong.push(`decision ${i + 1} has the id ${d.id}, expected ${id}`);
  }
  const named = listed(header.packageDigests);
  const decided = listed(decisions.map((d) => d.packageDigest));
  if (named !== decided) wrong.push(`the header names the packages ${named}, the decisions are by ${decided}`);
  if (wrong.length > 0) throw new ContractError(key, wrong);
  return { header, decisions };
};

/** A decision as a row of table `decisions`. */
const rowOf = (d: DecisionRecord): LakeRow<'decisions'> => ({
  id: d.id,
  device: d.device,
  boot: d.boot,
  sequence: d.sequence,
  model_line: d.modelLine,
  asset: d.asset,
  run: d.run,
  index: d.index,
  source_time: d.sourceTime,
  decided_at: d.decidedAt,
  verdict: d.verdict,
  value: d.value,
  reason: d.reason,
  package_digest: d.packageDigest,
  variant: d.variant,
  feature_set_digest: d.featureSetDigest,
  input_digest: d.inputDigest,
  latency_ms: d.latencyMs,
  shadow_package: d.shadow?.packageDigest ?? null,
  shadow_value: d.shadow?.value ?? null,
  shadow_verdict: d.shadow?.verdict ?? null,
});

/** A command carries 40 edges at most; a device serves fewer machines than that. */
const MAX_RUN_EDGES = 30;

/** Which runs an object speaks of, and who decided on them: what the outcome joiner and lineage look for. */
const runsOf = (decisions: readonly DecisionRecord[]): EventDetail<'DecisionsRecorded'>['runs'] =>
  [...Map.groupBy(decisions, (d) => `${d.asset}/${d.run}`).values()].map((of) => {
    const { asset, run } = of[0] as DecisionRecord;
    const indexes = of.map((d) => d.index);
    const times = of.map((d) => d.sourceTime).sort();
    const served = of.flatMap(({ modelLine, packageDigest }) =>
      packageDigest === null ? [] : [{ modelLine, packageDigest }],
    );
    return {
      asset,
      run,
      first: Math.min(...indexes),
      last: Math.max(...indexes),
      firstAt: times[0] as string,
      lastAt: times.at(-1) as string,
      failing: of.filter((d) => d.verdict === 'fail').length,
      served: [...new Map(served.map((s) => [`${s.modelLine} ${s.packageDigest}`, s])).values()],
    };
  });

/**
 * Records objects of decisions: proves them, writes them to the decisions table, registers them with edges to every
 * package that decided, announces them. One that cannot be proved is copied to quarantine and fails, so that someone looks.
 */
export const makeHandler = (deps: Deps) => {
  const record = async (key: string, versionId: string | null): Promise<LedgerCommandInput> => {
    const text = Buffer.from(await deps.lake.get(key, versionId)).toString('utf8');
    let proved: ReturnType<typeof proveDecisions>;
    try {
      proved = proveDecisions(text, key, deps.stage);
    } catch (error) {
      await deps.lake.put(lakeKeys.quarantine(key, versionId), Buffer.from(text), 'application/x-ndjson');
      throw error;
    }
    const { header, decisions } = proved;
    const { site, device, boot, firstSequence, lastSequence } = header;
    const tableKey = lakeKeys.decisions({
      site,
      date: (decisions[0] as DecisionRecord).decidedAt.slice(0, 10),
      device,
      boot,
      first: firstSequence,
      last: lastSequence,
    });
    const table = await deps.lake.put(tableKey, rowsToParquet('decisions', decisions.map(rowOf)));
    const runs = runsOf(decisions);
    const modelLines = [...new Set(decisions.map((d) => d.modelLine))];
    const id = `${site}/${device}/${boot}/${firstSequence}-${lastSequence}`;
    return {
      schema: 'ledger-command/1',
      commandId: commandIdOf('decisions', id, header.merkleRoot),
      site,
      actor: `device:${device}`,
      reason: 'a device uploaded decisions',
      record: {
        class: 'decision-object',
        id,
        body: {
          ...header,
          key,
          tableKey,
          tableDigest: table.digest,
          modelLines,
          runs: runs.map(({ asset, run, first, last }) => ({ asset, run, first, last })),
        },
      },
      edges: [
        ...header.packageDigests.map((digest) => ({
          from: nodeRef('decision-object', id),
          rel: 'decided-by' as const,
          to: nodeRef('package', digest),
        })),
        ...runs.slice(0, MAX_RUN_EDGES).map(({ asset, run }) => ({
          from: nodeRef('decision-object', id),
          rel: 'about' as const,
          to: nodeRef('run', `${site}/${asset}/${run}`),
        })),
      ],
      announce: {
        type: 'DecisionsRecorded',
        detail: { site, device, object: id, tableKey, boot, firstSequence, lastSequence, modelLines, runs },
      },
    };
  };
  return (event: SQSEvent): Promise<SQSBatchResponse> =>
    recordBatch(event, deps, (body) => {
      const { key, versionId } = parseObjectCreated(body);
      return record(key, versionId);
    });
};
