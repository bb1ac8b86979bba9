import { describe, expect, it } from 'vitest';
import { parseArticle } from '@/lib/articles';
import { passagesOf, splitText } from '@/lib/passages';

describe('splitText', () => {
  it('joins sentences as long as they fit', () => {
    expect(splitText('One two. Three four. Five six.', 'en', 22)).toEqual(['One two. Three four.', 'Five six.']);
  });

  it('knows the ends of Russian sentences', () => {
    expect(splitText('Письма нет? Загляните в спам. Проверьте адрес.', 'ru', 30)).toEqual([
      'Письма нет? Загляните в спам.',
      'Проверьте адрес.',
    ]);
  });

  it('parts a sentence that is too long between words', () => {
    expect(splitText('aaa bbb ccc ddd', 'en', 7)).toEqual(['aaa bbb', 'ccc ddd']);
  });

  it('keeps a word that is longer than all allowed', () => {
    expect(splitText('aaaaaaaaaa b', 'en', 4)).toEqual(['aaaaaaaaaa', 'b']);
  });

  it('loses nothing', () => {
    const text = 'First sentence here. Second one, a little longer! Third? Yes.';
    for (let most = 1; most < 80; most++) expect(splitText(text, 'en', most).join(' ')).toBe(text);
  });

  it('gives nothing for nothing', () => expect(splitText('  ', 'en', 10)).toEqual([]));
});

describe('passagesOf', () => {
  const article = (title: string, text: string) => parseArticle('en/help/a', `# ${title}\n\n${text}\n`);

  it('numbers the passages of all paragraphs', () => {
    expect(passagesOf(article('T', 'One.\n\nTwo.')).map(({ id, body }) => [id, body])).toEqual([
      ['en/help/a#0', 'One.'],
      ['en/help/a#1', 'Two.'],
    ]);
  });

  it('changes the hash with the text, and with the title that is embedded too', () => {
    const hash = (title: string, text: string) => passagesOf(article(title, text))[0]?.hash;
    expect(hash('T', 'One.')).toBe(hash('T', 'One.'));
    expect(hash('T', 'One!')).not.toBe(hash('T', 'One.'));
    expect(hash('U', 'One.')).not.toBe(hash('T', 'One.'));
  });
});
