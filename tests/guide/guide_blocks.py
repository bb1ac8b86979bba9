"""The code blocks of a document: what it tells its reader to type, write or expect."""

import re
from dataclasses import dataclass

COMMENT = re.compile(r"(^|\s+)(#|//) .*$", re.M)


@dataclass
class Block:
    document: str
    line: int  # of the document, from 1
    language: str
    text: str

    def __str__(self):
        return f"{self.document}:{self.line}"

    @property
    def code(self):
        """Without comments, which are in the document's language."""
        lines = (COMMENT.sub("", line).rstrip() for line in self.text.splitlines())
        return "\n".join(line for line in lines if line)

    @property
    def file(self):
        """The name of the file that its first line says it is, if that is one."""
        named = re.match(r"(?:#|//) (\S*\.[\w.]+)$", self.text.splitlines()[0])
        return named.group(1) if named else None

    def commands(self):
        """Of a shell's block: its lines, those that a backslash joins as one."""
        return [line for line in self.code.replace("\\\n", " ").splitlines() if line.strip()]


def blocks_of(path):
    """Fenced ones, with their language, and indented ones without."""
    blocks, lines, i = [], path.read_text().splitlines(), 0
    while i < len(lines):
        fence = re.match(r"```(\w*)$", lines[i])
        if fence:
            end = next(j for j in range(i + 1, len(lines)) if lines[j] == "```")
            blocks.append(Block(path.name, i + 2, fence.group(1), "\n".join(lines[i + 1 : end])))
            i = end + 1
        elif lines[i].startswith("    ") and (i == 0 or not lines[i - 1].strip()):
            end = next((j for j in range(i, len(lines)) if lines[j] and not lines[j].startswith("    ")), len(lines))
            blocks.append(Block(path.name, i + 1, "", "\n".join(line[4:] for line in lines[i:end])))
            i = end
        else:
            i += 1
    return blocks
