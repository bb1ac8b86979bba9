import { useState } from 'preact/hooks';
import type { Client } from '../api/client';
import type { Model } from '../api/types';
import { useWords } from '../i18n';
import { Problem } from '../parts/notice';
import { Snippet } from '../parts/snippet';
import type { Comparison, ComparisonTask } from '../work';
import { Empty, Facts, NextStep } from './common';

export interface ViewProps {
  readonly lines: readonly string[];
  readonly model: Model | undefined;
  readonly usable: boolean;
  readonly client: Client;
}

export function SimilarityView({ lines, model, usable, task, client }: ViewProps & { readonly task: ComparisonTask }) {
  const { t } = useWords();
  const comparison = task.value;
  if (usable && model === undefined) return <Empty text={t('noEmbedding')} />;
  return (
    <>
      <Problem error={task.error} />
      {comparison === undefined ? (
        <NextStep lines={lines.length} least={2} />
      ) : (
        <>
          <Facts comparison={comparison} lines={lines} model={model} />
          <HeatMap comparison={comparison} />
          <Snippet client={client} requests={comparison.embedded.sent} name="similarity" />
        </>
      )}
    </>
  );
}

/** Beyond so many texts the cells have no room for their numbers. */
const MOST_WRITTEN = 16;
/** And beyond these they are as small as can be pointed at, with every fifth column numbered. */
const MOST_NUMBERED = 36;

/** A table of every pair. One cell is in the order of Tab; arrow keys walk from it. */
function HeatMap({ comparison }: { readonly comparison: Comparison }) {
  const { t, fixed } = useWords();
  const { texts, table, model } = comparison;
  const [picked, setPicked] = useState<readonly [number, number]>();
  const others = table.flatMap((row, i) => row.filter((_, j) => i !== j));
  const least = Math.min(...others);
  const most = Math.max(...others);
  // Lexical scores have no bound: large ones leave no room for what comes after the point.
  const digits = most >= 100 ? 0 : most >= 10 ? 1 : 2;
  const n = texts.length;
  const [row, column] = picked !== undefined && picked[0] < n && picked[1] < n ? picked : [0, 0];

  function onKeyDown(event: KeyboardEvent) {
    const steps: Record<string, readonly [number, number]> = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [row, 0],
      End: [row, n - 1],
    };
    const to = steps[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const [i, j] = [Math.min(n - 1, Math.max(0, to[0])), Math.min(n - 1, Math.max(0, to[1]))];
    setPicked([i, j]);
    (event.currentTarget as HTMLElement).querySelector<HTMLElement>(`[data-at="${i},${j}"]`)?.focus();
  }

  const caption = model.hasDense ? t('heatCaption') : t('heatSparse');
  return (
    <div class="heat">
      <h2 id="heat-title">{caption}</h2>
      <div class="scroll">
        <table
          role="grid"
          aria-labelledby="heat-title"
          class={n > MOST_NUMBERED ? 'dense tiny' : n > MOST_WRITTEN ? 'dense' : ''}
          onKeyDown={onKeyDown}
          onMouseLeave={() => setPicked(undefined)}
        >
          <thead>
            <tr>
              <td />
              {texts.map((text, j) => (
                <th key={j} scope="col" title={text} class={picked?.[1] === j ? 'on' : ''}>
                  {n <= MOST_NUMBERED || (j + 1) % 5 === 0 ? j + 1 : ''}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.map((values, i) => (
              <tr key={i}>
                <th scope="row" title={texts[i]} class={picked?.[0] === i ? 'on' : ''}>
                  <span class="n">{i + 1}</span>
                  <span class="words">{texts[i]}</span>
                </th>
                {values.map((value, j) => {
                  const share = i === j ? 1 : most > least ? (value - least) / (most - least) : 0.5;
                  return (
                    <td
                      key={j}
                      role="gridcell"
                      data-at={`${i},${j}`}
                      tabIndex={i === row && j === column ? 0 : -1}
                      aria-label={n > MOST_WRITTEN ? fixed(value, digits) : undefined}
                      class={i === j ? 'self' : ''}
                      style={{ '--share': `${Math.round(share * 100)}%` }}
                      onFocus={() => setPicked([i, j])}
                      onMouseEnter={() => setPicked([i, j])}
                    >
                      {n > MOST_WRITTEN ? '' : fixed(value, digits)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="legend" aria-hidden="true">
        <span>{fixed(least, 2)}</span>
        <span class="ramp" />
        <span>{fixed(most, 2)}</span>
      </div>
      <p class="small">{t('heatLegend')}</p>
      <div class={`readout ${picked === undefined ? '' : 'on'}`} aria-live="polite">
        {picked === undefined ? (
          <p class="small">{t('heatPick')}</p>
        ) : (
          <>
            <p class="value">{fixed(table[row]![column]!, 4)}</p>
            <p>
              <b>{row + 1}</b> {texts[row]}
            </p>
            <p>
              <b>{column + 1}</b> {texts[column]}
            </p>
          </>
        )}
      </div>
    </div>
  );
}
