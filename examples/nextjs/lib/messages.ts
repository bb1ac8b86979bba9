import type { Stage, Status } from './types';

/** The languages of the page itself; articles may be in others. */
export type UiLanguage = 'en' | 'ru';

export type Messages = typeof en;

type Count = (count: number) => string;

/** `one` and so on as Intl.PluralRules call them; `other` stands in for those that are not given. */
function plural(language: UiLanguage, forms: Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }): Count {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (count) => `${numbers.format(count)} ${forms[rules.select(count)] ?? forms.other}`;
}

/** "in 5 seconds"; of more than two minutes the minutes. */
function relative(language: UiLanguage, seconds: number): string {
  const format = new Intl.RelativeTimeFormat(language);
  return seconds > 120 ? format.format(Math.ceil(seconds / 60), 'minute') : format.format(seconds, 'second');
}

type Reason = Extract<Status, { state: 'unavailable' }>['reason'];

const en = {
  title: 'Semantic search',
  tagline: 'Finds what is meant, in Russian and English, whatever words were used.',
  skip: 'Skip to the results',
  home: 'To the search',
  searchLabel: 'Search the articles',
  placeholder: 'Ask in your own words',
  search: 'Search',
  clear: 'Clear',
  languageFilter: 'Language of the articles',
  allLanguages: 'All',
  otherLanguageName: 'Русский',
  theme: { light: 'Light theme', dark: 'Dark theme' },
  categories: { cooking: 'Cooking', knowledge: 'World', help: 'Shop help', home: 'Home' } as Record<string, string>,
  try: 'Try',
  examples: ['cannot log in', 'why did my bread stay flat', 'почему солнце вечером красное', 'animal that opens jars'],
  browse: 'All articles',
  results: plural('en', { one: 'result', other: 'results' }),
  noResults: 'There are no articles in this language.',
  articles: plural('en', { one: 'article', other: 'articles' }),
  passages: plural('en', { one: 'passage', other: 'passages' }),
  dimensions: plural('en', { one: 'dimension', other: 'dimensions' }),
  stages: { dense: 'Meaning', hybrid: 'Meaning + words', reranked: 'Reranked' } satisfies Record<Stage, string>,
  stagesLabel: 'Stages of the search',
  milliseconds: (ms: number) => `${ms} ms`,
  rankedBy: { dense: 'ranked by meaning', hybrid: 'ranked by meaning and words', reranked: 'ranked by the reranker' } satisfies Record<
    Stage,
    string
  >,
  scores: { dense: 'Meaning', lexical: 'Words', rerank: 'Reranker' },
  scoreHints: {
    dense: 'Cosine of the vectors of query and passage',
    lexical: 'Sum of the weights of common tokens',
    rerank: 'Score of query and passage read together',
  },
  moved: (places: number) => (places > 0 ? `up ${places}` : `down ${-places}`),
  denseOnly: (model: string) => `Dense vectors only: ${model} has no lexical weights, and no reranker is running.`,
  noReranking: 'No reranker is running.',
  noLexical: (model: string) => `${model} has no lexical weights.`,
  opening: 'Opening the index…',
  indexing: 'Building the index',
  indexingDetail: (done: number, total: number, model: string) => `${done} of ${total} passages embedded by ${model}`,
  waiting: 'The search starts by itself as soon as the index is ready.',
  unavailable: {
    unreachable: 'The embedding service does not answer',
    loading: 'The embedding service is loading its model',
    unauthorized: 'The embedding service refuses the key',
    busy: 'The embedding service is busy',
    failed: 'Search is not possible',
  } satisfies Record<Reason, string>,
  remedy: {
    unreachable:
      'Start it with “embedding-service serve”, or with ./run.sh in its repository. If it runs elsewhere, put its address into .env.local as EMBEDDING_SERVICE_URL and restart this application.',
    loading: 'That takes a moment, or some minutes if the model is downloaded first.',
    unauthorized: 'Put the right one into .env.local as EMBEDDING_SERVICE_API_KEY and restart this application.',
    busy: 'It takes no more requests at the moment: its rate limit is reached, or its queue is full.',
    failed: 'The details below say why; the log of this application has more.',
  } satisfies Record<Reason, string>,
  retrying: 'This page looks again by itself.',
  retryingIn: (seconds: number) => `The next try is ${relative('en', seconds)}.`,
  details: 'Details',
  lost: 'This application does not answer. Is it still running?',
  notFound: 'There is no such article',
  otherLanguage: 'Also in',
};

