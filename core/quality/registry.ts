import type { QualityCheck } from '../contracts/quality.ts';
import type { Check } from './check.ts';
import { clockStep } from './checks/clock-step.ts';
import { duplicateTime } from './checks/duplicate-time.ts';
import { gap } from './checks/gap.ts';
import { late } from './checks/late.ts';
import { range } from './checks/range.ts';
import { rate } from './checks/rate.ts';
import { stuck } from './checks/stuck.ts';
import { unit } from './checks/unit.ts';

/** Each check knows its own state only. */
// biome-ignore lint/suspicious/noExplicitAny: the states differ by check, and no other reads them.
type AnyCheck = Check<any>;

/**
 * Every check by name, in the order in which their reasons are given: first what makes a value BAD. The type asks for
 * one of each name of the contract; a test fails when a file of `checks/` is not here.
 */
export const CHECKS: Readonly<Record<QualityCheck, AnyCheck>> = {
  unit,
  range,
  'clock-step': clockStep,
  rate,
  stuck,
  'duplicate-time': duplicateTime,
  gap,
  late,
};
