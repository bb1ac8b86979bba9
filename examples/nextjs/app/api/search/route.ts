import { writeLines } from '@/lib/ndjson';
import { search, type SearchRequest } from '@/lib/search';
import { searchIndex } from '@/lib/search-index';
import { MOST_LETTERS, type SearchEvent } from '@/lib/types';

export const dynamic = 'force-dynamic';

const MOST_RESULTS = 50;

/** GET /api/search?q=...&in=ru&limit=10: a line of JSON for each stage of the search, as it is done. */
export function GET(request: Request): Response {
  const stop = new AbortController();
  const signal = AbortSignal.any([request.signal, stop.signal]);
  const asked = parse(new URL(request.url).searchParams, signal);
  if (typeof asked === 'string') return Response.json({ error: asked }, { status: 422 });
  return new Response(writeLines(events(asked), () => stop.abort()), {
    headers: {
      'content-type': 'application/x-ndjson; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      // Or nginx keeps lines until it has a buffer full of them.
      'x-accel-buffering': 'no',
    },
  });
}

/** The request, or what is wrong with it. */
function parse(parameters: URLSearchParams, signal: AbortSignal): SearchRequest | string {
  const query = parameters.get('q')?.trim() ?? '';
  if (query === '') return 'q: expected the words to search for';
  if (query.length > MOST_LETTERS) return `q: expected at most ${MOST_LETTERS} letters, got ${query.length}`;
  const language = parameters.get('in') || null;
  if (language && !/^[a-z]{2,3}$/.test(language)) return `in: expected a language such as ru, got ${JSON.stringify(language)}`;
  const limit = Number(parameters.get('limit') ?? 10);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_RESULTS) {
    return `limit: expected a whole number from 1 to ${MOST_RESULTS}, got ${JSON.stringify(parameters.get('limit'))}`;
  }
  return { query, language, limit, signal };
}

async function* events(request: SearchRequest): AsyncGenerator<SearchEvent> {
  const index = searchIndex();
  const status = await index.check();
  if (status.state !== 'ready') {
    yield { type: 'status', status };
    return;
  }
  try {
    yield* search(await index.store(), status.service, request);
  } catch (error) {
    if (request.signal.aborted) return;
    yield { type: 'status', status: index.report(error) };
  }
}
