import { describe, expect, it } from 'vitest';
import { highlight, sameWord, wordsOf } from '@/lib/highlight';

function marked(text: string, query: string): string {
  return highlight(text, wordsOf(query))
    .map((piece) => (piece.marked ? `[${piece.text}]` : piece.text))
    .join('');
}

describe('highlight', () => {
  it('marks other forms of the words', () => {
    expect(marked('Новый пароль не короче двенадцати знаков', 'забыл пароля')).toBe(
      'Новый [пароль] не короче двенадцати знаков',
    );
    expect(marked('Birds carry compasses', 'bird compass')).toBe('[Birds] carry [compasses]');
  });

  it('takes ё for е and lets case be', () => expect(marked('Звёзды', 'звезды')).toBe('[Звёзды]'));

  it('leaves words that every text has', () => expect(marked('What is the tide?', 'what is the tide')).toBe('What is the [tide]?'));

  it('loses nothing of the text', () => {
    const text = '  “Forgot password?” — е-mail, 12 знаков…';
    expect(highlight(text, wordsOf('password знак')).map((piece) => piece.text).join('')).toBe(text);
  });

  it('tells words apart that only begin alike', () => {
    expect(sameWord('свет', 'светофор')).toBe(false);
    expect(sameWord('вода', 'водород')).toBe(false);
  });
});
