import { badShare } from './bad-share.ts';
import { decisionsWithFeatures } from './decisions-with-features.ts';
import { featureRowsByDay } from './feature-rows-by-day.ts';
import { featuresAsOf } from './features-as-of.ts';
import { featuresCorrected } from './features-corrected.ts';
import { featuresOfFrames } from './features-of-frames.ts';
import { findings } from './findings.ts';
import { findingsOfSignal } from './findings-of-signal.ts';
import { hourlyStatistics } from './hourly-statistics.ts';
import { observationsOfSignal } from './observations-of-signal.ts';
import { openFindings } from './open-findings.ts';
import type { LakeQuery } from './query.ts';
import { rowsByDay } from './rows-by-day.ts';

/** Every query over the lake by name; a test fails when one of this folder is not here. */
export const QUERIES: Readonly<Record<string, LakeQuery>> = Object.fromEntries(
  [
    featuresAsOf,
    featuresCorrected,
    featuresOfFrames,
    decisionsWithFeatures,
    observationsOfSignal,
    hourlyStatistics,
    findings,
    openFindings,
    findingsOfSignal,
    badShare,
    rowsByDay,
    featureRowsByDay,
  ].map((q) => [q.name, q]),
);
