/**
 * The area under the ROC curve: how likely a positive scores above a negative, ties counting half.
 * Null where all labels are of one class.
 */
export function areaUnderCurve(scores: readonly number[], positives: readonly boolean[]): number | null {
  const order = scores.map((_, index) => index).sort((a, b) => scores[a]! - scores[b]!);
  let rankSum = 0;
  let positiveCount = 0;
  for (let start = 0; start < order.length;) {
    let end = start;
    let tiedPositives = 0;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) {
      if (positives[order[end]!]) tiedPositives += 1;
      end += 1;
    }
    // Ranks count from one; those that tie share the middle of theirs.
    rankSum += tiedPositives * ((start + 1 + end) / 2);
    positiveCount += tiedPositives;
    start = end;
  }
  const negativeCount = order.length - positiveCount;
  if (positiveCount === 0 || negativeCount === 0) return null;
  return (rankSum - (positiveCount * (positiveCount + 1)) / 2) / (positiveCount * negativeCount);
}
