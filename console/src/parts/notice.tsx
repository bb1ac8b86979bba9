import type { ServiceError } from '../api/errors';
import { useWords } from '../i18n';
import type { ServerState } from '../watch';

/** What a person has to know while the server cannot be asked; nothing while it can. */
export function StateNotice({ state, base }: { readonly state: ServerState; readonly base: string }) {
  const { t, bytes, percent } = useWords();
  switch (state.kind) {
    case 'loading': {
      const { download, model } = state.health;
      const share = download && download.total_bytes > 0 ? download.done_bytes / download.total_bytes : undefined;
      return (
        <section class="card notice" role="status">
          <h2>{t('loadingTitle')}</h2>
          <p>{t('loadingText', { model })}</p>
          {download && (
            <>
              <progress aria-label={t('loadingFile', { file: download.file })} max={1} value={share} />
              <p class="small">
                {t('loadingFile', { file: download.file })} ·{' '}
                {share === undefined
                  ? t('loadingBytesOnly', { done: bytes(download.done_bytes) })
                  : `${t('loadingBytes', { done: bytes(download.done_bytes), total: bytes(download.total_bytes) })} · ${percent(share)}`}
              </p>
            </>
          )}
        </section>
      );
    }
    case 'unhealthy':
      return (
        <section class="card notice bad" role="alert">
          <h2>{t('unhealthyTitle')}</h2>
          <p>{t('unhealthyText')}</p>
          <p class="quote">{state.health.error}</p>
        </section>
      );
    case 'gone':
      return (
        <section class="card notice bad" role="alert">
          <h2>{t('goneTitle')}</h2>
          <p>{t('goneText', { url: base })}</p>
        </section>
      );
    default:
      return null;
  }
}

/** Why what a person asked for did not come. */
export function Problem({ error }: { readonly error: ServiceError | undefined }) {
  const { t } = useWords();
  if (error === undefined) return null;
  const said = {
    unreachable: () => t('errorUnreachable'),
    key: () => t('errorKey'),
    limited: () => t('errorLimited', { n: error.retryAfter }),
    busy: () => t('errorBusy', { message: error.message }),
    refused: () => t('errorOther', { message: error.message }),
    broken: () => t('errorBroken', { message: error.message }),
  }[error.failure]();
  return (
    <p class="error" role="alert">
      {said}
    </p>
  );
}
