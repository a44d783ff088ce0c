"""Write docs/data-dictionary.md from the contracts; with `--check`, only say whether it is fresh."""

import sys
from pathlib import Path

from solvent import contracts
from solvent.contracts import dictionary

TARGET = Path(__file__).resolve().parents[1] / "docs" / "data-dictionary.md"


def main(arguments: list[str]) -> int:
    text = dictionary.render(contracts.load())
    if "--check" not in arguments:
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(text)
        print(f"wrote {TARGET.name}")
        return 0
    if TARGET.exists() and TARGET.read_text() == text:
        return 0
    print(f"{TARGET.name} is stale: the contracts have changed. Run `make docs`.")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
