import type { Messages } from '@/lib/messages';
import type { Service } from '@/lib/types';
import type { PageStatus } from './use-status';

/** What the model cannot do, so that nobody wonders where hybrid search is. */
function missing(service: Service, messages: Messages): string {
  if (!service.lexical && !service.reranking) return messages.denseOnly(service.model);
  if (!service.lexical) return messages.noLexical(service.model);
  return service.reranking ? '' : messages.noReranking;
}

/** What answers: the model and the size of the collection. */
export function ServiceLine({ status, messages }: { status: PageStatus; messages: Messages }) {
  if (status.state !== 'ready') return null;
  const { service, articles, passages } = status;
  const reranker = service.reranking?.by === 'cross-encoder' ? service.reranking.model : null;
  return (
    <footer className="footer">
      <p>
        <strong>{service.model}</strong> · {messages.dimensions(service.dimension)}
        {reranker ? <> · {reranker}</> : service.reranking ? ' · ColBERT' : null} · {messages.articles(articles)} ·{' '}
        {messages.passages(passages)}
      </p>
      {missing(service, messages) ? <p>{missing(service, messages)}</p> : null}
    </footer>
  );
}
