"""An application that has installed the package, with TypeScript as create-next-app sets it up."""

import json
import re


from npm_project import Project
from server import ROOT

TOOLS = ROOT / "tests" / "guide" / "node_modules"
TSCONFIG = {
    "compilerOptions": {
        "target": "ES2022", "lib": ["dom", "dom.iterable", "esnext"], "module": "esnext", "moduleResolution": "bundler",
        "strict": True, "noEmit": True, "skipLibCheck": True, "isolatedModules": True, "types": ["node"],
        "moduleDetection": "force", "paths": {"@/*": ["./*"]},
    },
    "include": ["**/*.ts"],
}  # fmt: skip
BOTH = "['a question about rivers', 'a text']"
# What is asked of each file, which prints JSON: a module's export, or nothing where the file is a program.
USES = {
    "lib/embedding-client.ts": f"(await embeddingClient.embed({BOTH})).length === 2",
    "app/api/similar/route.ts": "(await (await POST(post({ text: 'a text' }))).json()).embedding.length > 0",
    "app/api/embed/route.ts": "(await (await POST(post({ texts: ['a', 'b'] }))).json()).length === 2 && "
    "(await POST(post({ texts: [1] }))).status === 400",
    "lib/rank.ts": f"(await best('a question', {BOTH})).length === 2",
    "lib/hybrid.ts": f"(await vectorsOf({BOTH})).every((row) => row.dense.length > 0 && typeof row.sparse === 'object')",
    "lib/ai.ts": f"(await closeness('a', 'a')) > 0.999 && (await order('a question', {BOTH})).length === 2",
    "lib/langchain.ts": f"(await embeddings.embedDocuments({BOTH})).length === 2",
}
PROGRAMS = {"scripts/build-index.ts": "250 true", "after.ts": "1", "openai.ts": "1"}


class TypeScriptProject(Project):
    def __init__(self, folder, registry, cache):
        super().__init__(folder, registry, cache)
        (folder / "tsconfig.json").write_text(json.dumps(TSCONFIG))

    def complete(self):
        """With what the document takes for installed; `npm install` of another package takes the tools away."""
        if not (self.folder / "node_modules" / "embedding-service").exists():
            self.install("embedding-service")
        for tool in (*TOOLS.glob("[!@.]*"), *TOOLS.glob("@*/*")):
            link = self.folder / "node_modules" / tool.relative_to(TOOLS)
            link.parent.mkdir(exist_ok=True)
            if not link.exists():
                link.symlink_to(tool)

    def write(self, name, text):
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)
        if name != "lib/embedding-client.ts" and not (self.folder / "lib" / "embedding-client.ts").exists():
            self.write("lib/embedding-client.ts", "export { embeddingClient } from 'embedding-service'\n")

    def check(self):
        """Types of all that was written."""
        self.complete()
        done = self.run("node", TOOLS / "typescript" / "bin" / "tsc", "-p", ".")
        assert done.returncode == 0, done.stdout

    def use(self, name, url, where):
        """Runs a file: as a program, or what a module exports."""
        self.complete()
        entry = name
        if name in USES:
            entry = "use.ts"
            (self.folder / entry).write_text(
                f"import * as module from './{name.removesuffix('.ts')}'\n"
                "const post = (body: unknown) => new Request('http://app/', { method: 'POST', body: JSON.stringify(body) })\n"
                "const { " + ", ".join(exported(self.folder / name)) + " } = module as any\n"
                f"console.log({USES[name]})\n"
            )
        else:
            assert name in PROGRAMS, f"{where}: nothing here knows what {name} is to print"
        bundled = self.run(TOOLS / ".bin" / "esbuild", entry, "--bundle", "--platform=node", "--format=esm",
                           "--outfile=.out/program.mjs", "--log-level=warning", "--external:ai", "--external:openai",
                           "--external:@langchain/core", "--external:embedding-service")  # fmt: skip
        assert bundled.returncode == 0, f"{where}: {bundled.stderr}"
        done = self.run("node", ".out/program.mjs", env={"EMBEDDING_SERVICE_URL": url})
        assert done.returncode == 0, f"{where}: {done.stderr}"
        wanted = "true" if name in USES else PROGRAMS[name]
        assert done.stdout.splitlines()[-1] == wanted, f"{where}: {done.stdout}"
        if name in USES:
            (self.folder / entry).unlink()

    def reads(self, name):
        """What a file of the environment sets, as Node.js reads it."""
        done = self.run("node", f"--env-file={name}", "-p",
                        "JSON.stringify({ EMBEDDING_SERVICE_URL: process.env.EMBEDDING_SERVICE_URL })")  # fmt: skip
        return json.loads(done.stdout)


def exported(path):


    text = path.read_text()
    return re.findall(r"^export (?:async )?(?:function|const) (\w+)", text, re.M) or re.findall(r"^export \{ (\w+) \}", text, re.M)
