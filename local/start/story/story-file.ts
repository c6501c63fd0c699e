import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../plant.ts';

const STORY_FILE = 'story.json';

/** How far the story of a model line came, so that a start after a cut goes on from there, and what it told. */
const StoryState = z.strictObject({
  schema: z.literal('story/1'),
  modelLine: z.string(),
  /** Which machines: their seed, or a digest of their frames. */
  identity: z.string(),
  /** The lap of the lives, and by how much it was later than its source says, ms. */
  lived: z.strictObject({ lap: z.int().positive(), moved: z.int().nonnegative().default(0) }).nullable(),
  /** How many events of the runs were sent. */
  told: z.int().nonnegative(),
  requestId: z.string().nullable(),
  /** Retrains that ended in a fault, a job that was killed for example: the judge asks again. */
  inVain: z.array(z.string()),
  challenger: z.string().nullable(),
  released: z.string().nullable(),
  reverted: z.boolean(),
  finished: z.boolean(),
  /** What happened, without times and digests: the same machines give the same facts. */
  facts: z.array(z.string()),
  timings: z.record(z.string(), z.number()),
});
export type StoryState = z.infer<typeof StoryState>;

const nothing = (modelLine: string, identity: string): StoryState => ({
  schema: 'story/1',
  modelLine,
  identity,
  lived: null,
  told: 0,
  requestId: null,
  inVain: [],
  challenger: null,
  released: null,
  reverted: false,
  finished: false,
  facts: [],
  timings: {},
});

/** Keeps the state of the story in `story.json`; a story of other machines, or a torn file, begins anew. */
export class StoryFile {
  private readonly file: string;
  state: StoryState;

  constructor(stateDir: string, modelLine: string, identity: string) {
    this.file = join(stateDir, STORY_FILE);
    this.state = nothing(modelLine, identity);
    if (!existsSync(this.file)) return;
    try {
      const known = StoryState.parse(JSON.parse(readFileSync(this.file, 'utf8')));
      if (known.modelLine === modelLine && known.identity === identity) this.state = known;
    } catch {
      // What it told is told again.
    }
  }

  note(more: Partial<StoryState>): void {
    this.state = { ...this.state, ...more };
    writeWhole(this.file, JSON.stringify(this.state, null, 2));
  }

  fact(text: string): void {
    if (!this.state.facts.includes(text)) this.note({ facts: [...this.state.facts, text] });
  }

  timing(name: string, seconds: number): void {
    this.note({ timings: { ...this.state.timings, [name]: Math.round(seconds * 10) / 10 } });
  }
}
