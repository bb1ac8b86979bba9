/** Why a request brought nothing, in the kinds that the page tells apart. */
export type Failure = 'unreachable' | 'key' | 'limited' | 'busy' | 'refused' | 'broken';

export class ServiceError extends Error {
  constructor(
    readonly failure: Failure,
    message: string,
    /** Seconds until it makes sense to ask again. */
    readonly retryAfter = 1,
  ) {
    super(message);
    this.name = 'ServiceError';
  }
}

/** The words of an error in whichever dialect. */
export function messageOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined;
  const { error } = body;
  if (typeof error === 'string') return error;
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
  return undefined;
}

/** What an answer with an error status means. */
export async function errorOf(response: Response): Promise<ServiceError> {
  const said = messageOf(await response.json().catch(() => undefined));
  const message = said ?? `${response.status} ${response.statusText}`;
  const retryAfter = Math.max(1, Number(response.headers.get('retry-after')) || 1);
  const failure = response.status === 401 ? 'key' : response.status === 429 ? 'limited' : 'refused';
  return new ServiceError(response.status === 503 ? 'busy' : failure, message, retryAfter);
}
