"""Import pandas only if somebody asks for it."""

import sys


class _NotThere:
    """Import hook that reports pandas as not installed."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ImportError(name)


def leave_out_pandas() -> None:
    """Keep pandas out of this process for good; for processes that are the pipeline's own.

    Arrow and DuckDB import it if it is installed (0.4 s, 50 MB) and do without it if not.
    """
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _NotThere())


def postpone_pandas() -> None:
    """Keep Arrow from importing pandas until `to_pandas` is called.

    `pa.array` would import it once, to ask whether its argument is a pandas object.
    """
    if "pandas" in sys.modules:
        return
    import pyarrow as pa

    hook = _NotThere()
    sys.meta_path.insert(0, hook)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(hook)
