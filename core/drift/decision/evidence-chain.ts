import { LineEvidenceDocument, type LineJudgement } from '../../contracts/judgement.ts';
import { canonicalJson } from '../../lineage/canonical-json.ts';
import { digestOf } from '../../lineage/digest.ts';
import { judgeEvidence, type LineFacts } from '../../outcomes/line-evidence.ts';
import { settledFacts } from '../../outcomes/settled-facts.ts';

/** Of the rules of this machine. Raise it with every change after which the same evidence gives another judgement. */
export const JUDGE_VERSION = 1;

/** The newest document of a chain, as much as the next one names. */
export type ChainHead = Pick<LineEvidenceDocument, 'sequence' | 'hash'>;

const hashOf = ({ hash: _, ...rest }: LineEvidenceDocument): string => digestOf(rest);

/**
 * The next document of the chain of a model line.
 * @param head null: the first of the line. @param judgement what `judgeEvidence` says of the facts.
 */
export const evidenceDocument = (
  head: ChainHead | null,
  facts: LineFacts,
  judgement: LineJudgement,
): LineEvidenceDocument => {
  const document: LineEvidenceDocument = {
    schema: 'line-evidence/1',
    sequence: (head?.sequence ?? 0) + 1,
    previous: head?.hash ?? null,
    judgeVersion: JUDGE_VERSION,
    facts: { ...settledFacts(facts) },
    judgement,
    hash: '',
  };
  return { ...document, hash: hashOf(document) };
};

/** What a look at a chain found; `sequence` is of the first document that is not as it should be. */
export type ChainVerdict =
  | {
      readonly holds: true;
      readonly documents: number;
      /** Judged by other versions of the rules: their bytes are proved, their judgements are not made again. */
      readonly notReplayed: number;
    }
  | { readonly holds: false; readonly sequence: number; readonly says: string };

/** Names of the fields in which two documents differ. */
const differing = (a: object, b: object): string => {
  const [x, y] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
  const differs = (k: string) => canonicalJson(x[k] ?? null) !== canonicalJson(y[k] ?? null);
  return [...new Set([...Object.keys(x), ...Object.keys(y)])].filter(differs).sort().join(', ');
};

const wrongWith = (document: LineEvidenceDocument, before: LineEvidenceDocument | null): string | null => {
  if (document.hash !== hashOf(document)) return 'its hash is not that of its content: it was changed since';
  if (before !== null && document.sequence !== before.sequence + 1)
    return `expected number ${before.sequence + 1}: one is missing or there twice`;
  if (
    document.previous !== (before?.hash ?? document.previous) ||
    (document.sequence === 1) !== (document.previous === null)
  )
    return 'it does not follow the one before: it names another';
  if (document.judgeVersion !== JUDGE_VERSION) return null;
  let again: LineJudgement;
  try {
    again = judgeEvidence(document.facts as unknown as LineFacts).judgement;
  } catch (error) {
    return `its facts cannot be judged: ${(error as Error).message}`;
  }
  return canonicalJson(again) === canonicalJson(document.judgement)
    ? null
    : `judged again the same facts give another judgement: ${differing(again, document.judgement)}`;
};

/**
 * Looks whether documents are an unbroken stretch of a chain, and whether each judgement follows from its facts to the
 * byte. @param documents the first one first; a chain may be looked at from any place on.
 */
export const verifyEvidence = (documents: readonly unknown[]): ChainVerdict => {
  let before: LineEvidenceDocument | null = null;
  let notReplayed = 0;
  for (const [i, given] of documents.entries()) {
    const parsed = LineEvidenceDocument.safeParse(given);
    const sequence: number = parsed.data?.sequence ?? (before?.sequence ?? i) + 1;
    const says = parsed.success
      ? wrongWith(parsed.data, before)
      : `it is no line evidence: ${parsed.error.issues[0]?.path.join('.')} ${parsed.error.issues[0]?.message}`;
    if (says !== null) return { holds: false, sequence, says };
    before = parsed.data as LineEvidenceDocument;
    if (before.judgeVersion !== JUDGE_VERSION) notReplayed += 1;
  }
  return { holds: true, documents: documents.length, notReplayed };
};
