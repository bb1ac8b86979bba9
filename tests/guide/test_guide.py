"""Every command and code block of both READMEs, and of what they lead to, done as it is written."""

import re

import exceptions
import pytest
from guide_blocks import blocks_of
from reader import Reader
from server import ROOT
from typescript_project import TypeScriptProject

GUIDES = ["nextjs", "moving", "performance", "reference", "operating"]
PAIRS = [("README.md", "README.ru.md"), *((f"docs/{name}.md", f"docs/{name}.ru.md") for name in GUIDES)]
DOCUMENTS = [document for pair in PAIRS for document in pair]


@pytest.mark.parametrize("document", ["README.md", "README.ru.md", *(f"docs/{name}.md" for name in GUIDES)])
def test_what_it_says_works(document, tmp_path, registry, npm_cache):
    (tmp_path / "app").mkdir()
    project = TypeScriptProject(tmp_path / "app", registry, npm_cache)
    with Reader(tmp_path, project) as reader:
        for block in blocks_of(ROOT / document):
            reader.follow(block)
    if any(block.language == "ts" for block in blocks_of(ROOT / document)):
        project.check()


@pytest.mark.parametrize("english, russian", PAIRS)
def test_both_languages_say_the_same(english, russian):
    """So what was run of one holds for the other; only comments are translated."""
    one, other = (blocks_of(ROOT / document) for document in (english, russian))
    assert [(b.language, b.code) for b in one] == [(b.language, b.code) for b in other]
    headings = [re.findall(r"^(#+) ", (ROOT / d).read_text(), re.M) for d in (english, russian)]
    assert headings[0] == headings[1]
    rows = [len(re.findall(r"^\|", (ROOT / d).read_text(), re.M)) for d in (english, russian)]
    assert rows[0] == rows[1]


def test_every_exception_is_one():
    """What is done otherwise than it is written is still written somewhere."""
    texts = [(ROOT / document).read_text() for document in DOCUMENTS]
    for text in (*exceptions.ELSEWHERE, *(text for text, _, _ in exceptions.INSTEAD)):
        assert any(text in document for document in texts), text


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_it_leads_to_is_there(document):
    path = ROOT / document
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if target.startswith("http"):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def anchors(path):
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
