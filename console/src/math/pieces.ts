import type { Token } from '../api/types';

/** A token with what stands between it and the one before, so that the text reads as it was. */
export interface Piece {
  readonly token: Token;
  /** Whether a space is shown before it. */
  readonly gap: boolean;
  readonly text: string;
}

export function piecesOf(tokens: readonly Token[]): Piece[] {
  let end = 0;
  return tokens.map((token) => {
    const begins = token.start ?? end;
    const text = token.text.trimStart();
    const piece = { token, text: text === '' ? token.text : text, gap: begins > end || text !== token.text };
    end = token.stop ?? end;
    return piece;
  });
}
