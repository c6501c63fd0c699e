/** Types of counterexamples.mjs. */
export const counterexamples: (report: {
  readonly testResults: readonly {
    readonly name: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}) => { file: string; test: string; seed: number | null; path: string | null; says: string }[];
