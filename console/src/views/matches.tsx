import { useState } from 'preact/hooks';
import type { Token } from '../api/types';
import { useWords } from '../i18n';
import { piecesOf, type Piece } from '../math/pieces';
import { tokenMatches } from '../math/vectors';
import type { Found } from '../work';
import { Weighted } from './weighted';

/** The pieces that ColBERT has vectors of: bge-m3 gives none to the first, which stands for the whole text. */
function withVectors(tokens: readonly Token[] | undefined, vectors: readonly Float32Array[] | undefined): Piece[] | undefined {
  if (tokens === undefined || vectors === undefined) return undefined;
  const pieces = piecesOf(tokens);
  if (tokens.length === vectors.length) return pieces;
  return tokens.length === vectors.length + 1 ? pieces.slice(1) : undefined;
}

/** A token that is nothing but the space before the next one would not be seen. */
const seen = (piece: Piece) => piece.text.trim() || '▁';

/** How well each token of one text matches a token of the query. */
export interface Lights {
  readonly pieces: readonly Piece[];
  /** Cosines. */
  readonly values: readonly number[];
  /** Where the largest of them is. */
  readonly best: number;
  /** The least and the largest of all texts, which the colours go by. */
  readonly range: readonly [number, number];
}

/** Of every text, for the query's token `picked`; undefined for a text whose tokens are not known. */
export function lightsOf(found: Found, picked: number): (Lights | undefined)[] {
  const query = found.queryEmbedded?.colbert[0]?.[picked];
  if (query === undefined) return [];
  const rows = found.texts.map((_, i) => {
    const vectors = found.textsEmbedded?.colbert[i];
    const pieces = withVectors(found.textTokens?.[i], vectors);
    return pieces && { pieces, values: tokenMatches([query], vectors!)[0]! };
  });
  const all = rows.flatMap((row) => row?.values ?? []);
  const range = [Math.min(...all), Math.max(...all)] as const;
  return rows.map((row) => row && { ...row, best: row.values.indexOf(Math.max(...row.values)), range });
}

/** A text whose tokens are lit by how well they match; the best one is framed. */
export function Lit({ lights }: { readonly lights: Lights }) {
  const { fixed } = useWords();
  const [least, most] = lights.range;
  return (
    <span class="lit">
      {lights.pieces.map((piece, i) => {
        const value = lights.values[i] ?? 0;
        const share = most > least ? (value - least) / (most - least) : 1;
        return (
          <>
            {piece.gap && i > 0 && ' '}
            <span
              class={`${i === lights.best ? 'best' : ''} ${piece.token.special ? 'special' : ''}`}
              title={fixed(value, 3)}
              style={{ '--share': `${Math.round(share * 100)}%` }}
            >
              {piece.text}
            </span>
          </>
        );
      })}
    </span>
  );
}

/**
 * The query as the model reads it: its tokens, marked by their weights, each to be pointed at. What
 * is pointed at or has the focus is picked; a click keeps it picked.
 */
export function Asked({ found, onPick }: { readonly found: Found; onPick(picked: number | undefined): void }) {
  const { t, fixed } = useWords();
  const [kept, setKept] = useState<number>();
  const [pointed, setPointed] = useState<number>();
  const weights = found.queryEmbedded?.lexical[0];
  const pieces = withVectors(found.queryTokens, found.queryEmbedded?.colbert[0]);
  if (found.queryTokens === undefined) return null;

  if (pieces === undefined) {
    return (
      <div class="asked">
        {weights && (
          <p class="words">
            <Weighted tokens={found.queryTokens} weights={weights} others={undefined} />
          </p>
        )}
        <p class="small">{found.model?.hasColbert ? t('matchesCut') : t('weightsLegend')}</p>
      </div>
    );
  }

  const point = (at: number | undefined) => {
    setPointed(at);
    onPick(at ?? kept);
  };
  const picked = pointed ?? kept;
  const lights = picked === undefined ? [] : lightsOf(found, picked);
  const champion = lights.reduce<{ n: number; value: number; text: string } | undefined>((before, one, i) => {
    const value = one?.values[one.best] ?? -Infinity;
    return one && value > (before?.value ?? -Infinity) ? { n: i + 1, value, text: seen(one.pieces[one.best]!) } : before;
  }, undefined);
  const most = Math.max(1e-9, ...Object.values(weights ?? {}));
  return (
    <div class="asked">
      <div class="query-tokens" role="group" aria-label={t('query')} onMouseLeave={() => point(undefined)}>
        {pieces.map((piece, i) => (
          <button
            key={i}
            type="button"
            aria-pressed={i === kept}
            style={{ '--share': `${Math.round(((weights?.[String(piece.token.id)] ?? 0) / most) * 100)}%` }}
            onMouseEnter={() => point(i)}
            onFocus={() => point(i)}
            onBlur={() => point(undefined)}
            onClick={() => {
              const next = kept === i ? undefined : i;
              setKept(next);
              onPick(next);
            }}
          >
            {seen(piece)}
          </button>
        ))}
      </div>
      <p class="small" aria-live="polite">
        {picked !== undefined && champion !== undefined
          ? t('matchesBest', { token: seen(pieces[picked]!), best: champion.text, n: champion.n, value: fixed(champion.value, 3) })
          : `${t('matchesHint')} ${weights ? t('weightsLegend') : ''}`}
      </p>
    </div>
  );
}
