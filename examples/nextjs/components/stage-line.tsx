import type { Messages } from '@/lib/messages';
import type { Service, Stage } from '@/lib/types';
import type { Results } from './use-search';
import type { PageStatus } from './use-status';

function stagesOf(service: Service): Stage[] {
  return ['dense', ...(service.lexical ? (['hybrid'] as const) : []), ...(service.reranking ? (['reranked'] as const) : [])];
}

/** How many results there are, and how far the search is: each stage with the time that it was done. */
export function StageLine({ status, results, messages }: { status: PageStatus; results: Results; messages: Messages }) {
  const done = new Map(results.stages.map(({ stage, ms }) => [stage, ms]));
  const last = results.stages.at(-1)?.stage;
  const stages = status.state === 'ready' ? stagesOf(status.service) : [...done.keys()];
  return (
    <div className="stages">
      <p role="status">
        {results.hits.length > 0 ? messages.results(results.hits.length) : messages.noResults}
        {last && results.final ? <span className="hidden">, {messages.rankedBy[last]}</span> : null}
      </p>
      <ol aria-label={messages.stagesLabel}>
        {stages.map((stage) => (
          <li key={stage} className={stage === last ? 'last' : done.has(stage) ? 'done' : 'pending'} data-stage={stage}>
            {messages.stages[stage]} <small>{done.has(stage) ? messages.milliseconds(done.get(stage) ?? 0) : '…'}</small>
          </li>
        ))}
      </ol>
    </div>
  );
}
