import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Language } from './types';

export interface Article {
  /** Its path in the content folder without the ending: `en/help/reset-password`. */
  id: string;
  language: Language;
  category: string;
  /** Equal in all languages. */
  slug: string;
  title: string;
  paragraphs: string[];
}

function contentDirectory(): string {
  return path.resolve(/* turbopackIgnore: true */ process.env.CONTENT_DIR || 'content');
}

/** Reads `# Title`, an empty line, and paragraphs. Throws where the title is missing. */
export function parseArticle(id: string, markdown: string): Article {
  const [language = '', category = '', slug = ''] = id.split('/');
  const [first = '', ...paragraphs] = markdown
    .replaceAll('\r\n', '\n')
    .split(/\n[ \t]*\n/)
    .map((block) => block.replace(/\s+/g, ' ').trim())
    .filter((block) => block !== '');
  const title = /^# +(.+)$/.exec(first)?.[1];
  if (!title) throw new Error(`content/${id}.md: the first line must be a title, as "# How to make tea"`);
  if (paragraphs.length === 0) throw new Error(`content/${id}.md: there is no text below the title`);
  return { id, language, category, slug, title, paragraphs };
}

interface Collection {
  /** Names, sizes and times of the files: what differs when one is changed. */
  signature: string;
  articles: Article[];
}

let collection: Collection | undefined;

/** All articles in the order of their ids. Files are read again only when one has changed. */
export async function readArticles(): Promise<Article[]> {
  const directory = contentDirectory();
  const names = (await readdir(directory, { recursive: true })).map((name) => name.replaceAll(path.sep, '/'));
  const files = names.filter((name) => /^[a-z]{2,3}\/[^/]+\/[^/]+\.md$/.test(name)).sort();
  if (files.length === 0) {
    throw new Error(`no articles in ${directory}: they are files as en/help/reset-password.md`);
  }
  const stats = await Promise.all(files.map((file) => stat(path.join(directory, file))));
  const signature = files.map((file, i) => `${file}:${stats[i]?.mtimeMs}:${stats[i]?.size}`).join('\n');
  if (collection?.signature !== signature) {
    const read = async (file: string) =>
      parseArticle(file.slice(0, -'.md'.length), await readFile(path.join(directory, file), 'utf8'));
    collection = { signature, articles: await Promise.all(files.map(read)) };
  }
  return collection.articles;
}