const ru: Messages = {
  title: 'Поиск по смыслу',
  tagline: 'Находит то, что имелось в виду, по-русски и по-английски, какими бы словами вы ни спросили.',
  skip: 'К результатам',
  home: 'К поиску',
  searchLabel: 'Поиск по статьям',
  placeholder: 'Спросите своими словами',
  search: 'Найти',
  clear: 'Очистить',
  languageFilter: 'Язык статей',
  allLanguages: 'Все',
  otherLanguageName: 'English',
  theme: { light: 'Светлая тема', dark: 'Тёмная тема' },
  categories: { cooking: 'Кухня', knowledge: 'Мир', help: 'Помощь магазина', home: 'Дом' },
  try: 'Попробуйте',
  examples: ['не могу войти', 'почему хлеб не вырос', 'из раковины течёт вода', 'how do birds navigate'],
  browse: 'Все статьи',
  results: plural('ru', { one: 'результат', few: 'результата', other: 'результатов' }),
  noResults: 'На этом языке статей нет.',
  articles: plural('ru', { one: 'статья', few: 'статьи', other: 'статей' }),
  passages: plural('ru', { one: 'фрагмент', few: 'фрагмента', other: 'фрагментов' }),
  dimensions: plural('ru', { one: 'измерение', few: 'измерения', other: 'измерений' }),
  stages: { dense: 'Смысл', hybrid: 'Смысл + слова', reranked: 'Реранкер' },
  stagesLabel: 'Этапы поиска',
  milliseconds: (ms) => `${ms} мс`,
  rankedBy: { dense: 'по смыслу', hybrid: 'по смыслу и словам', reranked: 'по оценке реранкера' },
  scores: { dense: 'Смысл', lexical: 'Слова', rerank: 'Реранкер' },
  scoreHints: {
    dense: 'Косинус векторов запроса и фрагмента',
    lexical: 'Сумма весов общих токенов',
    rerank: 'Оценка запроса и фрагмента, прочитанных вместе',
  },
  moved: (places) => (places > 0 ? `выше на ${places}` : `ниже на ${-places}`),
  denseOnly: (model) => `Только плотные векторы: у ${model} нет лексических весов, а реранкер не запущен.`,
  noReranking: 'Реранкер не запущен.',
  noLexical: (model) => `У ${model} нет лексических весов.`,
  opening: 'Индекс открывается…',
  indexing: 'Строится индекс',
  indexingDetail: (done, total, model) => `${model} обработала фрагментов: ${done} из ${total}`,
  waiting: 'Поиск начнётся сам, как только индекс будет готов.',
  unavailable: {
    unreachable: 'Сервис эмбеддингов не отвечает',
    loading: 'Сервис эмбеддингов загружает модель',
    unauthorized: 'Сервис эмбеддингов не принимает ключ',
    busy: 'Сервис эмбеддингов занят',
    failed: 'Поиск сейчас невозможен',
  },
  remedy: {
    unreachable:
      'Запустите его командой «embedding-service serve» или ./run.sh в его репозитории. Если он работает в другом месте, укажите адрес в .env.local как EMBEDDING_SERVICE_URL и перезапустите приложение.',
    loading: 'Это недолго; если модель сначала скачивается — несколько минут.',
    unauthorized: 'Укажите верный в .env.local как EMBEDDING_SERVICE_API_KEY и перезапустите приложение.',
    busy: 'Новых запросов он сейчас не принимает: исчерпан лимит или заполнена очередь.',
    failed: 'Причина — в подробностях ниже и в журнале приложения.',
  },
  retrying: 'Страница проверяет снова сама.',
  retryingIn: (seconds) => `Следующая попытка — ${relative('ru', seconds)}.`,
  details: 'Подробности',
  lost: 'Приложение не отвечает. Оно ещё запущено?',
  notFound: 'Такой статьи нет',
  otherLanguage: 'Также на языке',
};

const all: Record<UiLanguage, Messages> = { en, ru };

export function messagesOf(language: UiLanguage): Messages {
  return all[language];
}

/** The name of an article's language in the language of the page. */
export function languageName(language: string, ui: UiLanguage): string {
  return new Intl.DisplayNames(ui, { type: 'language' }).of(language) ?? language;
}

/** What the browser prefers; English where that is neither. */
export function preferredLanguage(acceptLanguage: string | null): UiLanguage {
  const quality = (range: string) => Number(/;\s*q=([\d.]+)/.exec(range)?.[1] ?? 1);
  const ranges = (acceptLanguage ?? '').split(',').map((range) => ({ range: range.trim().toLowerCase(), q: quality(range) }));
  ranges.sort((a, b) => b.q - a.q);
  const known = ranges.find(({ range, q }) => q > 0 && /^(en|ru)\b/.test(range));
  return known?.range.startsWith('ru') ? 'ru' : 'en';
}
