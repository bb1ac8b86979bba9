import { whyNoAnswer } from './connection.js';
import { withDeadline } from './deadline.js';
import { EmbeddingServiceError, type EmbeddingServiceErrorType } from './errors.js';
import { retryAfterMs } from './retry.js';
import type { Settings } from './settings.js';

export interface Question {
  method: 'GET' | 'POST';
  /** Begins with a slash. */
  path: string;
  body?: Record<string, unknown> | undefined;
  accept?: string | undefined;
  headers?: Record<string, string | undefined> | undefined;
  /** Whether a JSON answer with a status besides 2xx is what was asked for, too. Default none. */
  isAnswer?: ((json: unknown) => boolean) | undefined;
  signal?: AbortSignal | undefined;
  timeoutMs: number;
}

/** A body is JSON or, where that was asked for, bytes. */
export interface Answer {
  url: string;
  status: number;
  headers: Headers;
  json: unknown;
  bytes: ArrayBuffer | undefined;
}

export const OCTET_STREAM = 'application/octet-stream';

const SERVICE_TYPES: readonly string[] = ['Validation', 'Empty', 'Backend', 'Overloaded', 'Unhealthy'];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf(status: number, given: unknown): EmbeddingServiceErrorType {
  if (typeof given === 'string' && SERVICE_TYPES.includes(given)) return given as EmbeddingServiceErrorType;
  if (status === 429) return 'Overloaded';
  if (status === 502 || status === 503) return 'Unhealthy';
  if (status === 504) return 'Timeout';
  return status === 424 || status >= 500 ? 'Backend' : 'Validation';
}

// Each dialect of the service has its own shape: {"error": "..."}, {"error": {"message"}}, {"message"}.
function messageOf(body: unknown, text: string): string {
  if (isObject(body)) {
    const inner = isObject(body.error) ? body.error.message : body.error;
    for (const each of [inner, body.message, body.detail]) {
      if (typeof each === 'string' && each !== '') return each;
    }
  }
  return text.trim().slice(0, 200) || 'an answer without a text';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(url: string, response: Response, text: string): EmbeddingServiceError {
  const { status, headers } = response;
  const body = parsed(text);
  const id = headers.get('x-request-id');
  // A habit from OpenAI's clients.
  const hint =
    status === 404 && /\/v1\/(v1|embed|similarity|info|health)\b/.test(url)
      ? '; the base URL is that of the service, without /v1'
      : '';
  return new EmbeddingServiceError(
    `${messageOf(body, text)}${hint} (HTTP ${status} from ${url}${id ? `, request ${id}` : ''})`,
    {
      type: typeOf(status, isObject(body) ? body.error_type : undefined),
      url,
      status,
      headers,
      body: text,
      retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now()),
    },
  );
}

export function invalidAnswer(
  answer: Omit<Answer, 'json' | 'bytes'>,
  problem: string,
): EmbeddingServiceError {
  const { url, status, headers } = answer;
  return new EmbeddingServiceError(`${problem} in the answer of ${url}; is an embedding-service there?`, {
    type: 'InvalidAnswer',
    url,
    status,
    headers,
  });
}

async function read(url: string, response: Response, isAnswer: (json: unknown) => boolean): Promise<Answer> {
  const { status, headers } = response;
  const answer = { url, status, headers, json: undefined, bytes: undefined };
  const type = headers.get('content-type') ?? '';
  if (response.ok && type.startsWith(OCTET_STREAM)) return { ...answer, bytes: await response.arrayBuffer() };
  const text = await response.text();
  const json = parsed(text);
  if (!response.ok && !isAnswer(json)) throw refusal(url, response, text);
  if (json === undefined) throw invalidAnswer(answer, 'no JSON');
  return { ...answer, json };
}

/** Asks once. Rejects with an EmbeddingServiceError, or with the reason of `signal`. */
export function exchange(settings: Settings, question: Question): Promise<Answer> {
  const url = settings.baseUrl + question.path;
  const headers: Record<string, string> = { accept: question.accept ?? 'application/json' };
  if (question.body) headers['content-type'] = 'application/json';
  for (const [name, value] of Object.entries({ ...settings.headers, ...question.headers })) {
    if (value !== undefined) headers[name.toLowerCase()] = value;
  }
  const init: RequestInit = { method: question.method, headers };
  if (question.body) init.body = JSON.stringify(question.body);
  // Frameworks keep answers to GET, and some edge runtimes do not know how not to.
  else if (typeof Request !== 'undefined' && 'cache' in Request.prototype) init.cache = 'no-store';

  const late = (): Error =>
    new EmbeddingServiceError(`no whole answer from ${url} within ${question.timeoutMs} ms (timeoutMs)`, {
      type: 'Timeout',
      url,
    });
  return withDeadline(question.signal, question.timeoutMs, late, async (signal) => {
    try {
      // Called without an object before it: browsers refuse it as a method of another.
      const ask = settings.fetch ?? fetch;
      return await read(url, await ask(url, { ...init, signal }), question.isAnswer ?? (() => false));
    } catch (error) {
      if (error instanceof EmbeddingServiceError) throw error;
      throw new EmbeddingServiceError(whyNoAnswer(url, error), { type: 'Connection', url, cause: error });
    }
  });
}
