// Written by `npm run detectors` from the files of core/drift/detectors.
import type { DetectorDefinition } from './detector.ts';
import { definition as adwin } from './detectors/adwin.ts';
import { definition as ageingSlope } from './detectors/ageing-slope.ts';
import { definition as calibration } from './detectors/calibration.ts';
import { definition as cusum } from './detectors/cusum.ts';
import { definition as ddm } from './detectors/ddm.ts';
import { definition as eCusum } from './detectors/e-cusum.ts';
import { definition as eSr } from './detectors/e-sr.ts';
import { definition as ecdd } from './detectors/ecdd.ts';
import { definition as eddm } from './detectors/eddm.ts';
import { definition as hddmA } from './detectors/hddm-a.ts';
import { definition as hddmW } from './detectors/hddm-w.ts';
import { definition as kswin } from './detectors/kswin.ts';
import { definition as pageHinkley } from './detectors/page-hinkley.ts';
import { definition as rddm } from './detectors/rddm.ts';
import { definition as stepd } from './detectors/stepd.ts';

/** Every detector by name. */
export const DETECTORS: Readonly<Record<string, DetectorDefinition>> = {
  adwin,
  'ageing-slope': ageingSlope,
  calibration,
  cusum,
  ddm,
  'e-cusum': eCusum,
  'e-sr': eSr,
  ecdd,
  eddm,
  'hddm-a': hddmA,
  'hddm-w': hddmW,
  kswin,
  'page-hinkley': pageHinkley,
  rddm,
  stepd,
};
