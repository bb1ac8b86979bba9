import { Browse } from '@/components/browse';
import { SearchPage } from '@/components/search-page';
import { readArticles } from '@/lib/articles';
import { readPreferences } from '@/lib/preferences';
import { searchIndex } from '@/lib/search-index';

interface Parameters {
  q?: string | string[];
  in?: string | string[];
}

const first = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value) ?? '';

export default async function Page({ searchParams }: { searchParams: Promise<Parameters> }) {
  const [{ language }, parameters] = await Promise.all([readPreferences(), searchParams]);
  // What is wrong with the articles is told by the status.
  const articles = await readArticles().catch(() => []);
  const languages = [...new Set(articles.map((article) => article.language))];
  const filter = first(parameters.in);
  return (
    <SearchPage
      language={language}
      languages={languages}
      initialQuery={first(parameters.q)}
      initialFilter={languages.includes(filter) ? filter : ''}
      initialStatus={searchIndex().status}
    >
      <Browse articles={articles} language={language} />
    </SearchPage>
  );
}
