import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What consumers keep in their service's schema: working state, not derived from events. */
class EventBus1796000000000 implements MigrationInterface {
  name = 'EventBus1796000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table consumer_offsets (
        consumer text not null, topic text not null, partition int not null,
        next_offset bigint not null, last_seq bigint,
        primary key (consumer, topic, partition)
      );
      create table consumer_streams (
        consumer text not null, topic text not null, stream text not null, version bigint not null,
        primary key (consumer, topic, stream)
      );
      create table read_models (
        name text primary key, ddl_hash text not null, building uuid
      );
      create table parked_events (
        id bigint generated always as identity primary key,
        tenant text not null, consumer text not null, topic text not null, partition int not null, "offset" bigint not null,
        seq bigint, stream text, type text,
        reason text not null, tries int not null, parked_at timestamptz not null default now(),
        key text not null, headers json not null, value bytea not null,
        unique (tenant, consumer, topic, partition, "offset")
      );
      create index on parked_events (consumer, topic, stream, seq);
      -- Read models that are being rebuilt lie there under their own names.
      do $$ begin execute format('create schema if not exists %I', current_schema() || '__building'); end $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table parked_events, read_models, consumer_streams, consumer_offsets');
  }
}

/** To be run in the schema of every service that consumes; after the log's own. */
export const eventBusMigrations: (new () => MigrationInterface)[] = [EventBus1796000000000];
