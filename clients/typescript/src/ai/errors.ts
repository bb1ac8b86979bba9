import { APICallError } from '@ai-sdk/provider';

import { EmbeddingServiceError } from '../errors.js';
import { isRetryable } from '../retry.js';

/**
 * What `ai` knows errors of requests by: it sends those again that may pass, when `Retry-After` says. Not those
 * of a call whose requests were sent again here: it would begin with all of its texts anew.
 */
export function asApiCallError(
  error: unknown,
  url: string,
  requestBodyValues: unknown,
  retries: number,
): unknown {
  if (!(error instanceof EmbeddingServiceError)) return error;
  return new APICallError({
    message: error.message,
    url: error.url ?? url,
    requestBodyValues,
    ...(error.status !== undefined && { statusCode: error.status }),
    ...(error.headers && { responseHeaders: Object.fromEntries(error.headers.entries()) }),
    ...(error.body !== undefined && { responseBody: error.body }),
    cause: error,
    isRetryable: retries === 0 && isRetryable(error),
  });
}
