import { Injectable } from '@nestjs/common';
import { EventLog } from '@mledger/event-log';

export interface StoredArtifact {
  readonly path: string;
  /** The driver hands bigints over as text. */
  readonly size_bytes: string;
  readonly sha256: string;
  readonly object_key: string;
}

export interface ArtifactEntry {
  /** Below the folder that was listed, one segment. */
  readonly name: string;
  readonly is_dir: boolean;
  readonly size_bytes: number;
}

/** Answers about artifacts. A folder is there when a file is below it. */
@Injectable()
export class ArtifactQueries {
  constructor(private readonly log: EventLog) {}

  async find(tenant: string, ownerId: string, path: string): Promise<StoredArtifact | undefined> {
    const { rows } = await this.log.pool.query<StoredArtifact>({
      name: 'artifact_by_path',
      text: `select path, size_bytes, sha256, object_key from artifacts where tenant = $1 and owner_id = $2 and path = $3`,
      values: [tenant, ownerId, path],
    });
    return rows[0];
  }

  /** What lies directly in a folder, by name; empty for a file and for what is not there. */
  async list(tenant: string, ownerId: string, folder: string): Promise<ArtifactEntry[]> {
    const { rows } = await this.log.pool.query<ArtifactEntry>(
      `select split_part(rest, '/', 1) as name, bool_or(strpos(rest, '/') > 0) as is_dir,
              max(size_bytes)::double precision as size_bytes
       from (select substr(path, length($3) + 1) as rest, size_bytes
             from artifacts where tenant = $1 and owner_id = $2 and starts_with(path, $3)) a
       group by 1 order by 1`,
      [tenant, ownerId, folder === '' ? '' : `${folder}/`],
    );
    return rows;
  }

  /** The file of this path and all below it. */
  async below(tenant: string, ownerId: string, path: string): Promise<StoredArtifact[]> {
    const { rows } = await this.log.pool.query<StoredArtifact>(
      `select path, size_bytes, sha256, object_key from artifacts
       where tenant = $1 and owner_id = $2 and ($3 = '' or path = $3 or starts_with(path, $3 || '/')) order by path`,
      [tenant, ownerId, path],
    );
    return rows;
  }

  /** A file that would have to be a folder for this path to be a file, or one below it; undefined when there is room. */
  async inTheWay(tenant: string, ownerId: string, path: string): Promise<string | undefined> {
    const segments = path.split('/');
    const folders = segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
    const { rows } = await this.log.pool.query<{ path: string }>(
      `select path from artifacts
       where tenant = $1 and owner_id = $2 and (path = any($3::text[]) or starts_with(path, $4 || '/')) limit 1`,
      [tenant, ownerId, folders, path],
    );
    return rows[0]?.path;
  }
}
