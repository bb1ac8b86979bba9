/** JSON values, a line each, as they arrive. Ends the stream when the reader stops early. */
export async function* readLines<T>(stream: ReadableStream<Uint8Array>): AsyncGenerator<T> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const lines = (rest + decoder.decode(value, { stream: !done })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield JSON.parse(line) as T;
      if (!done) continue;
      if (rest !== '') yield JSON.parse(rest) as T;
      return;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The values as lines of JSON, asked for one at a time. `cancelled` is called when nobody reads on. */
export function writeLines(values: AsyncGenerator<unknown>, cancelled: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await values.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
    },
    cancel: cancelled,
  });
}
