import { Browse } from '@/components/browse';
import { SearchPage } from '@/components/search-page';
import { readArticles } from '@/lib/articles';
import { readPreferences } from '@/lib/preferences';
import { searchIndex } from '@/lib/search-index';

export default async function Page() {
  const { language } = await readPreferences();
  // What is wrong with the articles is told by the status.
  const articles = await readArticles().catch(() => []);
  const languages = [...new Set(articles.map((article) => article.language))];
  return (
    <SearchPage language={language} languages={languages} initialStatus={searchIndex().status}>
      <Browse articles={articles} language={language} />
    </SearchPage>
  );
}
