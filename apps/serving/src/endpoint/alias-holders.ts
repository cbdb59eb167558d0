import type { EntityManager } from 'typeorm';
import { lockKey } from '@mledger/event-log';
import type { VersionFacts } from './served-model';

interface Alias {
  readonly tenant: string;
  readonly modelId: string;
  readonly alias: string;
}

/**
 * Who holds each alias, as far as the reaction to AliasMoved has come. Working state: whoever creates an endpoint and the
 * reaction both hold the alias's lock, so that no move falls between the look and the first deployment.
 */
export async function lockAlias(manager: EntityManager, { tenant, modelId, alias }: Alias): Promise<void> {
  await manager.query('select pg_advisory_xact_lock($1)', [
    lockKey('serving', 'alias', `${tenant}/${modelId}@${alias}`),
  ]);
}

export async function holderOf(
  manager: EntityManager,
  { tenant, modelId, alias }: Alias,
): Promise<VersionFacts | undefined> {
  const rows: { facts: VersionFacts }[] = await manager.query(
    'select facts from alias_holders where tenant = $1 and model_id = $2 and alias = $3',
    [tenant, modelId, alias],
  );
  return rows[0]?.facts;
}

export async function recordHolder(manager: EntityManager, alias: Alias, facts: VersionFacts): Promise<void> {
  await manager.query(
    `insert into alias_holders (tenant, model_id, alias, facts) values ($1, $2, $3, $4)
     on conflict (tenant, model_id, alias) do update set facts = excluded.facts`,
    [alias.tenant, alias.modelId, alias.alias, JSON.stringify(facts)],
  );
}

export async function forgetHolder(manager: EntityManager, { tenant, modelId, alias }: Alias): Promise<void> {
  await manager.query('delete from alias_holders where tenant = $1 and model_id = $2 and alias = $3', [
    tenant,
    modelId,
    alias,
  ]);
}
