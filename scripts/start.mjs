import { main, onNode24, setUp } from './setup.mjs';

await main(async () => {
  setUp();
  return onNode24('local/start/main.ts', process.argv.slice(2));
});
