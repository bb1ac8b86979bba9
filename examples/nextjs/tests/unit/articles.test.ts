import { describe, expect, it } from 'vitest';
import { parseArticle, readArticles } from '@/lib/articles';

describe('parseArticle', () => {
  it('reads title and paragraphs, whatever ends the lines', () => {
    expect(parseArticle('ru/help/a', '# Имя\r\n\r\nПервая\r\nстрока.\r\n\r\nВторой.\r\n')).toEqual({
      id: 'ru/help/a',
      language: 'ru',
      category: 'help',
      slug: 'a',
      title: 'Имя',
      paragraphs: ['Первая строка.', 'Второй.'],
    });
  });

  it('says which file has no title or text', () => {
    expect(() => parseArticle('en/help/a', 'Text alone.')).toThrow('content/en/help/a.md: the first line must be a title');
    expect(() => parseArticle('en/help/a', '# Title alone')).toThrow('content/en/help/a.md: there is no text');
  });
});

describe('the collection', () => {
  it('has every article in Russian and English', async () => {
    const articles = await readArticles();
    const paths = (language: string) =>
      articles.filter((each) => each.language === language).map(({ category, slug }) => `${category}/${slug}`);
    expect(paths('en').length).toBeGreaterThanOrEqual(40);
    expect(paths('ru')).toEqual(paths('en'));
  });
});
