"""`make reset`: removes what `make dev` kept."""

import sys

from infra.local.folder import FolderInUseError, local_folder, reset, shown


def main() -> None:
    try:
        reset()
    except FolderInUseError as error:
        print(f"make reset: a make dev uses {error}. End it first.", file=sys.stderr)
        sys.exit(1)
    print(f"make reset: {shown(local_folder())} is removed.")


if __name__ == "__main__":
    main()
