// Compiles the spectral kernel (core/features/kernel/kernel.as, AssemblyScript) into core/features/kernel/kernel-wasm.ts.
// What it writes is committed: devices and Lambdas bundle it, nobody needs the compiler to build or to run.
// With --check it writes nothing and fails when the file is not what the source says.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const FOLDER = join(import.meta.dirname, '../core/features/kernel');
const MODULE = join(FOLDER, 'kernel-wasm.ts');

let wasm: Uint8Array | undefined;
const options = '--optimizeLevel 3 --shrinkLevel 0 --converge --runtime stub --enable simd --noAssert --use abort=';
const { error, stderr } = await asc.main(['kernel.ts', '--outFile', 'kernel.wasm', ...options.split(' ')], {
  readFile: (name) => (name === 'kernel.ts' ? readFileSync(join(FOLDER, 'kernel.as'), 'utf8') : null),
  writeFile: (_, contents) => {
    if (typeof contents !== 'string') wasm = contents;
  },
  listFiles: () => [],
});

if (error !== null || wasm === undefined) {
  console.error(`core/features/kernel/kernel.as does not compile:\n${stderr.toString()}`);
  process.exitCode = 1;
} else {
  const lines =
    Buffer.from(wasm)
      .toString('base64')
      .match(/.{1,110}/g) ?? [];
  const text = `// Compiled from kernel.as by scripts/build-kernel.ts; do not edit.
export const KERNEL_WASM = [
${lines.map((line) => `  '${line}',`).join('\n')}
].join('');
`;
  if (!process.argv.includes('--check')) {
    writeFileSync(MODULE, text);
    console.log(`core/features/kernel/kernel-wasm.ts: ${wasm.length} bytes`);
  } else if (readFileSync(MODULE, 'utf8') !== text) {
    console.error(
      'core/features/kernel/kernel-wasm.ts is not what kernel.as says: run "npm run kernel" and commit the result',
    );
    process.exitCode = 1;
  }
}
