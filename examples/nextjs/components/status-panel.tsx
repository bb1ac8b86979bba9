import type { Messages } from '@/lib/messages';
import type { PageStatus } from './use-status';

/** What stands in the way of a search, and what to do about it. Empty while nothing does. */
export function StatusPanel({ status, messages, waiting }: { status: PageStatus; messages: Messages; waiting: boolean }) {
  return (
    <>
      {/* Read out when it changes; the count of passages is left to the progress bar, that of seconds to the eye. */}
      <div role="status" className="hidden">
        {announcement(status, messages)}
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
      {status.state === 'unavailable' && status.reason === 'busy' ? <Unavailable status={status} messages={messages} /> : null}
      <div role="alert">
        {status.state === 'lost' ? <p className="panel warning">{messages.lost} {messages.retrying}</p> : null}
        {status.state === 'unavailable' && status.reason !== 'busy' ? <Unavailable status={status} messages={messages} /> : null}
      </div>
    </>
  );
}

/** For those who hear the page: what changes each second would be read out each second. */
function announcement(status: PageStatus, messages: Messages): string {
  if (status.state === 'opening') return messages.opening;
  if (status.state === 'indexing') return messages.indexing;
  return status.state === 'unavailable' && status.reason === 'busy' ? messages.unavailable.busy : '';
}

type UnavailableStatus = Extract<PageStatus, { state: 'unavailable' }>;

function Unavailable({ status, messages }: { status: UnavailableStatus; messages: Messages }) {
  const { reason, url, detail, retryAfter } = status;
  const passes = reason === 'loading' || reason === 'busy';
  return (
    <div className={passes ? 'panel' : 'panel warning'} data-state={reason}>
      <p className="panel-title">
        {messages.unavailable[reason]}: <code>{url}</code>
      </p>
      <p>
        {messages.remedy[reason]}{' '}
        <span className="muted">{retryAfter === undefined ? messages.retrying : messages.retryingIn(retryAfter)}</span>
      </p>
      <details>
        <summary>{messages.details}</summary>
        <pre tabIndex={0}>{detail}</pre>
      </details>
    </div>
  );
}
