"""Write docs/data-dictionary.md, and the questions in docs/analysts.md; `--check` only says whether they are fresh."""

import sys
from pathlib import Path

from solvent import contracts
from solvent.contracts import dictionary
from solvent.warehouse import advice, catalog, marts, queries

DOCS = Path(__file__).resolve().parents[1] / "docs"
BEGIN, END = "<!-- questions: written by `make docs` -->\n", "<!-- /questions -->"


def main(arguments: list[str]) -> int:
    known, facts = contracts.load(), _facts()
    analysts = DOCS / "analysts.md"
    before, _, rest = analysts.read_text().partition(BEGIN)
    asked = dictionary.questions(known, facts, "data-dictionary.md")
    wanted = {
        DOCS / "data-dictionary.md": dictionary.render(known, facts),
        analysts: before + BEGIN + asked + END + rest.partition(END)[2],
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if "--check" in arguments:
            print(f"{path.name} is stale: the contracts or the SQL have changed. Run `make docs`.")
        else:
            path.write_text(wanted[path])
            print(f"wrote {path.name}")
    return 1 if stale and "--check" in arguments else 0


def _facts() -> dictionary.Facts:
    """What the SQL of marts and saved queries knows, and the grants."""
    relations = catalog.relations()
    asked = {m.name: (m.question, m.query) for m in marts.read() if m.query}
    asked |= {q.name: (q.question, q.sql) for q in queries.read().values()}
    return dictionary.Facts(
        question={name: question for name, (question, _) in asked.items()},
        reads={name: [r.contract.name for r in advice.mentioned(sql, relations)] for name, (_, sql) in asked.items()},
        readers={name: advice.granted(relation) for name, relation in relations.items()},
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
