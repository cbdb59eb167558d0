export interface ApiErrorOptions {
  readonly status: number;
  /** Upper snake case, or what the protocol at hand calls it; stable. */
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal that an edge decides by itself, before or beside the domain: bad parameters, absent rows, limits. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(options: ApiErrorOptions) {
    super(options.message);
    this.name = 'ApiError';
    this.status = options.status;
    this.code = options.code;
    this.details = options.details;
    this.headers = options.headers ?? {};
  }

  static invalid(message: string, details?: Record<string, unknown>): ApiError {
    return new ApiError({ status: 400, code: 'INVALID', message, details });
  }

  static forbidden(message: string, details?: Record<string, unknown>): ApiError {
    return new ApiError({ status: 403, code: 'FORBIDDEN', message, details });
  }

  static notFound(message: string, details?: Record<string, unknown>): ApiError {
    return new ApiError({ status: 404, code: 'NOT_FOUND', message, details });
  }

  static exists(message: string, details?: Record<string, unknown>): ApiError {
    return new ApiError({ status: 409, code: 'EXISTS', message, details });
  }

  static conflict(message: string, details?: Record<string, unknown>): ApiError {
    return new ApiError({ status: 409, code: 'CONFLICT', message, details });
  }

  static tooLarge(message: string, details?: Record<string, unknown>): ApiError {
    return new ApiError({ status: 413, code: 'TOO_LARGE', message, details });
  }

  static unsupportedMediaType(message: string): ApiError {
    return new ApiError({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', message });
  }

  static notImplemented(message = 'Not Implemented'): ApiError {
    return new ApiError({ status: 501, code: 'NOT_IMPLEMENTED', message });
  }

  static unavailable(message: string): ApiError {
    return new ApiError({ status: 503, code: 'UNAVAILABLE', message });
  }
}
