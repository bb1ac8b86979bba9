import type { Metadata } from 'next';
import Link from 'next/link';
import { notFound } from 'next/navigation';
import { type Article, readArticles } from '@/lib/articles';
import { languageName, messagesOf } from '@/lib/messages';
import { readPreferences } from '@/lib/preferences';

interface Props {
  params: Promise<{ path: string[] }>;
}

/** The name that a part of an address stands for; itself where it stands for none, as `%` does. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The article, and the same one in other languages. */
async function find({ params }: Props): Promise<{ article: Article; others: Article[] }> {
  const { path } = await params;
  const id = path.map(decoded).join('/');
  const articles = await readArticles();
  const article = articles.find((each) => each.id === id) ?? notFound();
  const isOther = ({ category, slug, language }: Article) =>
    category === article.category && slug === article.slug && language !== article.language;
  return { article, others: articles.filter(isOther) };
}

export async function generateMetadata(props: Props): Promise<Metadata> {
  const { article } = await find(props);
  return { title: article.title, description: article.paragraphs[0] };
}

export default async function ArticlePage(props: Props) {
  const [{ article, others }, { language }] = await Promise.all([find(props), readPreferences()]);
  const messages = messagesOf(language);
  return (
    <main id="results">
      <p className="meta">
        <Link href="/">← {messages.home}</Link>
        <span>{messages.categories[article.category] ?? article.category}</span>
        {others.map((other) => (
          <span key={other.id}>
            {messages.otherLanguage}:{' '}
            <Link href={`/articles/${other.id}`} hrefLang={other.language}>
              {languageName(other.language, language)}
            </Link>
          </span>
        ))}
      </p>
      <article className="article" lang={article.language}>
        <h1>{article.title}</h1>
        {article.paragraphs.map((paragraph) => (
          <p key={paragraph}>{paragraph}</p>
        ))}
      </article>
    </main>
  );
}
