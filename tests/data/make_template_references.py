"""Makes what transformers renders of templates of messages.

    python tests/data/make_template_references.py     (needs transformers 5.23)

Writes templates.json: templates, how texts are put into messages, and what is rendered of them.
"""

import itertools
import json
import pathlib

from transformers.utils.chat_template_utils import render_jinja_template

HERE = pathlib.Path(__file__).resolve().parent
TEXTS = ["How do pandas climb?", "  white space at both ends\n", "", "{{ no }} <|template|> 'of' \"its\" own",
         "Привет,\u3000мир!\u00a0"]
PROMPTS = ["", "Represent this: ", " of \n lines "]
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}

FLAT = {
    "marks": "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message.content }}"
             "<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}",
    "trim": """{%- if messages[0]['role'] == 'system' -%}
    {%- set first = messages[0]['content'] | trim + '\\n\\n' -%}
    {%- set rest = messages[1:] -%}
{%- else -%}
    {%- set first = '' -%}
    {%- set rest = messages -%}
{%- endif -%}
{{ bos_token }}{{ first }}
{%- for message in rest %}
    {%- if (message['role'] == 'assistant') %}{% set role = "model" %}
    {%- else %}{% set role = message['role'] %}{% endif %}
[{{ role }}#{{ loop.index }}/{{ loop.length }}{{ ' last' if loop.last else '' }}]
{{ message['content'].strip() }}
{% endfor %}
""",
    "namespace": """{# A comment
   of two lines #}
{%- set state = namespace(found=false, count=0) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages | length - 1) - loop.index0 %}
    {%- if not state.found and message.role == "user" and message.content is string %}
        {%- set state.found = true %}
        {%- set state.count = state.count + index * 2 %}
    {%- endif %}
{%- endfor %}
  {% if state.found %}
user at {{ state.count }} of {{ messages|length }}
  {% endif %}
    {%+ if true %} kept {% endif +%}
{%- for message in messages if message.role != 'system' -%}
    <{{ message.role | upper }}>{{ message.content }}</{{ message.role }}>
{%- else -%}
nothing
{%- endfor %}

""",
    "filters": "{{ (messages | selectattr('role', 'equalto', 'system') | map(attribute='content') | first)"
               " | default('no system', true) }}|{{ messages | rejectattr('role', 'equalto', 'system')"
               " | map(attribute='content') | join(' / ') }}|{{ tools | default([], true) | length }}|{{ unknown }}|{{ tools is defined }}|{{ documents is none }}|"
               "{{ none }}{{ true }}{{ 7 % 4 }}{{ -1 }}|{{ messages | map(attribute='role') | list | last | lower }}",
    "tests": "{% if tools is defined and tools is not none %}tools{% elif unknown is not defined and messages is iterable"
             " and messages[0] is mapping %}plain{% else %}else{% endif %} {{ 'a' in ['a', 'b'] }}"
             " {{ 'role' in messages[0] }} {{ 1 < 2 and 2 <= 2 and not 3 >= 4 }} {{ 'x' ~ 1 ~ none }}"
             " {{ messages[-1].role.startswith('us') or messages[-1].role.endswith('ent') }}"
             " {{ messages[0].get('name', 'unnamed') }} {{ {'k': 'v'}['k'] }} {{ [1, 2][1] }}"
             " {{ messages[-1]['content'] }}",
    "raises_for_system": "{% if messages[0].role == 'system' %}{{ raise_exception('no system, please') }}{% endif %}"
                         "{% for message in messages %}{{ message.content }}\n\n\n{% endfor %}",
    "flags": "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n{% endif %}"
             "{{ messages[-1].content }}{% if add_generation_prompt %} Answer:{% endif %}",
    "pairs": "{% set query = (messages | selectattr('role', 'eq', 'query') | first) %}"
             "{% set document = (messages | selectattr('role', 'eq', 'document') | first) %}"
             "Query: {{ query.content if query else 'none' }}\nDocument: {{ document['content'] | trim }}",
}
STRUCTURED = {
    "parts": "{{ bos_token }}{% for message in messages %}<{{ message.role }}>{% for item in message.content %}"
             "{% if item.type == 'text' %}{{ item.text | trim }}{% elif item['type'] == 'image' %}<image>"
             "{% endif %}{% endfor %}{% endfor %}",
    "either": "{%- for message in messages -%}{%- if message['content'] is string -%}{{ message['content'] }}"
              "{%- elif message['content'] is iterable -%}{{ message['content'][0]['text'] + ' ' }}"
              "{{ message.content[0].type }}{%- endif -%}{%- endfor -%}",
}


def messages_of(prompt, texts, is_structured):
    roles = ["user"] if len(texts) == 1 else ["query", "document"]
    said = ([("system", prompt)] if prompt else []) + list(zip(roles, texts))
    return [{"role": role, "content": [{"type": "text", "text": text}] if is_structured else text}
            for role, text in said]


def cases():
    pairs = [[a, b] for a, b in zip(TEXTS, TEXTS[1:] + TEXTS[:1])]
    for is_structured, templates in enumerate((FLAT, STRUCTURED)):
        for (name, template), prompt in itertools.product(templates.items(), PROMPTS):
            flags = {"add_generation_prompt": True, "enable_thinking": False} if name == "flags" else {}
            for inputs in ([[text] for text in TEXTS], pairs):
                rendered = []
                for texts in inputs:
                    try:
                        [text], _ = render_jinja_template(
                            [messages_of(prompt, texts, is_structured)], chat_template=template,
                            **({"add_generation_prompt": False} | TOKENS | flags))
                        rendered.append(text)
                    except Exception:  # which the template raises, or where it does not fit
                        rendered.append(None)
                # What leaves a text out is refused, too.
                of_pairs = len(inputs[0]) == 2
                leaves_out = name in ("tests", "flags") if of_pairs else name == "pairs"
                if any(text is None for text in rendered) or leaves_out:
                    rendered = None
                yield {"name": name, "template": template, "structured": bool(is_structured), "flags": flags,
                       "prompt": prompt, "inputs": inputs, "rendered": rendered}


def main():
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases())
    (HERE / "templates.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
