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
