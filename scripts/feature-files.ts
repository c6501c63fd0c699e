import type { Feature } from '../core/features/engine/feature.ts';
import { type GoldenBits, goldenBits } from '../test/support/feature-golden.ts';

export const GOLDEN = 'test/conformance/features/golden-bits.json';
export const TABLE_BEGIN = '<!-- features: written by npm run features -->';
export const TABLE_END = '<!-- end of features -->';

const constantOf = (name: string): string => name.replace(/-(.)/g, (_, c: string) => c.toUpperCase());

/**
 * Source of the registry. It is written rather than found at run time because a bundle has no folder to look into.
 * @param files of core/features: a feature is the file of its name, its constant the name in camel case.
 */
export const registrySource = (files: readonly string[]): string => {
  const names = files.map((f) => f.replace(/\.ts$/, '')).sort();
  const imports = names.map((n) => `import { ${constantOf(n)} } from '../${n}.ts';\n`).join('');
  const entries = names.map((n) => (n === constantOf(n) ? `  ${n},\n` : `  '${n}': ${constantOf(n)},\n`)).join('');
  return `// Written by \`npm run features\` from the files of core/features.\n${imports}import type { Feature } from './feature.ts';\n\n/** Every feature by name. */\nexport const FEATURES: Readonly<Record<string, Feature>> = {\n${entries}};\n`;
};

/** Rows of the table in docs/features.md. */
export const featureTable = (features: Readonly<Record<string, Feature>>): string => {
  const row = (f: Feature): string => {
    const params = Object.entries(f.params).map(([name, kind]) => `\`${name}\`: ${kind.replaceAll('-', ' ')}`);
    const example = Object.entries(f.example ?? {});
    const paramOf = (signal: string): string => example.find(([, value]) => value === signal)?.[0] ?? signal;
    const unit = f.unit('its signal’s', f.example ?? {}, (signal) => `that of \`${paramOf(signal)}\``);
    return `| \`${f.name}\` | ${f.kind} | ${f.version} | ${f.says} | ${f.missing} | ${params.join(', ')} | ${unit} |`;
  };
  const rows = Object.values(features).map(row).join('\n');
  return `| feature | of | version | what it says | bad and missing input | params | unit |\n|---|---|---|---|---|---|---|\n${rows}`;
};

/**
 * Golden bits of every feature.
 * @param known those committed.
 * @throws {Error} when bits of a version are others than committed: its version has to be raised.
 */
export const goldenOf = (
  features: Readonly<Record<string, Feature>>,
  known: Readonly<Record<string, GoldenBits>>,
): Readonly<Record<string, GoldenBits>> =>
  Object.fromEntries(
    Object.values(features).map((feature) => {
      const made = goldenBits(feature);
      const before = known[feature.name];
      if (before?.version === made.version && before.bits !== made.bits)
        throw new Error(
          `version ${made.version} of ${feature.name} gives other bits than those in ${GOLDEN}: raise its version, models learnt from the other bits`,
        );
      return [feature.name, made];
    }),
  );
