import Link from 'next/link';
import type { Article } from '@/lib/articles';
import { type UiLanguage, messagesOf } from '@/lib/messages';

/** The titles of all articles by category, in the language of the page or, without any, the first there is. */
export function Browse({ articles, language }: { articles: Article[]; language: UiLanguage }) {
  const messages = messagesOf(language);
  const shown = articles.some((article) => article.language === language) ? language : articles[0]?.language;
  const own = articles.filter((article) => article.language === shown);
  const categories = [...new Set(own.map(({ category }) => category))];
  if (own.length === 0) return null;
  return (
    <section aria-labelledby="browse">
      <h2 id="browse" className="section">
        {messages.browse}
      </h2>
      <div className="categories">
        {categories.map((category) => (
          <section key={category} className="category" aria-labelledby={`category-${category}`}>
            <h3 id={`category-${category}`}>{messages.categories[category] ?? category}</h3>
            <ul lang={shown}>
              {own
                .filter((article) => article.category === category)
                .map(({ id, title }) => (
                  <li key={id}>
                    <Link href={`/articles/${id}`} prefetch={false}>
                      {title}
                    </Link>
                  </li>
                ))}
            </ul>
          </section>
        ))}
      </div>
    </section>
  );
}
