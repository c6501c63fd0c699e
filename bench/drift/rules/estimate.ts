/** Confidence-based performance estimation (NannyML): what calibrated probabilities say of accuracy and F1 before labels come. */
export const expectedPerformance = (
  probabilities: readonly number[],
  predictions: readonly (0 | 1)[],
): { readonly accuracy: number; readonly f1: number } => {
  let [truePositives, falsePositives, falseNegatives, right] = [0, 0, 0, 0];
  for (const [i, p] of probabilities.entries()) {
    if (predictions[i] === 1) {
      truePositives += p;
      falsePositives += 1 - p;
      right += p;
    } else {
      falseNegatives += p;
      right += 1 - p;
    }
  }
  return {
    accuracy: right / probabilities.length,
    f1: (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives),
  };
};
