// A process that takes folders by the module that argv names, and asks its parent before each look at the files.
import { createRequire, syncBuiltinESMExports } from 'node:module';

// Loaded with the functions as they are, which loading itself needs.
const { lockDirectory } = await import(process.argv[2]);

const files = createRequire(import.meta.url)('node:fs/promises');
let go = () => {};
for (const name of ['link', 'readFile', 'readdir', 'rename', 'rm', 'unlink', 'writeFile']) {
  const original = files[name];
  files[name] = async (...given) => {
    const turn = new Promise((resolve) => (go = resolve));
    process.send({ waits: name });
    await turn;
    return original(...given);
  };
}
syncBuiltinESMExports(); // for what has imported them already, too

process.on('message', async ({ take }) => {
  if (take === undefined) return go();
  const error = await lockDirectory(take).then(
    () => undefined,
    (reason) => String(reason),
  );
  process.send({ took: error === undefined, error });
});
process.send({ ready: true });
