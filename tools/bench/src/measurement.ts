import { availableParallelism } from 'node:os';

/** One figure, and all that is needed to judge it. */
export interface Measurement {
  readonly suite: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What held while it was measured. */
  readonly conditions: string;
  /** What else was measured in the same way on the same machine, and the ratio of ours to theirs. */
  readonly peer?: string;
  readonly peerValue?: number;
  readonly ratio?: number;
}

/** A suite reports each figure as soon as it has it. */
export type Report = (measurement: Omit<Measurement, 'suite'>) => void;

export interface Suite {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  run(report: Report): Promise<void>;
}

/** A peer's figure, where it could be measured, as a measurement has it. */
export function besides(
  peer: string,
  value: number,
  peerValue: number | undefined,
): Pick<Measurement, 'peer' | 'peerValue' | 'ratio'> {
  return peerValue === undefined ? {} : { peer, peerValue, ratio: value / peerValue };
}

/** For the conditions: without the machine a figure says little. */
export function cores(): string {
  return `${availableParallelism()} cores`;
}

/** Three significant digits are what a machine with other work to do can give. */
export function formatValue(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(digits, 6) });
}

/** Figures as a table for people; what held while they were measured stands below, once for all that share it. */
export function formatTable(measurements: readonly Measurement[]): string {
  const hasPeer = measurements.some(({ peer }) => peer !== undefined);
  const conditions = [...new Set(measurements.map((measurement) => measurement.conditions))];
  const header = ['figure', 'value', 'unit', ...(hasPeer ? ['peer', 'its value', 'ratio'] : []), 'note'];
  const rows = measurements.map((measurement) => [
    measurement.name,
    formatValue(measurement.value),
    measurement.unit,
    ...(hasPeer ? [measurement.peer ?? '', optional(measurement.peerValue), optional(measurement.ratio)] : []),
    `${conditions.indexOf(measurement.conditions) + 1}`,
  ]);
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    row
      .map((cell, column) => (column === 1 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd();
  const table = [header, widths.map((width) => '─'.repeat(width)), ...rows].map(line);
  return [...table, '', ...conditions.map((text, index) => `${index + 1}: ${text}`)].join('\n');
}

function optional(value: number | undefined): string {
  return value === undefined ? '' : formatValue(value);
}
