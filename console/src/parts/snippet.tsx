import { useState } from 'preact/hooks';
import { snippetLanguages, snippetOf, type SnippetLanguage } from '../api/snippets';
import type { Client } from '../api/client';
import type { Sent } from '../api/types';
import { useWords, type TextKey } from '../i18n';
import { Choice, Select } from './choice';

/** What `text` is put on the clipboard by, in pages that are not served over https too. */
async function copy(text: string, element: HTMLElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (element === null) return false;
    getSelection()?.selectAllChildren(element);
    return document.execCommand('copy');
  }
}

/** How many texts go with it, whatever the field is called. */
function textsOf({ body }: Sent): number {
  return Object.values(body).find((value): value is unknown[] => Array.isArray(value))?.length ?? 0;
}

interface Props {
  readonly client: Client;
  readonly requests: readonly Sent[];
  /** Tells the choices of several snippets of the page apart. */
  readonly name: string;
}

export function Snippet({ client, requests, name }: Props) {
  const { t } = useWords();
  const [language, setLanguage] = useState<SnippetLanguage>('curl');
  const [at, setAt] = useState(0);
  const [said, setSaid] = useState<TextKey>();
  const sent = requests[Math.min(at, requests.length - 1)];
  if (sent === undefined) return null;
  const code = snippetOf(language, client.base, sent, client.hasKey);
  const id = `snippet-${name}`;
  return (
    <details class="snippet">
      <summary>{t(requests.length > 1 ? 'requests' : 'request')}</summary>
      <div class="snippet-body">
        <div class="row">
          <Choice
            label={t('request')}
            name={id}
            value={language}
            options={snippetLanguages.map((value) => ({ value, text: value as string }))}
            onChange={(value) => setLanguage(value)}
          />
          {requests.length > 1 && (
            <Select
              label={t('requestOne')}
              value={String(Math.min(at, requests.length - 1))}
              options={requests.map((each, i) => ({ value: String(i), text: `${i + 1}. /${each.path} · ${t('resultOf', { n: textsOf(each) })}` }))}
              onChange={(value) => setAt(Number(value))}
            />
          )}
          <button
            type="button"
            onClick={async () => {
              const done = await copy(code, document.getElementById(id));
              setSaid(done ? 'copied' : 'copyFailed');
            }}
            onBlur={() => setSaid(undefined)}
          >
            {t(said ?? 'copy')}
          </button>
        </div>
        <p class="small">
          {requests.length > 1 ? t('requestsHint', { n: requests.length }) : t('requestHint')} {client.hasKey && t('requestKey')}
        </p>
        <pre tabIndex={0} aria-label={t('request')}>
          <code id={id}>{code}</code>
        </pre>
        <p class="unseen" role="status">
          {said && t(said)}
        </p>
      </div>
    </details>
  );
}
