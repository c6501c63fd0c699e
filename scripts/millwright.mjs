#!/usr/bin/env node
import { main, onNode24, setUp } from './setup.mjs';

await main(async () => {
  setUp((line) => console.error(line));
  return onNode24('cli/millwright.ts', process.argv.slice(2));
});
