// The official openai package of npm: `node openai.mjs URL < {"texts", "ids"}` prints what it gave.

import { readFileSync } from "node:fs";
import OpenAI from "openai";

const { texts, ids } = JSON.parse(readFileSync(0, "utf8"));
const client = new OpenAI({ baseURL: process.argv[2], apiKey: "none", maxRetries: 0 });
const model = "text-embedding-3-small";

async function vectors(input, options = {}) {
  const answer = await client.embeddings.create({ model, input, ...options });
  return answer.data.map((item) => item.embedding);
}

async function failure(call) {
  try {
    await call();
  } catch (error) {
    const { status, message, type, param, requestID } = error;
    const known = error instanceof OpenAI.APIError;
    return { name: error.constructor.name, known, status, message, type, param, requestID };
  }
  return { name: "no error" };
}

const given = {
  default: await vectors(texts),
  float: await vectors(texts, { encoding_format: "float" }),
  base64: await vectors(texts, { encoding_format: "base64" }),
  one: await vectors(texts[0]),
  ids: await vectors(ids),
  dimensions: (await vectors(texts[0], { dimensions: 100 }))[0].length,
  models: (await client.models.list()).data.map((item) => item.id),
  errors: {
    empty: await failure(() => vectors([])),
    number: await failure(() => vectors(7)),
    many: await failure(() => vectors(Array(2049).fill("a"))),
    dimensions: await failure(() => vectors("a", { dimensions: 9999 })),
    model: await failure(() => client.models.retrieve("none")),
  },
};
console.log(JSON.stringify(given));
