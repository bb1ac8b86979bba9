import { useEffect, useState } from 'preact/hooks';
import type { Model } from '../api/types';
import { useWords, type TextKey } from '../i18n';
import { Select } from '../parts/choice';
import { Problem } from '../parts/notice';
import { Snippet } from '../parts/snippet';
import type { Found, Hit, ScoreKind, SearchTask } from '../work';
import { Empty } from './common';
import { Asked, lightsOf, Lit, type Lights } from './matches';
import type { ViewProps } from './similarity';
import { Weighted } from './weighted';

interface Props extends ViewProps {
  readonly models: readonly Model[];
  readonly query: string;
  onQuery(query: string): void;
  readonly task: SearchTask;
}

const NONE = '';
/** Names that models give to the prompts of what is asked, and of what may answer. */
const QUERY_PROMPTS = ['query', 'search_query', 'Retrieval-query'];
const TEXT_PROMPTS = ['passage', 'document', 'search_document', 'Retrieval-document'];
const promptAmong = (model: Model | undefined, names: readonly string[]) =>
  names.find((name) => model?.prompts.includes(name)) ?? NONE;

export function SearchView({ lines, model, usable, models, query, onQuery, task, client }: Props) {
  const { t } = useWords();
  const rerankers = models.filter((one) => one.kind === 'reranker');
  const [rerankerId, setRerankerId] = useState<string>();
  const reranker = rerankerId === NONE ? undefined : (rerankers.find(({ id }) => id === rerankerId) ?? rerankers[0]);
  const [queryPrompt, setQueryPrompt] = useState(NONE);
  const [textPrompt, setTextPrompt] = useState(NONE);
  useEffect(() => {
    setQueryPrompt(promptAmong(model, QUERY_PROMPTS));
    setTextPrompt(promptAmong(model, TEXT_PROMPTS));
  }, [model?.id]);

  if (usable && model === undefined && rerankers.length === 0) return <Empty text={t('noSearch')} />;
  const ready = usable && query.trim() !== '' && lines.length > 0;
  const prompts = [{ value: NONE, text: t('promptNone') }, ...(model?.prompts ?? []).map((name) => ({ value: name, text: name }))];
  return (
    <>
      <form
        class="search"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          if (!ready) return;
          task.run({
            query: query.trim(),
            texts: lines,
            model,
            queryPrompt: queryPrompt === NONE ? undefined : queryPrompt,
            textPrompt: textPrompt === NONE ? undefined : textPrompt,
            reranker,
          });
        }}
      >
        <div class="row">
          <input
            type="search"
            aria-label={t('query')}
            placeholder={t('queryPlaceholder')}
            value={query}
            onInput={(event) => onQuery(event.currentTarget.value)}
          />
          <button type="submit" class="primary" disabled={!ready} aria-busy={task.busy}>
            {task.busy ? t('searching') : t('search')}
          </button>
        </div>
        {(prompts.length > 1 || rerankers.length > 0) && (
          <div class="row selects">
            {prompts.length > 1 && (
              <>
                <Select label={t('queryPrompt')} value={queryPrompt} options={prompts} onChange={setQueryPrompt} />
                <Select label={t('textPrompt')} value={textPrompt} options={prompts} onChange={setTextPrompt} />
              </>
            )}
            {rerankers.length > 0 && (
              <Select
                label={t('reranker')}
                value={reranker?.id ?? NONE}
                options={[...rerankers.map(({ id }) => ({ value: id, text: id })), { value: NONE, text: t('promptNone') }]}
                onChange={setRerankerId}
              />
            )}
          </div>
        )}
      </form>
      <Problem error={task.error} />
      {task.value === undefined ? (
        <Empty text={lines.length === 0 ? t('emptyText') : t('searchEmpty')} />
      ) : (
        <>
          <Hits found={task.value} />
          <Snippet client={client} requests={task.value.sent} name="search" />
        </>
      )}
    </>
  );
}

const hints: Readonly<Record<ScoreKind, TextKey>> = {
  dense: 'denseHint',
  sparse: 'sparseHint',
  colbert: 'colbertHint',
  rerank: 'rerankHint',
};

function Hits({ found }: { readonly found: Found }) {
  const { t, duration } = useWords();
  const { kinds, hits } = found;
  const [chosen, setChosen] = useState<ScoreKind>();
  const [picked, setPicked] = useState<number>();
  useEffect(() => setPicked(undefined), [found]);
  // A cross-encoder knows best, where there is one.
  const sort = chosen !== undefined && kinds.includes(chosen) ? chosen : kinds.includes('rerank') ? 'rerank' : kinds[0];
  if (sort === undefined) return null;
  const value = (hit: Hit, kind: ScoreKind) => hit.scores[kind] ?? 0;
  const ordered = [...hits].sort((a, b) => value(b, sort) - value(a, sort));
  const most = Object.fromEntries(kinds.map((kind) => [kind, Math.max(1e-9, ...hits.map((hit) => value(hit, kind)))]));
  const lights = picked === undefined ? undefined : lightsOf(found, picked);
  return (
    <>
      <p class="facts">
        {[...[found.model, found.reranker].flatMap((model) => (model ? [model.id] : [])), t('resultOf', { n: hits.length }), duration(found.ms / 1000), t('sortedBy', { what: t(sort) })].join(' · ')}
      </p>
      <Asked found={found} onPick={setPicked} />
      <table class="hits">
        <thead>
          <tr>
            <th scope="col" class="place">
              <span class="unseen">{t('rank')}</span>
            </th>
            <th scope="col" class="text">{t('text')}</th>
            {kinds.map((kind) => (
              <th key={kind} scope="col" class={`score ${kind}`} aria-sort={kind === sort ? 'descending' : 'none'}>
                <button type="button" title={t(hints[kind])} aria-label={t('sortBy', { what: t(kind) })} onClick={() => setChosen(kind)}>
                  {t(kind)}
                  <span aria-hidden="true">{kind === sort ? ' ↓' : ''}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ordered.map((hit, place) => (
            <HitRow key={hit.index} hit={hit} place={place} found={found} most={most} lights={lights?.[hit.index]} />
          ))}
        </tbody>
      </table>
    </>
  );
}

interface HitProps {
  readonly hit: Hit;
  readonly place: number;
  readonly found: Found;
  /** The largest score of each kind, which fills its bar. */
  readonly most: Readonly<Partial<Record<string, number>>>;
  /** Where a token of the query is picked, how each of this text's tokens matches it. */
  readonly lights: Lights | undefined;
}

function HitRow({ hit, place, found, most, lights }: HitProps) {
  const { t, fixed } = useWords();
  const tokens = found.textTokens?.[hit.index];
  const weights = found.textsEmbedded?.lexical[hit.index];
  let text = <>{hit.text}</>;
  if (lights !== undefined) text = <Lit lights={lights} />;
  else if (tokens !== undefined && weights !== undefined) {
    text = <Weighted tokens={tokens} weights={weights} others={found.queryEmbedded?.lexical[0]} />;
  }
  return (
    <tr>
      <td class="place">{place + 1}</td>
      <td class="text">{text}</td>
      {found.kinds.map((kind) => (
        <td key={kind} class={`score ${kind}`} data-kind={t(kind)}>
          <span class="figure-small">{fixed(hit.scores[kind] ?? 0, 3)}</span>
          <span
            class="bar"
            aria-hidden="true"
            style={{ '--share': `${Math.max(0, ((hit.scores[kind] ?? 0) / (most[kind] ?? 1)) * 100).toFixed(1)}%` }}
          />
        </td>
      ))}
    </tr>
  );
}
