import type { Messages } from '@/lib/messages';
import type { PageStatus } from './use-status';

/** What stands in the way of a search, and what to do about it. Empty while nothing does. */
export function StatusPanel({ status, messages, waiting }: { status: PageStatus; messages: Messages; waiting: boolean }) {
  return (
    <>
      {/* Read out when it changes; the count of passages is left to the progress bar. */}
      <div role="status" className="hidden">
        {status.state === 'indexing' ? messages.indexing : status.state === 'opening' ? messages.opening : ''}
      </div>
      {status.state === 'opening' ? <p className="panel">{messages.opening}</p> : null}
      {status.state === 'indexing' ? (
        <div className="panel" data-state="indexing">
          <p className="panel-title">{messages.indexing}</p>
          <progress aria-label={messages.indexing} max={status.total} value={status.done} />
          <p>{messages.indexingDetail(status.done, status.total, status.service.model)}</p>
          {waiting ? <p className="muted">{messages.waiting}</p> : null}
        </div>
      ) : null}
      <div role="alert">
        {status.state === 'lost' ? <p className="panel warning">{messages.lost} {messages.retrying}</p> : null}
        {status.state === 'unavailable' ? (
          <div className={status.reason === 'loading' ? 'panel' : 'panel warning'} data-state={status.reason}>
            <p className="panel-title">
              {messages.unavailable[status.reason]}: <code>{status.url}</code>
            </p>
            <p>
              {messages.remedy[status.reason]} <span className="muted">{messages.retrying}</span>
            </p>
            <details>
              <summary>{messages.details}</summary>
              <pre tabIndex={0}>{status.detail}</pre>
            </details>
          </div>
        ) : null}
      </div>
    </>
  );
}
