"""What the CDK's command line runs (`cdk.json`): prepares the checkout, then starts `infra.app`.

So `cdk synth`, `cdk diff` and `cdk deploy` work in a fresh clone, whatever Python is active. It
runs under the machine's `python3`, before anything is installed.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETUP = ROOT / "infra" / "local" / "setup.py"
PYTHON = ROOT / ".venv" / "bin" / "python"


def main() -> None:
    # The CDK may read the standard output, so what the set-up says goes to the other one.
    command = [sys.executable, str(SETUP)]
    prepared = subprocess.run(command, stdout=sys.stderr, cwd=str(ROOT), check=False)  # noqa: S603
    if prepared.returncode:
        sys.exit(prepared.returncode)
    os.chdir(str(ROOT))
    os.execv(str(PYTHON), [str(PYTHON), "-m", "infra.app"])  # noqa: S606 - our own program


if __name__ == "__main__":
    main()
