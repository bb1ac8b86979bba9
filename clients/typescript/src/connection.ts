/** What `fetch` tells of a connection that did not come about, or broke. */
interface Fault {
  code: string;
  message: string;
}

// Node's `fetch` says "fetch failed" and tells why in the cause, or for several addresses in its errors.
function faultOf(error: unknown): Fault {
  const cause = (error as { cause?: unknown } | null)?.cause ?? error;
  const { errors, message, code } = (cause ?? {}) as { errors?: unknown[]; message?: string; code?: unknown };
  const first = errors?.[0] as { message?: string } | undefined;
  const name = typeof code === 'string' ? code : '';
  return { code: name, message: first?.message || message || name || String(cause) };
}

interface Kind {
  /** Matched with code and message: programs that run JavaScript tell them in one or the other. */
  pattern: RegExp;
  /** What is the matter, and what to do. */
  say: (url: URL, message: string) => string;
}

/** `url` with the other scheme, without its path. */
function otherScheme(url: URL, scheme: string): string {
  return `${scheme}//${url.host}`;
}

/** Faults of the URL, the port or the certificate: the next try would find the same. */
const LASTING: readonly Kind[] = [
  {
    pattern: /wrong.version.number|packet.length.too.long/i,
    say: (url) => `it speaks http there, not https; use ${otherScheme(url, 'http:')}`,
  },
  {
    pattern: /SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT/,
    say: (_, message) =>
      `${message}; a certificate that no known authority signed is trusted by Node.js when NODE_EXTRA_CA_CERTS names its file`,
  },
  {
    pattern: /\bCERT_|ERR_TLS_CERT/,
    say: (_, message) => `${message}; the service, or the proxy before it, needs another certificate`,
  },
  {
    pattern: /\bbad port\b/,
    say: (url) => `port ${url.port} is one of those that fetch never asks; let the service listen on another`,
  },
];

/** Either the server goes away, or it waits for TLS and was asked without: nobody can tell which. */
const CLOSED = /UND_ERR_SOCKET|ECONNRESET|HPE_/;

function kindOf({ code, message }: Fault): Kind | undefined {
  return LASTING.find(({ pattern }) => pattern.test(`${code} ${message}`));
}

/** Whether what made `fetch` fail will be the same at the next try. */
export function isLasting(error: unknown): boolean {
  return kindOf(faultOf(error)) !== undefined;
}

/** Why nobody answered at `address`, and what to do. */
export function whyNoAnswer(address: string, error: unknown): string {
  const fault = faultOf(error);
  const url = new URL(address);
  const kind = kindOf(fault);
  if (kind) return `no answer from ${address}: ${kind.say(url, fault.message)}`;
  const inPage = typeof window !== 'undefined';
  const wantsTls = url.protocol === 'http:' && CLOSED.test(fault.code);
  const hint = inPage
    ? "does the service run there, and does its --cors-origin name this page's origin?"
    : wantsTls
      ? `does the service run there (embedding-service status), and if it does, with https (${otherScheme(url, 'https:')})?`
      : 'does the service run there? (embedding-service status)';
  return `no answer from ${address}: ${fault.message}; ${hint}`;
}
