import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useWords } from '../i18n';
import { project } from '../math/pca';
import { placeLabels } from '../math/labels';
import { Problem } from '../parts/notice';
import { Snippet } from '../parts/snippet';
import type { Comparison, ComparisonTask } from '../work';
import { Empty, Facts, NextStep } from './common';
import type { ViewProps } from './similarity';

export function MapView({ lines, model, usable, task, client }: ViewProps & { readonly task: ComparisonTask }) {
  const { t } = useWords();
  const comparison = task.value;
  if (usable && model === undefined) return <Empty text={t('noEmbedding')} />;
  if (usable && model?.hasDense === false) return <Empty text={t('noDense')} />;
  const enough = comparison !== undefined && comparison.texts.length >= 3 && comparison.model.hasDense;
  return (
    <>
      <Problem error={task.error} />
      {!enough ? (
        <NextStep lines={lines.length} least={3} />
      ) : (
        <>
          <Facts comparison={comparison} lines={lines} model={model} />
          <Scatter comparison={comparison} />
          <Snippet client={client} requests={comparison.embedded.sent} name="map" />
        </>
      )}
    </>
  );
}

const NEAREST = 3;
const MARGIN = 28;

/** The width that an element has on the screen, in pixels. */
function useWidth<T extends HTMLElement>(): [{ current: T | null }, number] {
  const element = useRef<T>(null);
  const [width, setWidth] = useState(640);
  useLayoutEffect(() => {
    const watched = element.current;
    if (watched === null) return;
    const observer = new ResizeObserver(() => setWidth(watched.clientWidth));
    observer.observe(watched);
    setWidth(watched.clientWidth);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}

function Scatter({ comparison }: { readonly comparison: Comparison }) {
  const { t, percent, fixed } = useWords();
  const { texts, embedded, table } = comparison;
  const projection = useMemo(() => project(embedded.dense), [embedded]);
  const [frame, width] = useWidth<HTMLDivElement>();
  const [picked, setPicked] = useState<number>();
  const height = Math.round(Math.max(300, Math.min(480, width * 0.62)));

  const xs = projection.points.map(([x]) => x);
  const ys = projection.points.map(([, y]) => y);
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  // One scale for both, so that distances can be compared by eye.
  const scale = Math.min(
    (width - 2 * MARGIN) / Math.max(right - left, 1e-6),
    (height - 2 * MARGIN) / Math.max(high - low, 1e-6),
  );
  const places = projection.points.map(
    ([x, y]) => [width / 2 + (x - (left + right) / 2) * scale, height / 2 - (y - (low + high) / 2) * scale] as const,
  );
  const labels = placeLabels(places, texts, width, height);
  const nearest =
    picked === undefined
      ? []
      : table[picked]!.map((value, i) => ({ value, i }))
          .filter(({ i }) => i !== picked)
          .sort((a, b) => b.value - a.value)
          .slice(0, NEAREST);

  return (
    <div class="map">
      <h2 id="map-title">{t('mapCaption')}</h2>
      <p class="small">{t('mapText', { share: percent(projection.share) })}</p>
      <div ref={frame} class="frame">
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="group" aria-labelledby="map-title" onMouseLeave={() => setPicked(undefined)}>
          <path class="axes" d={`M0 ${height / 2}H${width}M${width / 2} 0V${height}`} />
          {picked !== undefined &&
            nearest.map(({ i, value }) => (
              <line
                key={i}
                class="link"
                x1={places[picked]![0]}
                y1={places[picked]![1]}
                x2={places[i]![0]}
                y2={places[i]![1]}
                stroke-opacity={Math.max(0.25, value)}
              />
            ))}
          {places.map(([x, y], i) => {
            const label = labels[i];
            const state = picked === i ? 'on' : nearest.some((one) => one.i === i) ? 'near' : picked !== undefined ? 'off' : '';
            return (
              <g
                key={i}
                role="img"
                tabIndex={0}
                class={`point ${state}`}
                aria-label={`${i + 1}: ${texts[i]}`}
                onFocus={() => setPicked(i)}
                onMouseEnter={() => setPicked(i)}
              >
                <circle class="reach" cx={x} cy={y} r="16" />
                <circle cx={x} cy={y} r="10.5" />
                <text class="n" x={x} y={y}>
                  {i + 1}
                </text>
                {label !== undefined && (
                  <text class="words" x={label.x} y={label.y} text-anchor={label.anchor}>
                    {label.text}
                  </text>
                )}
              </g>
            );
          })}
        </svg>
      </div>
      <div class={`readout ${picked === undefined ? '' : 'on'}`} aria-live="polite">
        {picked === undefined ? (
          <p class="small">{t('mapPick')}</p>
        ) : (
          <>
            <p>
              <b>{picked + 1}</b> {texts[picked]}
            </p>
            <p class="small">{t('mapNearest')}</p>
            <ol class="near-list">
              {nearest.map(({ i, value }) => (
                <li key={i}>
                  <span class="figure-small">{fixed(value, 3)}</span> <b>{i + 1}</b> {texts[i]}
                </li>
              ))}
            </ol>
          </>
        )}
      </div>
    </div>
  );
}
