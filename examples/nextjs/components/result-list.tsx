import Link from 'next/link';
import { type UiLanguage, languageName, messagesOf } from '@/lib/messages';
import type { Scores } from '@/lib/types';
import type { Results } from './use-search';

const DIGITS = 3;

function shownScores(scores: Scores, messages: ReturnType<typeof messagesOf>) {
  const kinds = ['rerank', 'dense', 'lexical'] as const;
  return kinds.flatMap((kind) => {
    const score = scores[kind];
    return score === null ? [] : [{ kind, score, name: messages.scores[kind], hint: messages.scoreHints[kind] }];
  });
}

export function ResultList({ results, stale, language }: { results: Results; stale: boolean; language: UiLanguage }) {
  const messages = messagesOf(language);
  const numbers = new Intl.NumberFormat(language, { minimumFractionDigits: DIGITS, maximumFractionDigits: DIGITS });
  const stage = results.stages.at(-1)?.stage;
  return (
    <ol className="results" aria-busy={stale}>
      {results.hits.map((hit) => (
        <li key={hit.article} data-article={hit.article}>
          <article>
            <p className="meta">
              <abbr className="language" title={languageName(hit.language, language)}>
                {hit.language.toUpperCase()}
              </abbr>
              <span>{messages.categories[hit.category] ?? hit.category}</span>
              {stage ? <span className="by">{messages.rankedBy[stage]}</span> : null}
              {hit.moved !== 0 ? (
                <span className={hit.moved > 0 ? 'moved up' : 'moved'}>
                  <span aria-hidden="true">{hit.moved > 0 ? '↑' : '↓'} {Math.abs(hit.moved)}</span>
                  <span className="hidden">{messages.moved(hit.moved)}</span>
                </span>
              ) : null}
            </p>
            <h2 lang={hit.language}>
              <Link href={`/articles/${hit.article}`} prefetch={false}>
                {hit.title}
              </Link>
            </h2>
            <p className="passage" lang={hit.language}>
              {hit.passage.map(({ text, marked }, i) => (marked ? <mark key={i}>{text}</mark> : text))}
            </p>
            <dl className="scores">
              {shownScores(hit.scores, messages).map(({ kind, score, name, hint }) => (
                <div key={kind} title={hint}>
                  <dt>{name}</dt>
                  <dd>{numbers.format(score)}</dd>
                </div>
              ))}
            </dl>
          </article>
        </li>
      ))}
    </ol>
  );
}
