import { Controller, Get, HttpCode, Post } from '@nestjs/common';

/** The lakeFS whose API this is. Clients read it as numbers between dots. */
const VERSION_CONFIG = { version: '1.84.0', version_context: 'lakeFS' };

const STORAGE_CONFIG = {
  blockstore_type: 'local',
  blockstore_id: '',
  blockstore_description: '',
  blockstore_namespace_example: 'local://example',
  blockstore_namespace_ValidityRegex: '^[a-z][a-z0-9+.-]*://',
  // Clients append `/<name>`.
  default_namespace_prefix: 'local://',
  pre_sign_support: true,
  pre_sign_support_ui: false,
  pre_sign_multipart_upload: false,
  import_support: false,
  import_validity_regex: '^$',
};

const GRACE_PERIOD_SECONDS = 6 * 60 * 60;

/** What a lakeFS client asks of a server before anything else. */
@Controller('api/v1')
export class ConfigController {
  @Get('healthcheck')
  @HttpCode(204)
  health(): void {}

  @Get('config')
  config(): object {
    return {
      version_config: VERSION_CONFIG,
      storage_config: STORAGE_CONFIG,
      storage_config_list: [],
      ui_config: { custom_viewers: [] },
      capabilities_config: {},
    };
  }

  @Get('config/version')
  version(): object {
    return VERSION_CONFIG;
  }

  @Get('config/storage')
  storage(): object {
    return STORAGE_CONFIG;
  }

  @Get('config/garbage-collection')
  garbageCollection(): object {
    return { grace_period: GRACE_PERIOD_SECONDS };
  }

  /** Clients count their own calls; nothing here wants to know. */
  @Post('statistics')
  @HttpCode(204)
  statistics(): void {}

  @Get('usage-report/summary')
  usage(): object {
    return { installation_id: '', reports: [] };
  }
}
