import { z } from 'zod';
import { ROLES } from '@mledger/contracts';
import { isReservedVariable } from '../executor/step-environment';

const STEPS_MAX = 50;
const TRIGGERS_MAX = 20;
const DAY_SECONDS = 86_400;
const COOLDOWN_SECONDS_USUAL = 3_600;
const TIMEOUT_SECONDS_USUAL = 3_600;
const PAGE_MAX = 1_000;

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
export const pipelineName = z
  .string()
  .regex(NAME, 'a name is 1 to 128 letters, digits, "_", "." and "-", and begins with a letter or digit');
const stepName = pipelineName;
const argument = z
  .string()
  .max(32_768)
  .refine((text) => !text.includes('\0'), 'an argument cannot hold NUL');
const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'is not the name of a variable')
  .refine((name) => !isReservedVariable(name), 'is set by the platform');

const step = z.strictObject({
  name: stepName,
  command: z
    .tuple([argument.min(1, 'the program to run')], argument)
    .refine((words) => words.length <= 1_000, 'at most 1000 words'),
  dependsOn: z.array(stepName).max(STEPS_MAX).default([]),
  env: z
    .record(variableName, argument)
    .default({})
    .refine((env) => Object.keys(env).length <= 100, 'at most 100 variables'),
  timeoutSeconds: z.number().int().min(1).max(DAY_SECONDS).default(TIMEOUT_SECONDS_USUAL),
  attemptsMax: z.number().int().min(1).max(10).default(1),
});

const driftTrigger = z.strictObject({
  on: z.enum(['DriftDetected', 'PerformanceDegraded']),
  monitor: z.string().min(1).max(256).optional(),
  cooldownSeconds: z
    .number()
    .int()
    .min(0)
    .max(365 * DAY_SECONDS)
    .default(COOLDOWN_SECONDS_USUAL),
});

export const definition = z.strictObject({
  steps: z.array(step).min(1).max(STEPS_MAX),
  triggers: z.array(driftTrigger).max(TRIGGERS_MAX).default([]),
  role: z.enum(ROLES).default('contributor'),
});

/** A run has no parameters: to take some and leave them out would train on something else. */
export const trigger = z.strictObject({}).default({});

export const page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(100),
  after: z.string().max(200).optional(),
});
export const logQuery = z.strictObject({
  step: stepName,
  /** The last one, where it is not said. */
  attempt: z.coerce.number().int().min(1).max(10).optional(),
});
export const cancel = z
  .strictObject({ reason: z.string().trim().min(1).max(1_000).default('cancelled') })
  .default({ reason: 'cancelled' });
