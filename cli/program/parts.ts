import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { Instant } from '#core/contracts/primitives.ts';
import type { Output } from '../output.ts';
import type { World } from '../world.ts';

/** Adds a command with its help and an example to a parent. */
export type Add = (parent: Command, usage: string, says: string, ...examples: readonly string[]) => Command;
/** What a command does, given the world it reaches and where it writes. */
export type Act = <A extends readonly unknown[]>(
  action: (world: World, out: Output, ...args: A) => Promise<void>,
) => (...args: readonly unknown[]) => Promise<void>;

/** What a command does that needs no platform. */
export type Here = <A extends readonly unknown[]>(
  action: (out: Output, ...args: A) => Promise<void>,
) => (...args: readonly unknown[]) => Promise<void>;

/** Parses the value of an option that counts. @throws {InvalidArgumentError} when it is no whole number from 0. */
export const count = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('Expected a whole number.');
  return value;
};

/** Parses the value of an option that names a day. @throws {InvalidArgumentError} when it is none. */
export const day = (text: string): string => {
  if (z.iso.date().safeParse(text).success) return text;
  throw new InvalidArgumentError('Expected a UTC day like 2026-01-31.');
};

/** Parses the value of an option that names an instant. @throws {InvalidArgumentError} when it is none. */
export const instant = (text: string): string => {
  if (Instant.safeParse(text).success) return text;
  throw new InvalidArgumentError('Expected UTC like 2026-01-31T08:00:00.000Z.');
};
