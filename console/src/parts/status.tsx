import type { ComponentChildren } from 'preact';
import { quantile, ratesOf, type Counters } from '../api/metrics';
import type { Info, Model } from '../api/types';
import { useWords, type TextKey, type Words } from '../i18n';

const kinds: Readonly<Record<Model['kind'], TextKey>> = {
  embedding: 'kindEmbedding',
  reranker: 'kindReranker',
  classifier: 'kindClassifier',
};

interface Props {
  readonly info: Info;
  readonly history: readonly Counters[] | undefined;
  /** Whether the figures are of now. */
  readonly live: boolean;
}

/** What is running, and how it fares. */
export function Status({ info, history, live }: Props) {
  const words = useWords();
  return (
    <section class="status" aria-label={words.t('running')}>
      <ul class="models" tabIndex={0} aria-label={words.t('models')}>
        {info.models.map((model) => (
          <ModelCard key={model.id} model={model} />
        ))}
      </ul>
      {history === undefined ? (
        <p class="small closed">{words.t('metricsClosed')}</p>
      ) : (
        <Live info={info} history={history} words={words} live={live} />
      )}
    </section>
  );
}

function ModelCard({ model }: { readonly model: Model }) {
  const { t, number, compact } = useWords();
  const facts: [TextKey, string][] = [
    ['device', `${model.device} · ${model.dtype}`],
    ...(model.dimension > 0 ? [['dimension', number(model.dimension)] as [TextKey, string]] : []),
    ['maxLength', t('tokensUnit', { n: model.maxTokens })],
    ['parameters', compact(model.parameters)],
  ];
  const heads = [
    ...(model.hasDense ? (['dense'] as const) : []),
    ...(model.hasSparse ? (['sparse'] as const) : []),
    ...(model.hasColbert ? (['colbert'] as const) : []),
  ];
  return (
    <li class="model">
      <h2 title={model.id}>{model.id}</h2>
      <p class="kinds">
        <span>{t(kinds[model.kind])}</span>
        {heads.map((head) => (
          <span key={head} class={`tag ${head}`}>
            {t(head)}
          </span>
        ))}
      </p>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{t(name)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
}

/** About a minute of looks, two seconds apart. */
const MINUTE = 30;

function Live({ info, history, words, live }: { readonly info: Info; readonly history: readonly Counters[]; readonly words: Words; readonly live: boolean }) {
  const { t, number, percent, bytes, duration } = words;
  const now = history.at(-1);
  const before = history.at(-1 - MINUTE) ?? history[0];
  const rates = ratesOf(history);
  const median = now && before ? quantile(before, now, 0.5) : undefined;
  const slow = now && before ? quantile(before, now, 0.95) : undefined;
  const looked = now ? now.cacheHits + now.cacheMisses : 0;
  const hasCache = info.cacheBytes > 0 || info.hasRedis;
  return (
    <dl class={`live ${live ? '' : 'old'}`}>
      <Figure
        name={t('throughput')}
        value={number(rates.at(-1) ?? 0, (rates.at(-1) ?? 0) < 10 ? 1 : 0)}
        note={t('throughputMost', { n: number(Math.max(0, ...rates), 0) })}
      >
        <Sparkline values={rates} />
      </Figure>
      <Figure
        name={t('latency')}
        hint={t('latencyHint')}
        value={median === undefined ? '—' : duration(median)}
        note={slow === undefined ? t('latencyNone') : t('latency95', { value: duration(slow) })}
      />
      <Figure
        name={t('queue')}
        value={number(now?.queue ?? 0)}
        note={`${t('queueUnit', { n: now?.queue ?? 0 })} · ${t('queueLimit', { n: info.maxQueue })}`}
      />
      <Figure
        name={t('cache')}
        value={!hasCache ? t('cacheOff') : now && looked > 0 ? percent(now.cacheHits / looked) : '—'}
        note={
          !hasCache || !now
            ? ''
            : looked === 0
              ? t('cacheNone')
              : t('cacheHeld', { n: now.cacheEntries, size: bytes(now.cacheBytes) })
        }
      />
    </dl>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly hint?: string;
  readonly children?: ComponentChildren;
}

function Figure({ name, value, note, hint, children }: FigureProps) {
  return (
    <div class="figure" title={hint}>
      <dt>{name}</dt>
      <dd>
        <span class="line">
          <span class="value">{value}</span>
          {children}
        </span>
        <span class="note">{note}</span>
      </dd>
    </div>
  );
}

function Sparkline({ values }: { readonly values: readonly number[] }) {
  const width = 120;
  const height = 28;
  const most = Math.max(1, ...values);
  const step = width / 59;
  const from = width - (values.length - 1) * step;
  const line = values.map((value, i) => `${(from + i * step).toFixed(1)},${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`);
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="base" d={`M0 ${height - 1}H${width}`} />
      {line.length > 1 && <polygon points={`${from.toFixed(1)},${height} ${line.join(' ')} ${width},${height}`} />}
      {line.length > 1 && <polyline points={line.join(' ')} />}
    </svg>
  );
}
