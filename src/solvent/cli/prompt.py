r"""The prompt of `solvent sql`: statements until `;`, commands with a backslash, history and completion.

`\d` and completion know what the contracts say: looking something up does not wake the warehouse.
"""

import re
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer
from rich.console import Console

from solvent.cli import answers, output
from solvent.cli import sql as cli
from solvent.cli.completion import SqlCompleter
from solvent.warehouse import advice, catalog, queries
from solvent.warehouse.data_api import DataApi, DataApiError
from solvent.warehouse.migrations import split
from solvent.warehouse.queries import QueryError

COMMANDS = {
    "\\d": "what there is; \\d TABLE: its columns; \\d SCHEMA: its tables",
    "\\query": "the saved queries; \\query NAME name=value ...: run one",
    "\\all": "show every row, or again as many as the screen holds",
    "\\timing": "show the time of each statement, or not",
    "\\help": "this list",
    "\\q": "leave, as Ctrl-D does; Ctrl-C cancels what runs",
}
_REFUSED = (DataApiError, QueryError, answers.AnswerError, ClientError, BotoCoreError)


class Prompt:
    """A conversation with one warehouse. `place` is what the prompt says where one is."""

    def __init__(self, api: DataApi, console: Console, *, place: str) -> None:
        self._api, self._console, self._place = api, console, place
        self._everything, self._timing = False, True

    def run(self, history: Path) -> None:
        """Until `\\q` or Ctrl-D. `history` is a file that only its owner can read; what was typed goes there."""
        history.parent.mkdir(parents=True, exist_ok=True)
        history.touch(mode=0o600)
        history.chmod(0o600)
        session: PromptSession[str] = PromptSession(
            f"{self._place}=> ",
            history=FileHistory(str(history)),
            completer=SqlCompleter(catalog.relations(), queries.read(), COMMANDS),
            lexer=PygmentsLexer(SqlLexer),
            multiline=Condition(lambda: not ended(get_app().current_buffer.text)),
            prompt_continuation=f"{'->':>{len(self._place) + 2}} ",
        )
        self._console.print(f"The warehouse of {self._place}. \\help lists the commands; a statement ends with ;")
        going = True
        while going:
            try:
                going = self.hear(session.prompt())
            except KeyboardInterrupt:
                continue  # Ctrl-C gives up what is typed
            except EOFError:
                break

    def hear(self, text: str) -> bool:
        """Do what one entry says; False when it says to leave. What is refused is said, and the prompt goes on."""
        try:
            if text.lstrip().startswith("\\"):
                return self._command(text.strip())
            for statement in split(text):
                self._ask(statement, {})
        except KeyboardInterrupt:
            self._console.print("Cancelled.", style="yellow")
        except _REFUSED as error:
            self._console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return True

    def _command(self, text: str) -> bool:
        name, *words = text.split()
        if name == "\\q":
            return False
        if name in ("\\help", "\\?"):
            output.listing(self._console, ["command", "does"], list(COMMANDS.items()))
        elif name == "\\timing":
            self._timing = not self._timing
            self._console.print(f"Times are {'shown' if self._timing else 'not shown'}.")
        elif name == "\\all":
            self._everything = not self._everything
            self._console.print("Every row is shown." if self._everything else "As many rows as fit are shown.")
        elif name == "\\query" and words:
            query = queries.read()[words[0]]
            self._ask(query.sql, query.arguments(cli.pairs(words[1:])))
        elif name == "\\query":
            cli.listed(self._console, list(queries.read().values()))
        else:
            look_up(self._console, text)
        return True

    def _ask(self, statement: str, parameters: dict[str, str]) -> None:
        missing = sorted(queries.placeholders(statement) - set(parameters))
        if missing:
            raise QueryError(f"Write the value instead of :{missing[0]}; parameters are for \\query and --param.")
        answer = answers.ask(self._api, statement, parameters)
        answers.show(self._console, answer, everything=self._everything, timed=self._timing, more="\\all")


def ended(text: str) -> bool:
    """Whether Enter ends the entry: a command, nothing at all, or a `;` that is in no quotes."""
    if not text.strip() or text.lstrip().startswith("\\"):
        return True
    *statements, last = split(text + "\nx")
    bare = " ".join(statements)
    return last == "x" and bare.count("'") % 2 == 0 and bare.count("$$") % 2 == 0


def look_up(console: Console, text: str) -> None:
    r"""Answer `\d`, `\d SCHEMA` or `\d TABLE` from the contracts. Raises QueryError for anything else."""
    found = re.fullmatch(r"\\d(?:\s+([\w.]+))?\s*;?", text.strip())
    if not found:
        raise QueryError(f"There is no command {text.split()[0]}; there is {', '.join(COMMANDS)}, in the prompt.")
    known, wanted = catalog.relations(), (found[1] or "").lower().rstrip(".")
    named = [r for r in known.values() if wanted in (r.name, r.contract.name)]
    if len(named) == 1:
        _describe(console, named[0])
        return
    rows = [[r.name, r.kind, r.about] for r in named or known.values() if wanted in ("", r.contract.schema) or named]
    if not rows:
        raise QueryError(advice.explain(f'relation "{wanted}" does not exist', "", known))
    output.listing(console, ["relation", "kind", "holds or answers"], rows)


def _describe(console: Console, relation: catalog.Relation) -> None:
    console.print(f"{relation.name}, {relation.kind}: {relation.about}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"Read by {advice.granted(relation)}.", markup=False, highlight=False, soft_wrap=True)
    contract = relation.contract
    rows = [
        [c.name, c.physical, "key" if c.name in contract.key else "", "" if c.pii == "none" else c.pii, c.description]
        for c in contract.columns
    ]
    output.listing(console, ["column", "type", "key", "personal data", "meaning"], rows)
