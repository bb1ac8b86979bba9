/**
 * What went wrong. The first five are the service's own `error_type`; an input that this client itself
 * refuses is `Validation` too, without a status.
 *
 * - `Validation`: the request is wrong, or the key is (401); sending it again does not help
 * - `Empty`: no text at all
 * - `Backend`: the model does not have what was asked for (424), or the service failed (500)
 * - `Overloaded`: over the rate limit, or the queue is full (429)
 * - `Unhealthy`: loading, stopping or failed (503, or 502 from a proxy before it)
 * - `Connection`: nobody answered there, the connection broke, or TLS did not come about
 * - `Timeout`: no whole answer within `timeoutMs`
 * - `InvalidAnswer`: an answer that this service would not give; is the URL another server's?
 */
export type EmbeddingServiceErrorType =
  | 'Validation'
  | 'Empty'
  | 'Backend'
  | 'Overloaded'
  | 'Unhealthy'
  | 'Connection'
  | 'Timeout'
  | 'InvalidAnswer';

export interface EmbeddingServiceErrorDetails {
  type: EmbeddingServiceErrorType;
  url?: string | undefined;
  status?: number | undefined;
  headers?: Headers | undefined;
  body?: string | undefined;
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/** Every failure of a call, but for the caller's own abort, which rejects with the signal's reason. `cause` is what
 * failed underneath, such as `fetch`'s own error. */
export class EmbeddingServiceError extends Error {
  override readonly name = 'EmbeddingServiceError';
  readonly type: EmbeddingServiceErrorType;
  /** The URL that was asked, if one was. */
  readonly url: string | undefined;
  /** The HTTP status, if there was an answer. */
  readonly status: number | undefined;
  /** Under which the service's log tells of the request. */
  readonly requestId: string | undefined;
  /** How many milliseconds the service asks to wait before the next try. */
  readonly retryAfterMs: number | undefined;
  // Not fields, so that a log of the error does not show them.
  readonly #headers: Headers | undefined;
  readonly #body: string | undefined;

  constructor(message: string, details: EmbeddingServiceErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.type = details.type;
    this.url = details.url;
    this.status = details.status;
    this.requestId = details.headers?.get('x-request-id') ?? undefined;
    this.retryAfterMs = details.retryAfterMs;
    this.#headers = details.headers;
    this.#body = details.body;
  }

  /** The answer's headers, if there was an answer. */
  get headers(): Headers | undefined {
    return this.#headers;
  }

  /** The answer's body as it came, if there was an answer with a status that tells of an error. */
  get body(): string | undefined {
    return this.#body;
  }
}

/** For what the caller passed. */
export function invalid(message: string): EmbeddingServiceError {
  return new EmbeddingServiceError(message, { type: 'Validation' });
}
