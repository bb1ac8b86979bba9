"""Whether an answer is what a document shows: its numbers differ from model to model, its form does not."""

import json


def parse(shown):
    """JSON as documents show it, where `...` stands for more of the same."""
    return json.loads(shown.replace(",...", ""))


def difference(shown, answer, at="$"):
    """Where the answer has another form than what is shown; None where it has not."""
    if isinstance(shown, dict):
        if not isinstance(answer, dict) or list(shown) != list(answer):
            return f"{at}: {list(shown)} are shown, and the answer is {str(answer)[:200]}"
        pairs = [(f"{at}.{key}", shown[key], answer[key]) for key in shown]
    elif isinstance(shown, list):
        if not isinstance(answer, list) or (shown and not answer):
            return f"{at}: an array is shown, and the answer is {str(answer)[:200]}"
        pairs = [(f"{at}[{i}]", shown[0], each) for i, each in enumerate(answer)] if shown else []
    elif isinstance(shown, str) and at.rpartition(".")[2] in ("error", "error_type", "status"):
        return None if shown == answer else f"{at}: {shown} is shown, and the answer is {answer}"
    else:
        numbers = isinstance(shown, (int, float)) and isinstance(answer, (int, float))
        fits = numbers if isinstance(shown, (int, float)) else isinstance(answer, type(shown))
        return None if fits else f"{at}: {shown!r} is shown, and the answer is {answer!r}"
    return next((found for where, a, b in pairs if (found := difference(a, b, where))), None)
