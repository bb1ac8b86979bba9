import type { Lexical, Token } from '../api/types';
import { useWords } from '../i18n';
import { piecesOf } from '../math/pieces';

interface Props {
  readonly tokens: readonly Token[];
  readonly weights: Lexical;
  /** Weights of the other text, whose tokens are marked where they stand here too. */
  readonly others: Lexical | undefined;
}

/** A text whose tokens are marked as strongly as they weigh. */
export function Weighted({ tokens, weights, others }: Props) {
  const { fixed } = useWords();
  const most = Math.max(1e-9, ...Object.values(weights));
  return (
    <span class="weighted">
      {piecesOf(tokens).map(({ token, text, gap }, i) => {
        if (token.special) return null;
        const weight = weights[String(token.id)] ?? 0;
        const shared = others !== undefined && weight > 0 && String(token.id) in others;
        return (
          <>
            {gap && i > 0 && ' '}
            <span
              class={shared ? 'shared' : ''}
              title={`${text} · ${fixed(weight, 3)}`}
              style={{ '--share': `${Math.round((weight / most) * 100)}%` }}
            >
              {text}
            </span>
          </>
        );
      })}
    </span>
  );
}
