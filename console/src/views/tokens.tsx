import { useState } from 'preact/hooks';
import type { Model, Token } from '../api/types';
import { useWords } from '../i18n';
import { Select } from '../parts/choice';
import { Problem } from '../parts/notice';
import { Snippet } from '../parts/snippet';
import type { TokensTask } from '../work';
import { Empty } from './common';
import type { ViewProps } from './similarity';

export function TokensView({ lines, model, usable, models, task, client }: ViewProps & { readonly models: readonly Model[]; readonly task: TokensTask }) {
  const { t } = useWords();
  const [chosen, setChosen] = useState<string>();
  const of = models.find(({ id }) => id === chosen) ?? model ?? models[0];
  const tokenized = task.value;
  return (
    <>
      <div class="row selects">
        {models.length > 1 && (
          <Select label={t('model')} value={of?.id ?? ''} options={models.map(({ id }) => ({ value: id, text: id }))} onChange={setChosen} />
        )}
        <button
          type="button"
          class="primary"
          disabled={!usable || of === undefined || lines.length === 0}
          aria-busy={task.busy}
          onClick={() => of !== undefined && task.run(lines, of)}
        >
          {t('tokensGet')}
        </button>
      </div>
      <Problem error={task.error} />
      {tokenized === undefined ? (
        <Empty text={lines.length === 0 ? t('emptyText') : t('tokensEmpty')} />
      ) : (
        <>
          <p class="facts">
            {tokenized.model.id} · {t('resultOf', { n: tokenized.texts.length })}
          </p>
          <h2>{t('tokensCaption')}</h2>
          <ol class="tokenized">
            {tokenized.tokens.map((tokens, i) => (
              <li key={i}>
                <p class="small">{t('tokensOf', { n: tokens.length })}</p>
                <Chips tokens={tokens} />
              </li>
            ))}
          </ol>
          <Snippet client={client} requests={tokenized.sent} name="tokens" />
        </>
      )}
    </>
  );
}

function Chips({ tokens }: { readonly tokens: readonly Token[] }) {
  const { t } = useWords();
  return (
    <ul class="chips">
      {tokens.map((token, i) => (
        <li key={i} class={token.special ? 'special' : ''} title={token.special ? t('tokensSpecial') : undefined}>
          <span class="piece">{token.text.replaceAll(' ', '·') || '∅'}</span>
          <span class="id">{token.id}</span>
        </li>
      ))}
    </ul>
  );
}
