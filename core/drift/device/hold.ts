/** A window as the reasons to look at a device see it; e-value and charts are those after it. */
export interface HoldSigns {
  /** What the tolerance test of the window alone says. */
  readonly state: 'steady' | 'watch' | 'serious';
  /** Of its features the largest lower bound of the population index. */
  readonly lower: number;
  readonly eValue: number;
  /** The farthest chart over its limit. */
  readonly chart: number;
  /** Features that surely age, the farthest first; and those of which that is not over. */
  readonly ageing: readonly string[];
  readonly stillAgeing: readonly string[];
}

/** Where each reason begins. */
export interface HoldRule {
  readonly psiWatch: number;
  readonly psiSerious: number;
  /** Of the e-value over windows. */
  readonly threshold: number;
  /** Windows in a row under where a reason is left, until it is. */
  readonly leaveAfter: number;
}

/** Why a device is looked at: of each reason the windows in a row that were under where it is left; null: it is none. */
export interface Hold {
  /** A window alone was far off. */
  readonly serious: number | null;
  /** A mean went off slowly. */
  readonly slow: number | null;
  /** Windows together are more than is tolerated. */
  readonly together: number | null;
  /** They reached the limit of the e-value since then. */
  readonly reached: boolean;
  /** Windows in a row that were far off alone; no more are counted than matter. */
  readonly far: number;
  /** The feature that ages while a mean is off, and windows in a row in which it did not; absent: as null. */
  readonly ages?: { readonly feature: string; readonly calm: number } | null;
}

/** A device that is looked at already is far off by so many windows in a row: now and then one is by chance. */
const FAR_WINDOWS = 2;

export const FREE: Hold = { serious: null, slow: null, together: null, reached: false, far: 0 };

export const isFree = ({ serious, slow, together }: Hold): boolean =>
  serious === null && slow === null && together === null;

const next = (calm: number | null, enters: boolean, stays: boolean, leaveAfter: number): number | null => {
  if (enters || (calm !== null && stays)) return 0;
  return calm === null || calm + 1 >= leaveAfter ? null : calm + 1;
};

/** The feature that it is said of stays the same as long as it ages, however many others do. */
const nextAgeing = (before: Hold['ages'], { ageing, stillAgeing }: HoldSigns, leaveAfter: number): Hold['ages'] => {
  const stays = before != null && (stillAgeing.includes(before.feature) || ageing.includes(before.feature));
  if (stays) return { ...before, calm: 0 };
  if (before != null && before.calm + 1 < leaveAfter) return { ...before, calm: before.calm + 1 };
  return ageing[0] === undefined ? null : { feature: ageing[0], calm: 0 };
};

/**
 * Each reason begins at its limit and is left after `leaveAfter` windows in a row half the way down: under √A for an e-value,
 * under half of it for a chart, which is a logarithm, under the geometric mean of the two limits for the index. Without it a
 * change that is about as large as a limit would begin and end with every window.
 */
export const stepHold = (hold: Hold, signs: HoldSigns, rule: HoldRule): Hold => {
  const { state, lower, eValue, chart } = signs;
  const { threshold, leaveAfter } = rule;
  const isMuch = eValue >= Math.sqrt(threshold);
  const isOut = state !== 'steady';
  const far = state === 'serious' ? Math.min(FAR_WINDOWS, hold.far + 1) : 0;
  const isFar = far >= (hold.together === null ? 1 : FAR_WINDOWS);
  // One window that is out alone is soon forgotten; after it, √A of all of them is enough.
  const together = next(hold.together, eValue >= threshold || (isOut && isMuch), isOut || isMuch, leaveAfter);
  const slow = next(hold.slow, chart > 1, chart > 1 / 2, leaveAfter);
  return {
    serious: next(hold.serious, isFar, lower > Math.sqrt(rule.psiWatch * rule.psiSerious), leaveAfter),
    far,
    slow,
    ages: slow === null ? null : (nextAgeing(hold.ages, signs, leaveAfter) ?? null),
    together,
    reached: together !== null && (hold.reached || eValue >= threshold),
  };
};

const NO_SIGN: HoldSigns = { state: 'steady', lower: 0, eValue: 0, chart: 0, ageing: [], stillAgeing: [] };

/** By one window that is no sign of any change. */
export const calmHold = (hold: Hold, rule: HoldRule): Hold => stepHold(hold, NO_SIGN, rule);
