/**
 * What failed in a run of jest, of its JSON report. A law of fast-check says with which seed and path it fails again;
 * both are null for what failed otherwise.
 * @param {{ testResults: readonly { name: string, message?: string, assertionResults: readonly { status: string, fullName: string, failureMessages: readonly string[] }[] }[] }} report
 * @returns {{ file: string, test: string, seed: number | null, path: string | null, says: string }[]}
 */
export const counterexamples = ({ testResults }) =>
  testResults.flatMap(({ name, message = '', assertionResults }) => {
    // A file that could not be loaded has no tests.
    if (assertionResults.length === 0 && message !== '')
      return [{ file: name, test: '(the file itself)', seed: null, path: null, says: message }];
    return assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => {
        const says = failureMessages.join('\n');
        const [, seed = null, path = null] = /\{ seed: (-?\d+), path: "([^"]*)"/.exec(says) ?? [];
        return { file: name, test: fullName, seed: seed === null ? null : Number(seed), path, says };
      });
  });
