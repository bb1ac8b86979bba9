import { useState } from 'preact/hooks';
import type { Token } from '../api/types';
import { useWords } from '../i18n';
import { piecesOf, type Piece } from '../math/pieces';
import { tokenMatches } from '../math/vectors';

interface Props {
  readonly queryTokens: readonly Token[];
  readonly queryVectors: readonly Float32Array[];
  readonly textTokens: readonly Token[];
  readonly textVectors: readonly Float32Array[];
}

/** bge-m3 gives a vector to every token but the first, which stands for the whole text. */
function withVectors(tokens: readonly Token[], vectors: readonly Float32Array[]): Piece[] | undefined {
  const pieces = piecesOf(tokens);
  if (tokens.length === vectors.length) return pieces;
  return tokens.length === vectors.length + 1 ? pieces.slice(1) : undefined;
}

/** ColBERT's score taken apart: pick a token of the query and see what it matches. */
export function Matches({ queryTokens, queryVectors, textTokens, textVectors }: Props) {
  const { t, fixed } = useWords();
  const [picked, setPicked] = useState(0);
  const query = withVectors(queryTokens, queryVectors);
  const text = withVectors(textTokens, textVectors);
  if (query === undefined || text === undefined) return <p class="small">{t('matchesCut')}</p>;
  const values = tokenMatches(queryVectors, textVectors);
  const row = values[picked] ?? [];
  const least = Math.min(...row);
  const most = Math.max(...row);
  const best = row.indexOf(most);
  return (
    <div class="match">
      <p class="small">{t('matchesHint')}</p>
      <p class="query-tokens" role="group" aria-label={t('query')}>
        {query.map((piece, i) => (
          <button
            key={i}
            type="button"
            aria-pressed={i === picked}
            onClick={() => setPicked(i)}
            onFocus={() => setPicked(i)}
            onMouseEnter={() => setPicked(i)}
          >
            {piece.text}
            <span class="figure-small">{fixed(Math.max(...(values[i] ?? [])), 2)}</span>
          </button>
        ))}
      </p>
      <p class="lit">
        {text.map((piece, i) => (
          <>
            {piece.gap && i > 0 && ' '}
            <span
              class={`${i === best ? 'best' : ''} ${piece.token.special ? 'special' : ''}`}
              title={fixed(row[i] ?? 0, 3)}
              style={{ '--share': `${Math.round(most > least ? (((row[i] ?? 0) - least) / (most - least)) * 100 : 100)}%` }}
            >
              {piece.text}
            </span>
          </>
        ))}
      </p>
      <p class="small" aria-live="polite">
        {t('matchesBest', { token: `“${query[picked]?.text ?? ''}”`, best: `“${text[best]?.text ?? ''}”`, value: fixed(most, 3) })}
      </p>
    </div>
  );
}
