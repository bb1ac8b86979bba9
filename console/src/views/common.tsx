import type { Model } from '../api/types';
import { useWords } from '../i18n';
import type { Comparison } from '../work';

export function Empty({ text }: { readonly text: string }) {
  const { t } = useWords();
  return (
    <div class="empty">
      <svg viewBox="0 0 120 72" width="120" height="72" aria-hidden="true">
        {[0, 1, 2, 3, 4].flatMap((i) =>
          [0, 1, 2, 3].map((j) => (
            <rect key={`${i}${j}`} x={i * 24 + 2} y={j * 18 + 2} width="20" height="14" rx="3" opacity={0.15 + 0.17 * ((i * 3 + j * 2) % 5)} />
          )),
        )}
      </svg>
      <p class="title">{t('emptyTitle')}</p>
      <p>{text}</p>
    </div>
  );
}

/** What to do before there is a picture, which takes so many lines at least. */
export function NextStep({ lines, least }: { readonly lines: number; readonly least: 2 | 3 }) {
  const { t } = useWords();
  if (lines === 0) return <Empty text={t('emptyText')} />;
  if (lines < least) return <Empty text={t(least === 2 ? 'emptyTwo' : 'emptyThree')} />;
  return <Empty text={t('emptyReady', { button: t('compute') })} />;
}

interface FactsProps {
  readonly comparison: Comparison;
  readonly lines: readonly string[];
  readonly model: Model | undefined;
}

/** Of what the picture is made, and whether that is still what stands in the editor. */
export function Facts({ comparison, lines, model }: FactsProps) {
  const { t, duration } = useWords();
  const { texts, embedded, ms } = comparison;
  const stale = model?.id !== comparison.model.id || lines.length !== texts.length || lines.some((line, i) => line !== texts[i]);
  const parts = [
    comparison.model.id,
    t('resultOf', { n: texts.length }),
    ...(comparison.model.hasDense ? [t('dims', { n: embedded.dense[0]?.length ?? 0 })] : []),
    duration(ms / 1000),
    ...(embedded.cached > 0 ? [t('fromCache', { n: embedded.cached })] : []),
  ];
  return (
    <>
      <p class="facts">{parts.join(' · ')}</p>
      {embedded.cut > 0 && <p class="hint">{t('cut', { n: embedded.cut })}</p>}
      {stale && <p class="hint">{t('stale')}</p>}
    </>
  );
}
