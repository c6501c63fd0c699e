"""`python -m millwright_training train|quantize|folds`, under the SageMaker container contract."""

from __future__ import annotations

import os
import sys

# Before numpy is loaded: one thread adds in one order, so the same seed gives the same bytes.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"


def main(argv: list[str]) -> int:
    from .container import Refused, fail

    if argv[:1] == ["train"]:
        from .train import train as command
    elif argv[:1] == ["quantize"]:
        from .quantize import quantize as command
    elif argv[:1] == ["folds"]:
        from .folds import folds as command
    else:
        print(f"usage: python -m millwright_training train|quantize|folds (got {argv})", file=sys.stderr)
        return 2
    try:
        command()
        return 0
    except Refused as error:
        return fail(str(error))
    except Exception as error:
        import traceback

        traceback.print_exc()
        return fail(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
