import type { Frame } from '#core/contracts/frame.ts';
import type { QualityFinding } from '#core/contracts/quality.ts';
import type { UseCase } from '#core/contracts/use-case.ts';
import { findingRow } from '#core/lake/message-rows.ts';
import { checkFrames, signalsToCheck } from '#core/quality/check-frames.ts';
import { type LandingDeps, landRows } from '../shared/landing.ts';

const FINDER = 'register-upload';

/**
 * Lands what the checks find in the frames of an upload, once however often it is sent.
 * @throws {Error} when another call is about to write it: the upload is taken again.
 */
export const landFindings = async (
  deps: LandingDeps,
  of: { readonly site: string; readonly key: string; readonly digest: string; readonly signals: readonly string[] },
  frames: readonly Frame[],
  useCases: readonly UseCase[],
): Promise<readonly QualityFinding[]> => {
  const findings = checkFrames(frames, signalsToCheck(useCases, of.signals));
  if (findings.length === 0) return [];
  const said = { at: deps.now(), by: FINDER };
  const [fate] = await landRows(deps, { table: 'quality', site: of.site }, [
    // After a replay more of the same bytes may be good.
    { id: `upload/${of.digest}-${frames.length}`, content: of.digest, what: findings.map((f) => findingRow(f, said)) },
  ]);
  if (fate?.is === 'later')
    throw new Error(`the findings of ${of.key} are claimed by a call that may still be writing`);
  return findings;
};
