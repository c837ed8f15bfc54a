"""Which packages are imported: numpy and pandas only where somebody asks for them."""

import sys


class _NotThere:
    """Import hook that says of some packages that they are not installed."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in self.names:
            raise ImportError(name)


def leave_out_numpy() -> None:
    """Keep numpy and pandas out of this process for good; for processes that are the pipeline's own.

    Arrow and DuckDB import both where they are installed (0.1 s, 50 MB) and do without them where they are not. Once Arrow
    has started without numpy, numpy must never be imported.
    """
    if "pyarrow" in sys.modules or "numpy" in sys.modules:
        postpone_pandas()
    else:
        sys.meta_path.insert(0, _NotThere("numpy", "pandas"))


def bring_numpy() -> None:
    """Undo `leave_out_numpy`, before Arrow is imported."""
    if "pyarrow" not in sys.modules:
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _NotThere)]


def postpone_pandas() -> None:
    """Keep Arrow from importing pandas (0.4 s, 50 MB) at the first list it converts; `to_pandas` imports it when called.

    `pa.array` asks whether its argument might be a pandas object, and for that it imports pandas, once.
    """
    if "pandas" in sys.modules:
        return
    import pyarrow as pa

    hook = _NotThere("pandas")
    sys.meta_path.insert(0, hook)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(hook)
