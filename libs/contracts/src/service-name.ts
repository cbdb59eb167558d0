/** The services, in the order in which standalone starts them. */
export const SERVICE_NAMES = [
  'access',
  'versioning',
  'experiments',
  'registry',
  'serving',
  'monitoring',
  'pipelines',
  'ledger',
] as const;

export type ServiceName = (typeof SERVICE_NAMES)[number];
