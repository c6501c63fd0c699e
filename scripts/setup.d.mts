/** Types of setup.mjs, which must run before anything that understands types is installed. */
export const ROOT: string;
export const NODE: string;
export const PYTHON: string;
export class SetupError extends Error {}
export const checkNode: (version?: string) => void;
export const findPython: (candidates?: readonly string[]) => { command: string; version: string };
export const checkDisk: (needGiB: number, freeGiB?: number) => void;
export const setUp: (say?: (line: string) => void) => void;
export const onNode24: (script: string, args: readonly string[], env?: NodeJS.ProcessEnv) => Promise<number>;
export const main: (action: () => number | Promise<number>) => Promise<void>;
