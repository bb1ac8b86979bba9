import { searchIndex } from '@/lib/search-index';

export const dynamic = 'force-dynamic';

/** GET /api/status: how the index and the service are right now. */
export async function GET(): Promise<Response> {
  return Response.json(await searchIndex().check(), { headers: { 'cache-control': 'no-store' } });
}
