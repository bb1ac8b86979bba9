/** Next.js calls this once when its server starts: the index is built before anybody asks. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== 'nodejs' || process.env.NEXT_PHASE === 'phase-production-build') return;
  const { searchIndex } = await import('@/lib/search-index');
  searchIndex().keepCurrent();
}
