import type { DetectorDefinition } from '../core/drift/detector.ts';

const TABLE_BEGIN = '<!-- detectors: written by npm run detectors -->';
const TABLE_END = '<!-- end of detectors -->';

const constantOf = (name: string): string => name.replace(/-(.)/g, (_, c: string) => c.toUpperCase());

/**
 * Source of the registry of detectors. It is written rather than found at run time because a bundle has no folder to look into.
 * @param files of core/drift/detectors: a detector is the file of its name.
 */
export const registrySource = (files: readonly string[]): string => {
  const names = files.map((f) => f.replace(/\.ts$/, '')).sort();
  const imports = names.map((n) => `import { definition as ${constantOf(n)} } from './detectors/${n}.ts';\n`).join('');
  const entries = names.map((n) => (n === constantOf(n) ? `  ${n},\n` : `  '${n}': ${constantOf(n)},\n`)).join('');
  return `// Written by \`npm run detectors\` from the files of core/drift/detectors.\nimport type { DetectorDefinition } from './detector.ts';\n${imports}\n/** Every detector by name. */\nexport const DETECTORS: Readonly<Record<string, DetectorDefinition>> = {\n${entries}};\n`;
};

/** Rows of the table in docs/detectors.md. */
const detectorTable = (detectors: Readonly<Record<string, DetectorDefinition>>): string => {
  const rows = Object.values(detectors).map((d) => {
    const options = Object.entries(d.defaults).map(([name, value]) => `\`${name}\` ${value}`);
    return `| \`${d.name}\` | ${d.watches} | ${d.says} | ${options.join(', ')} | ${d.source} |`;
  });
  return `| detector | takes | what it finds | options | from |\n|---|---|---|---|---|\n${rows.join('\n')}`;
};

/** The page with its table as the detectors say. */
export const pageWithTable = (page: string, detectors: Readonly<Record<string, DetectorDefinition>>): string =>
  `${page.slice(0, page.indexOf(TABLE_BEGIN))}${TABLE_BEGIN}\n${detectorTable(detectors)}\n${page.slice(page.indexOf(TABLE_END))}`;
